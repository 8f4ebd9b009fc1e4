#include "journal/codec.h"

#include "base/bytes.h"
#include "base/varint.h"
#include "range/codec.h"

namespace keyhaul {
namespace {

constexpr uint64_t kPositionBytesMax = 256;
constexpr uint64_t kTextBytesMax = 4'096;
constexpr uint64_t kUnixMsMax = 1ULL << 53;  // what a host in JavaScript can say

template <typename Enum>
void putEnum(std::string& out, Enum value) {
  putVarint(out, static_cast<uint64_t>(value));
}

void putDigest(std::string& out, const Digest& digest) {
  const auto bytes = toBytes(digest);
  out.append(asView(bytes));
}

Digest readDigest(ByteReader& in) {
  const std::string_view bytes = in.raw(kDigestBytes);
  if (bytes.size() != kDigestBytes) return {};
  return digestFromBytes(asBytes(bytes).first<kDigestBytes>());
}

MigrationState readState(ByteReader& in) {
  const uint64_t value = in.varint(kMigrationStates - 1);
  if (value == 0) in.fail();
  return static_cast<MigrationState>(value);
}

// Totals go by this list, in this order, in both directions.
template <typename Visit>
void eachTotal(Totals& t, Visit&& visit) {
  for (uint64_t* field :
       {&t.copiedEntries, &t.copiedBytes, &t.copiedPages, &t.feedChanges, &t.verifiedEntries,
        &t.verifiedBytes, &t.missing, &t.extra, &t.changed, &t.repairs, &t.deletedEntries,
        &t.leftOnSource, &t.discardedEntries, &t.retries, &t.staleCompletions, &t.copyUs,
        &t.catchUpUs, &t.verifyUs, &t.deleteUs, &t.activeUs, &t.pauseForecastUs, &t.pauseUs,
        &t.postponed, &t.rechecked}) {
    visit(*field);
  }
}

struct Encoder {
  std::string& out;

