#include "allocation/counter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <utility>

namespace {

bool counting = false;
uint64_t allocations = 0;

void* take(std::size_t bytes) {
  if (counting) ++allocations;
  void* memory = std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return take(bytes); }
void* operator new[](std::size_t bytes) { return take(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace keyhaul::test {

void startCounting() { counting = true; }
void stopCounting() { counting = false; }
uint64_t takeAllocations() { return std::exchange(allocations, 0); }

namespace {

TEST(Counter, Counts) {
  (void)takeAllocations();
  startCounting();
  ::operator delete(::operator new(1));
  stopCounting();
  ::operator delete(::operator new(1));
  EXPECT_EQ(takeAllocations(), 1U);
  EXPECT_EQ(takeAllocations(), 0U);
}

}  // namespace
}  // namespace keyhaul::test
