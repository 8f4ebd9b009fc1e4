// Receipts and digests as JSON, the same text natively and in WebAssembly; errors by their numbers.
#pragma once

#include <string>

#include "keyhaul/migration.h"

namespace keyhaul {

// {"sum":"32 hex digits","entries":n,"bytes":n}
void putDigestJson(std::string& out, const Digest& digest);
void putReceiptJson(std::string& out, const Receipt& receipt);

}  // namespace keyhaul
