#include "range/order.h"

#include <algorithm>
#include <numeric>

namespace keyhaul {

std::vector<uint32_t> orderByLow(const std::vector<KeyRange>& ranges) {
  std::vector<uint32_t> order(ranges.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto less = [&ranges](uint32_t a, uint32_t b) {
    const int difference = ranges[a].lo.compare(ranges[b].lo);
    return difference != 0 ? difference < 0 : a < b;
  };
  std::make_heap(order.begin(), order.end(), less);
  std::sort_heap(order.begin(), order.end(), less);
  return order;
}

}  // namespace keyhaul
