#include "keyhaul/key_list.h"

#include <cstring>

namespace keyhaul {

KeyView KeyList::operator[](size_t index) const {
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return {bytes_.data() + begin, ends_[index] - begin};
}

void KeyList::add(KeyView key) {
  bytes_ += key;
  ends_.push_back(bytes_.size());
}

void KeyList::clear() {
  bytes_.clear();
  ends_.clear();
}

void KeyList::halve() {
  size_t kept = 0, end = 0;
  for (size_t i = 0; i < size(); i += 2) {
    const KeyView key = (*this)[i];
    std::memmove(bytes_.data() + end, key.data(), key.size());
    end += key.size();
    ends_[kept++] = end;
  }
  bytes_.resize(end);
  while (size() > kept) ends_.pop_back();
}

}  // namespace keyhaul
