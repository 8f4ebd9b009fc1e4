// Asserts that stay on in release builds: a broken invariant of our own stops
// at once, before it can lose anybody's data. Never for input: bytes from a
// peer, a disk or JavaScript give a Status instead.
#pragma once

namespace keyhaul {
[[noreturn]] void assertFailed(const char* condition, const char* file, int line);
}  // namespace keyhaul

#define KH_ASSERT(condition)                                 \
  (static_cast<bool>(condition) ? static_cast<void>(0)       \
                                : ::keyhaul::assertFailed(#condition, __FILE__, __LINE__))