  void operator()(const PlanRecord& record) const {
    const Plan& plan = record.plan;
    putBytes(out, plan.source);
    putBytes(out, plan.target);
    putVarint(out, plan.sourceCapabilities.bits);
    putVarint(out, plan.targetCapabilities.bits);
    putEnum(out, plan.mode);
    putEnum(out, plan.verify);
    putEnum(out, plan.require);
    putEnum(out, record.level);
    putVarint(out, plan.priority);
    putVarint(out, (plan.intoNonempty ? 1U : 0U) | (plan.repair ? 2U : 0U) |
                       (plan.follow ? 4U : 0U));
    putEnum(out, plan.checksumKind);
    out.append(asView(plan.digestKey));
    for (const uint64_t number :
         {uint64_t{plan.pageBytes}, uint64_t{plan.pageEntries}, uint64_t{plan.lanes},
          uint64_t{plan.windowPages}, uint64_t{plan.durablePages}, plan.entryBytesMax,
          plan.expectedEntries, plan.expectedBytes}) {
      putVarint(out, number);
    }
    putBytes(out, plan.hostInfo);
    putVarint(out, plan.ranges.size());
    for (const KeyRange& range : plan.ranges) putRange(out, range);
    if (plan.mode != MigrationMode::kLive) return;
    out.append(reinterpret_cast<const char*>(plan.claim.data()), plan.claim.size());
    putVarint(out, plan.pauseBudgetMs);
    putVarint(out, (plan.durable ? 1U : 0U) | (plan.operatorFence ? 2U : 0U) |
                       (plan.reverseWindowMs != 0 ? 4U : 0U) | (plan.splitMax > 1 ? 8U : 0U));
    if (plan.reverseWindowMs != 0) putVarint(out, plan.reverseWindowMs);
    if (plan.splitMax > 1) putVarint(out, plan.splitMax);
  }
  void operator()(const ClaimedRecord& record) const {
    putVarint(out, record.coordEpoch);
    putVarint(out, (record.forgotten ? 1U : 0U) | (record.restarting ? 2U : 0U) |
                       (record.turned ? 4U : 0U));
  }
  void operator()(const ArmedRecord& record) const { putBytes(out, record.position); }
  void operator()(const WindowRecord& record) const { putVarint(out, record.endsUnixMs); }
  void operator()(const SplitRecord& record) const { putBytes(out, record.at); }
  void operator()(const ResumedRecord& record) const { putVarint(out, record.incarnation); }
  void operator()(const PhaseRecord& record) const { putEnum(out, record.state); }
  void operator()(const PreparedRecord& record) const {
    putVarint(out, record.targetWasEmpty ? 1 : 0);
    putBytes(out, record.feedPosition);
  }
  void operator()(const CheckpointRecord& record) const {
    putVarint(out, record.range);
    putVarint(out, record.end ? 1 : 0);
    putBytes(out, record.upto);
    putDigest(out, record.leaf);
    putVarint(out, record.pages);
  }
  void operator()(const FeedAppliedRecord& record) const {
    putBytes(out, record.position);
    putVarint(out, record.changes);
  }
  void operator()(const VerifiedRecord& record) const {
    putVarint(out, record.round);
    const bool named = record.epoch != 0;
    putVarint(out, (record.equal ? 1U : 0U) | (record.written ? 2U : 0U) | (named ? 4U : 0U));
    if (named) putNamed(record.position, record.epoch);
    putDigest(out, record.source);
    putDigest(out, record.target);
    putVarint(out, record.missing);
    putVarint(out, record.extra);
    putVarint(out, record.changed);
    putVarint(out, record.repairs);
  }
  void operator()(const DeletedRecord& record) const {
    putVarint(out, record.range);
    putVarint(out, record.end ? 1 : 0);
    putBytes(out, record.upto);
    putVarint(out, record.entries);
    putVarint(out, record.left);
  }
  void operator()(const StoppedRecord& record) const {
    putEnum(out, record.code);
    putBytes(out, std::string_view(record.text).substr(0, kTextBytesMax));
  }
  void operator()(const FinishedRecord& record) const {
    Receipt receipt = record.receipt;
    putEnum(out, receipt.state);
    putEnum(out, receipt.mode);
    putEnum(out, receipt.level);
    putVarint(out, (receipt.verified ? 1U : 0U) | (receipt.reversed ? 2U : 0U) |
                       (receipt.windowError != ErrorCode::kOk ? 4U : 0U) |
                       (receipt.sourceGivenUp ? 8U : 0U) | (receipt.staleReadsUs != 0 ? 16U : 0U) |
                       (receipt.epoch == 0 ? 0U : 32U));
    if (receipt.windowError != ErrorCode::kOk) putVarint(out, static_cast<uint64_t>(receipt.windowError));
    if (receipt.staleReadsUs != 0) putVarint(out, receipt.staleReadsUs);
    if (receipt.epoch != 0) putNamed(receipt.position, receipt.epoch);
    putDigest(out, receipt.source);
    putDigest(out, receipt.target);
    eachTotal(receipt.totals, [this](uint64_t& field) { putVarint(out, field); });
    putVarint(out, receipt.totals.incarnations);
    putVarint(out, receipt.totals.verifyRounds);
  }

