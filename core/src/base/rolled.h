// In front of a loop: it stays one. Unrolled, the maker of the checksums' tables alone is two
// kilobytes of the WASM module, and loops over vectors are slower in V8.
#pragma once

#ifdef __clang__
#define KEYHAUL_ROLLED _Pragma("clang loop unroll(disable) vectorize(disable)")
#else
#define KEYHAUL_ROLLED
#endif
