#include "keyhaul/bisector.h"

#include <algorithm>
#include <utility>

namespace keyhaul {
namespace {

// With honest answers a part has at most half of its parent's entries, so this many levels
// are never reached; a side that lies is asked for its list then, which ends it.
constexpr uint32_t kDepthMax = 64;

BisectSide other(BisectSide side) {
  return side == BisectSide::kSource ? BisectSide::kTarget : BisectSide::kSource;
}

Status checkCuts(const KeyRange& keys, const std::vector<Key>& cuts) {
  const Key* below = &keys.lo;
  for (const Key& cut : cuts) {
    if (cut <= *below || !keys.hi.isAbove(cut)) return ErrorCode::kFrameCorrupt;
    below = &cut;
  }
  return {};
}

Digest sum(const std::vector<Digest>& digests) {
  Digest total;
  for (const Digest& digest : digests) total += digest;
  return total;
}

Digest sum(const std::vector<BisectAnswer::Entry>& entries) {
  Digest total;
  for (const auto& entry : entries) total += entry.digest;
  return total;
}

}  // namespace

Bisector::Bisector(KeyRange keys, const Digest& source, const Digest& target, Limits limits)
    : limits_(limits) {
  limits_.parts = std::clamp(limits_.parts, 2U, 4'096U);
  limits_.listEntries = std::max(limits_.listEntries, 1U);
  descend(std::move(keys), source, target, 0);
}

void Bisector::descend(KeyRange keys, const Digest& source, const Digest& target, uint32_t depth) {
  if (source == target) return;
  Part part;
  part.source = source;
  part.target = target;
  part.depth = depth;
  const uint64_t most = std::max(source.entries, target.entries);
  const bool list = most <= limits_.listEntries || depth >= kDepthMax;
  part.question.kind = list ? BisectKind::kList : BisectKind::kSplit;
  // The side that holds more cuts: its cuts are where the entries are.
  part.question.side = source.entries >= target.entries ? BisectSide::kSource : BisectSide::kTarget;
  part.question.keys = keys;
  part.question.parts = list ? 0 : limits_.parts;
  part.keys = std::move(keys);
  pending_.push_back(std::move(part));
}

std::optional<BisectQuestion> Bisector::ask() {
  if (pending_.empty()) return std::nullopt;
  Part part = std::move(pending_.front());
  pending_.pop_front();
  const uint32_t id = ++lastId_;
  part.question.id = id;
  ++asked_;
  return open_.emplace(id, std::move(part)).first->second.question;
}

Status Bisector::check(const BisectQuestion& question, const BisectAnswer& answer) const {
  switch (question.kind) {
    case BisectKind::kSplit: {
      const size_t parts = answer.sums.size();
      if (parts < 2 || parts > question.parts || answer.cuts.size() != parts - 1) break;
      for (const Digest& part : answer.sums) {
        if (part.entries == 0) return ErrorCode::kFrameCorrupt;
      }
      return checkCuts(question.keys, answer.cuts);
    }
    case BisectKind::kSums:
      if (answer.sums.size() != question.cuts.size() + 1) break;
      return {};
    case BisectKind::kList: {
      const Key* below = nullptr;
      for (const auto& entry : answer.entries) {
        if (!question.keys.contains(entry.key) || (below != nullptr && entry.key <= *below) ||
            entry.digest.entries != 1) {
          return ErrorCode::kFrameCorrupt;
        }
        below = &entry.key;
      }
      return {};
    }
  }
  return ErrorCode::kFrameCorrupt;
}

Status Bisector::answer(uint32_t id, BisectAnswer answer) {
  auto node = open_.extract(id);
  if (node.empty()) return ErrorCode::kNotFound;
  Part part = std::move(node.mapped());
  if (Status status = check(part.question, answer); !status.ok()) {
    pending_.push_front(std::move(part));
    return status;
  }
  const Digest total =
      part.question.kind == BisectKind::kList ? sum(answer.entries) : sum(answer.sums);
  if (total != (part.question.side == BisectSide::kSource ? part.source : part.target)) ++moved_;

  if (part.first) {
    if (part.question.kind == BisectKind::kSums) {
      compareParts(part, answer);
    } else if (part.question.side == BisectSide::kTarget) {
      merge(*part.first, answer);
    } else {
      merge(answer, *part.first);
    }
    return {};
  }
  // The same of the other side.
  part.question.side = other(part.question.side);
  if (part.question.kind == BisectKind::kSplit) {
    part.question.kind = BisectKind::kSums;
    part.question.parts = 0;
    part.question.cuts = answer.cuts;
  }
  part.first = std::move(answer);
  pending_.push_front(std::move(part));
  return {};
}

void Bisector::compareParts(const Part& part, const BisectAnswer& sums) {
  const std::vector<Key>& cuts = part.first->cuts;
  const bool sourceFirst = part.question.side == BisectSide::kTarget;
  for (size_t i = 0; i < sums.sums.size(); ++i) {
    KeyRange keys;
    keys.lo = i == 0 ? part.keys.lo : cuts[i - 1];
    keys.hi = i == cuts.size() ? part.keys.hi : Bound::at(cuts[i]);
    const Digest& first = part.first->sums[i];
    const Digest& second = sums.sums[i];
    descend(std::move(keys), sourceFirst ? first : second, sourceFirst ? second : first,
            part.depth + 1);
  }
}

void Bisector::merge(const BisectAnswer& source, const BisectAnswer& target) {
  auto s = source.entries.begin();
  auto t = target.entries.begin();
  while (s != source.entries.end() || t != target.entries.end()) {
    const bool noTarget = t == target.entries.end();
    if (noTarget || (s != source.entries.end() && s->key < t->key)) {
      differences_.push_back({s++->key, BisectDifference::Kind::kMissing});
    } else if (s == source.entries.end() || t->key < s->key) {
      differences_.push_back({t++->key, BisectDifference::Kind::kExtra});
    } else {
      if (s->digest != t->digest) {
        differences_.push_back({s->key, BisectDifference::Kind::kChanged});
      }
      ++s;
      ++t;
    }
  }
}

}  // namespace keyhaul
