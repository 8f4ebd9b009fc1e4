#include "linearize/visited.h"

#include <algorithm>

namespace keyhaul::sim {
namespace {

constexpr size_t kHeaderWords = 2;
constexpr size_t kSlotsMin = 256;

uint64_t mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9FB21C651E98DF25U;
  return hash ^ (hash >> 32);
}

}  // namespace

void Visited::reset(size_t requiredWords, size_t optionalWords) {
  requiredWords_ = requiredWords;
  words_ = requiredWords + optionalWords;
  entries_.clear();
  count_ = 0;
  if (slots_.empty()) slots_.assign(kSlotsMin, 0);
  if (++generation_ == 0) {
    std::fill(slots_.begin(), slots_.end(), 0);
    generation_ = 1;
  }
}

uint64_t Visited::hashOf(const uint64_t* entry) const {
  uint64_t hash = 0x2545F4914F6CDD1DU;
  for (size_t i = 0; i < kHeaderWords + requiredWords_; ++i) hash = mix(hash, entry[i]);
  return hash;
}

bool Visited::covers(const uint64_t* entry, uint64_t place, uint64_t state,
                     const uint64_t* bits) const {
  if (entry[0] != place || entry[1] != state) return false;
  const uint64_t* const known = entry + kHeaderWords;
  if (!std::equal(known, known + requiredWords_, bits)) return false;
  for (size_t i = requiredWords_; i < words_; ++i) {
    if ((known[i] & ~bits[i]) != 0) return false;
  }
  return true;
}

bool Visited::insert(uint64_t place, uint64_t state, const uint64_t* bits) {
  if ((count_ + 1) * 2 > slots_.size()) grow();
  const size_t begin = entries_.size();
  // Appended first, so that there is one place that hashes; taken off again if it is known.
  entries_.push_back(place);
  entries_.push_back(state);
  entries_.insert(entries_.end(), bits, bits + words_);
  const size_t mask = slots_.size() - 1;
  const size_t stride = kHeaderWords + words_;
  size_t slot = static_cast<size_t>(hashOf(&entries_[begin])) & mask;
  while (slots_[slot] >> 32 == generation_) {
    const size_t other = static_cast<size_t>(slots_[slot] & UINT32_MAX) * stride;
    if (covers(&entries_[other], place, state, bits)) {
      entries_.resize(begin);
      return false;
    }
    slot = (slot + 1) & mask;
  }
  slots_[slot] = static_cast<uint64_t>(generation_) << 32 | count_++;
  return true;
}

void Visited::grow() {
  slots_.assign(slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  const size_t stride = kHeaderWords + words_;
  for (size_t i = 0; i < count_; ++i) {
    size_t slot = static_cast<size_t>(hashOf(&entries_[i * stride])) & mask;
    while (slots_[slot] >> 32 == generation_) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<uint64_t>(generation_) << 32 | i;
  }
}

}  // namespace keyhaul::sim