 private:
  void putNamed(std::string_view position, uint64_t epoch) const {
    putBytes(out, position);
    putVarint(out, epoch);
  }
};

// The epoch of the fence, never 0, and at level 5 the position that digests are of.
template <typename T>
void readNamed(ByteReader& in, T& record) {
  record.position = in.bytes(kPositionBytesMax);
  record.epoch = in.varint();
  if (record.epoch == 0) in.fail();
}

PlanRecord readPlan(ByteReader& in) {
  PlanRecord record;
  Plan& plan = record.plan;
  plan.source = in.bytes(kNameBytesMax);
  plan.target = in.bytes(kNameBytesMax);
  plan.sourceCapabilities.bits = static_cast<uint32_t>(in.varint(kKnownCapabilities));
  plan.targetCapabilities.bits = static_cast<uint32_t>(in.varint(kKnownCapabilities));
  const uint64_t mode = in.varint(4);
  if (mode == 0) in.fail();
  plan.mode = static_cast<MigrationMode>(mode);
  plan.verify = static_cast<VerifyDepth>(in.varint(2));
  plan.require = static_cast<GuaranteeLevel>(in.varint(5));
  record.level = static_cast<GuaranteeLevel>(in.varint(5));
  plan.priority = static_cast<uint8_t>(in.varint(255));
  const uint64_t flags = in.varint(7);
  plan.intoNonempty = (flags & 1U) != 0;
  plan.repair = (flags & 2U) != 0;
  plan.follow = (flags & 4U) != 0;
  plan.checksumKind = static_cast<ChecksumKind>(in.varint(2));
  const std::string_view key = in.raw(kDigestKeyBytes);
  if (key.size() == kDigestKeyBytes) std::memcpy(plan.digestKey.data(), key.data(), key.size());
  plan.pageBytes = static_cast<uint32_t>(in.varint(UINT32_MAX));
  plan.pageEntries = static_cast<uint32_t>(in.varint(UINT32_MAX));
  plan.lanes = static_cast<uint32_t>(in.varint(UINT32_MAX));
  plan.windowPages = static_cast<uint32_t>(in.varint(UINT32_MAX));
  plan.durablePages = static_cast<uint32_t>(in.varint(UINT32_MAX));
  plan.entryBytesMax = in.varint();
  plan.expectedEntries = in.varint();
  plan.expectedBytes = in.varint();
  plan.hostInfo = in.bytes(kHostInfoBytesMax);
  const uint64_t ranges = in.varint(kRangesMax);
  for (uint64_t i = 0; i < ranges && !in.failed(); ++i) plan.ranges.push_back(readRange(in));
  if (plan.mode != MigrationMode::kLive) return record;
  const std::string_view claim = in.raw(kClaimIdBytes);
  if (claim.size() == kClaimIdBytes) std::memcpy(plan.claim.data(), claim.data(), kClaimIdBytes);
  plan.pauseBudgetMs = static_cast<uint32_t>(in.varint(UINT32_MAX));
  const uint64_t promises = in.varint(15);
  plan.durable = (promises & 1U) != 0;
  plan.operatorFence = (promises & 2U) != 0;
  if ((promises & 4U) != 0) {
    plan.reverseWindowMs = static_cast<uint32_t>(in.varint(kReverseWindowMsMax));
    if (plan.reverseWindowMs == 0) in.fail();
  }
  if ((promises & 8U) != 0) {
    plan.splitMax = static_cast<uint32_t>(in.varint(kSplitMax));
    if (plan.splitMax < 2) in.fail();
  }
  return record;
}

FinishedRecord readFinished(ByteReader& in) {
  FinishedRecord record;
  Receipt& receipt = record.receipt;
  receipt.state = readState(in);
  const uint64_t mode = in.varint(4);
  if (mode == 0 || !isFinal(receipt.state)) in.fail();
  receipt.mode = static_cast<MigrationMode>(mode);
  receipt.level = static_cast<GuaranteeLevel>(in.varint(5));
  const uint64_t flags = in.varint(63);
  receipt.sourceGivenUp = (flags & 8U) != 0;
  receipt.verified = (flags & 1U) != 0;
  receipt.reversed = (flags & 2U) != 0;
  if ((flags & 4U) != 0) {
    const uint64_t code = in.varint(UINT16_MAX);
    if (code == 0 || !isKnownError(static_cast<uint32_t>(code))) in.fail();
    receipt.windowError = static_cast<ErrorCode>(code);
  }
  if ((flags & 16U) != 0) {
    receipt.staleReadsUs = in.varint();
    if (receipt.staleReadsUs == 0) in.fail();
  }
  if ((flags & 32U) != 0) readNamed(in, receipt);
  receipt.source = readDigest(in);
  receipt.target = readDigest(in);
  eachTotal(receipt.totals, [&in](uint64_t& field) { field = in.varint(); });
  receipt.totals.incarnations = static_cast<uint32_t>(in.varint(UINT32_MAX));
  receipt.totals.verifyRounds = static_cast<uint32_t>(in.varint(UINT32_MAX));
  return record;
}

VerifiedRecord readVerified(ByteReader& in) {
  VerifiedRecord record;
  record.round = static_cast<uint32_t>(in.varint(UINT32_MAX));
  const uint64_t flags = in.varint(7);
  record.equal = (flags & 1U) != 0;
  record.written = (flags & 2U) != 0;
  if ((flags & 4U) != 0) readNamed(in, record);
  record.source = readDigest(in);
  record.target = readDigest(in);
  record.missing = in.varint();
  record.extra = in.varint();
  record.changed = in.varint();
  record.repairs = in.varint();
  return record;
}

// Where a checkpoint or a deletion stands.
template <typename T>
void readReach(ByteReader& in, T& record) {
  record.range = static_cast<uint32_t>(in.varint(kRangesMax));
  record.end = in.boolean();
  record.upto = Key(in.bytes(kKeyBytesMax + 1));
  if (record.end != record.upto.empty()) in.fail();
}

void decode(uint8_t type, ByteReader& in, Record& into) {
  switch (type) {
    case 1: into.emplace<PlanRecord>(readPlan(in)); return;
    case 2: into.emplace<ResumedRecord>(ResumedRecord{static_cast<uint32_t>(in.varint(UINT32_MAX))}); return;
    case 3: into.emplace<PhaseRecord>(PhaseRecord{readState(in)}); return;
    case 4: {
      auto& record = into.emplace<PreparedRecord>();
      record.targetWasEmpty = in.boolean();
      record.feedPosition = in.bytes(kPositionBytesMax);
      return;
    }
    case 5: {
      auto& record = into.emplace<CheckpointRecord>();
      readReach(in, record);
      record.leaf = readDigest(in);
      record.pages = in.varint();
      return;
    }
    case 6: {
      auto& record = into.emplace<FeedAppliedRecord>();
      record.position = in.bytes(kPositionBytesMax);
      record.changes = in.varint();
      return;
    }
    case 7: into.emplace<VerifiedRecord>(readVerified(in)); return;
    case 8: {
      auto& record = into.emplace<DeletedRecord>();
      readReach(in, record);
      record.entries = in.varint();
      record.left = in.varint();
      return;
    }
    case 9: {
      auto& record = into.emplace<StoppedRecord>();
      const uint64_t code = in.varint(UINT16_MAX);
      if (!isKnownError(static_cast<uint32_t>(code))) in.fail();
      record.code = static_cast<ErrorCode>(code);
      record.text = in.bytes(kTextBytesMax);
      return;
    }
    case 10: into.emplace<FinishedRecord>(readFinished(in)); return;
    case 11: {
      auto& record = into.emplace<ClaimedRecord>();
      record.coordEpoch = in.varint();
      const uint64_t flags = in.varint(7);
      record.forgotten = (flags & 1U) != 0;
      record.restarting = (flags & 2U) != 0;
      record.turned = (flags & 4U) != 0;
      return;
    }
    case 12: {
      auto& record = into.emplace<ArmedRecord>();
      record.position = in.bytes(kPositionBytesMax);
      if (record.position.empty()) in.fail();
      return;
    }
    case 13: into.emplace<WindowRecord>(WindowRecord{in.varint(kUnixMsMax)}); return;
    case 14: {
      auto& record = into.emplace<SplitRecord>();
      record.at = Key(in.bytes(kKeyBytesMax));
      if (record.at.empty()) in.fail();
      return;
    }
  }
  in.fail();
}

}  // namespace

template <typename R>
void encodePayload(const R& record, std::string& out) {
  Encoder{out}(record);
}
#define KEYHAUL_ENCODES(R) template void encodePayload(const R&, std::string&);
KEYHAUL_RECORDS(KEYHAUL_ENCODES)
#undef KEYHAUL_ENCODES

bool decodePayload(uint8_t type, std::string_view payload, Record& into) {
  ByteReader in(payload);
  decode(type, in, into);
  return in.finished();
}

}  // namespace keyhaul
