// Asserts that stay on in release builds: a broken invariant of our own stops
// at once, before it can lose anybody's data. Never for input: bytes from a
// peer, a disk or JavaScript give a Status instead.
#pragma once

namespace keyhaul {
[[noreturn]] void assertFailed(const char* condition, const char* file, int line);
}  // namespace keyhaul

// A module that travels over networks says the place alone, which has the condition.
#ifdef __EMSCRIPTEN__
#define KH_CONDITION(condition) nullptr
#else
#define KH_CONDITION(condition) #condition
#endif

#define KH_ASSERT(condition)                           \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::keyhaul::assertFailed(KH_CONDITION(condition), __FILE__, __LINE__))
