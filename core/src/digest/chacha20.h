// The ChaCha20 block function (RFC 8439, section 2.3): expands the digest key
// into the words of the hash.
#pragma once

#include <array>
#include <cstdint>

#include "keyhaul/digest.h"

namespace keyhaul {

std::array<uint32_t, 16> chacha20Block(const DigestKey& key, uint32_t counter,
                                       const std::array<uint32_t, 3>& nonce);

}  // namespace keyhaul
