// The keys that the feed named since somebody began to compare: what was found equal
// before may differ now. With the bytes of the value that came last: whoever reads them again
// asks for no more than fits.
//
// A round names other keys than the one before, and about as many. So what held the keys of one holds those of the
// next, and only a key beyond the most that a round ever had asks the heap for memory: a node, and the key where it is
// longer than what a string has in itself. Of that memory kSpareBytesMax are kept; the rest of a large round goes.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "keyhaul/key_list.h"

namespace keyhaul {

class ChangedKeys {
 public:
  static constexpr uint64_t kNodeBytes = 104;  // of the set, a key; measured on nothing, a guess
  static constexpr uint64_t kSpareBytesMax = 1U << 20;
  using Set = std::map<Key, uint64_t, std::less<>>;
  using Node = Set::node_type;

  void watch(bool on, uint64_t bytesMax = 0) {
    watching_ = on;
    bytesMax_ = bytesMax;
    keys_.clear();
    bytes_ = 0;
    overflowed_ = false;
  }
  void add(KeyView key, uint64_t valueBytes) {
    if (!watching_ || overflowed_) return;
    const size_t before = keys_.size();
    put(key, valueBytes)->second = valueBytes;
    if (keys_.size() == before) return;
    bytes_ += key.size() + kNodeBytes;
    overflowed_ = bytes_ > bytesMax_;
  }
  bool watching() const { return watching_; }
  bool has(KeyView key) const { return keys_.find(key) != keys_.end(); }
  size_t size() const { return keys_.size(); }
  // More keys changed than can be remembered: nothing can be verified any more.
  bool overflowed() const { return overflowed_; }
  // All of them, ascending, with the bytes of their values, and of `others` those that are not among
  // them, with `otherBytes` each; none are left.
  void take(const KeyList& others, uint64_t otherBytes, std::vector<Node>& into) {
    for (size_t i = 0; i < others.size(); ++i) put(others[i], otherBytes);
    while (!keys_.empty()) into.push_back(keys_.extract(keys_.begin()));
    bytes_ = 0;
  }
  // Memory for further keys: it is of whoever takes them.
  void useSpare(std::vector<Node>* spare) { spare_ = spare; }
  // They are of no use any more but for their memory.
  void giveBack(std::vector<Node>& taken) {
    for (Node& node : taken) {
      const uint64_t bytes = kNodeBytes + node.key().capacity();
      if (spareBytes_ + bytes > kSpareBytesMax) continue;
      spareBytes_ += bytes;
      spare_->push_back(std::move(node));
    }
    taken.clear();
    if (taken.capacity() > 2 * kSpareBytesMax / kNodeBytes) std::vector<Node>().swap(taken);
  }

 private:
  // Where it stands; with `valueBytes`, if it is new.
  Set::iterator put(KeyView key, uint64_t valueBytes) {
    const auto at = keys_.lower_bound(key);
    if (at != keys_.end() && at->first == key) return at;
    if (spare_ == nullptr || spare_->empty()) return keys_.emplace_hint(at, key, valueBytes);
    Node node = std::move(spare_->back());
    spare_->pop_back();
    spareBytes_ -= kNodeBytes + node.key().capacity();
    node.key().assign(key);
    node.mapped() = valueBytes;
    return keys_.insert(at, std::move(node));
  }

  bool watching_ = false, overflowed_ = false;
  Set keys_;
  uint64_t bytes_ = 0, bytesMax_ = 0;
  std::vector<Node>* spare_ = nullptr;
  uint64_t spareBytes_ = 0;
};

}  // namespace keyhaul
