#include "keyhaul/journal.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/bytes.h"
#include "keyhaul/checksum.h"
#include "support/golden.h"
#include "support/memory_host.h"

namespace keyhaul::test {
namespace {

ValidPlan plan() {
  Plan spec = copyPlan(KeyRange::inclusive("a", "m").value());
  spec.hostInfo = "{}";
  return validatePlan(spec).value();
}

Digest digest(uint64_t entries) {
  Digest d;
  d.lo = entries * 3;
  d.hi = entries * 5;
  d.entries = entries;
  d.bytes = entries * 10;
  return d;
}

std::vector<Record> story() {
  const ValidPlan valid = plan();
  CheckpointRecord first, last;
  first.upto = "d";
  first.leaf = digest(4);
  first.pages = 2;
  last.end = true;
  last.leaf = digest(6);
  last.pages = 1;
  VerifiedRecord verified;
  verified.equal = true;
  verified.source = verified.target = digest(10);
  FinishedRecord finished;
  finished.receipt.state = MigrationState::kDone;
  finished.receipt.verified = true;
  finished.receipt.source = finished.receipt.target = digest(10);
  finished.receipt.totals.copiedEntries = 10;
  return {PlanRecord{valid.plan(), valid.level()}, PreparedRecord{true, ""},
          PhaseRecord{MigrationState::kCopying}, first,
          StoppedRecord{ErrorCode::kInterrupted, "Ctrl-C"}, ResumedRecord{2},
          PhaseRecord{MigrationState::kCopying}, last, PhaseRecord{MigrationState::kVerifying},
          verified, finished};
}

std::string write(const std::vector<Record>& records, std::vector<size_t>* ends = nullptr) {
  std::string bytes;
  JournalWriter writer;
  for (const Record& record : records) {
    writer.append(record, bytes);
    if (ends != nullptr) ends->push_back(bytes.size());
  }
  return bytes;
}

TEST(Journal, FoldsIntoAnImage) {
  const auto image = readJournal(asBytes(write(story())));
  ASSERT_TRUE(image.ok()) << errorName(image.code());
  EXPECT_EQ(image->records, 11U);
  EXPECT_EQ(image->totals.incarnations, 1U);  // those of the receipt
  EXPECT_EQ(image->incarnation, 2U);
  EXPECT_TRUE(image->ranges[0].copied);
  EXPECT_EQ(image->ranges[0].leaves.size(), 2U);
  EXPECT_TRUE(image->receipt->verified);
  EXPECT_FALSE(image->torn);
}

TEST(Journal, GoldenFiles) {
  const std::string bytes = write(story());
  expectGolden("journals/story.bin", bytes);
  expectGolden("journals/story.jsonl", describeJournal(asBytes(bytes)));
}

// A live migration with a reverse window, from its claim to where it has gone back.
std::vector<Record> storyOfAWayBack() {
  using enum MigrationState;
  PlanRecord plan = std::get<PlanRecord>(story()[0]);
  plan.plan.mode = MigrationMode::kLive;
  plan.plan.verify = VerifyDepth::kBoth;
  plan.plan.claim[0] = 9;
  plan.plan.durable = true;
  plan.plan.reverseWindowMs = 600'000;
  const uint32_t all = kKnownCapabilities;
  plan.plan.sourceCapabilities.bits = plan.plan.targetCapabilities.bits = all;
  plan.level = GuaranteeLevel::kL4;
  std::vector<Record> records{plan, PhaseRecord{kClaiming}, ClaimedRecord{}, PreparedRecord{true, "s1"},
                              PhaseRecord{kStaging}, PhaseRecord{kCopying}};
  CheckpointRecord copied;
  copied.end = true;
  records.push_back(copied);
  for (const Record& record : std::initializer_list<Record>{
           PhaseRecord{kCatchingUp}, FeedAppliedRecord{"s5", 4}, PhaseRecord{kVerifying},
           PhaseRecord{kApproaching}, PhaseRecord{kArming}, ArmedRecord{"t1"}, PhaseRecord{kFencing},
           PhaseRecord{kDraining}, PhaseRecord{kDeciding}, PhaseRecord{kActivating},
           PhaseRecord{kRedirecting}, PhaseRecord{kTurning}, PhaseRecord{kStaging},
           PhaseRecord{kReversible}, FeedAppliedRecord{"t7", 6}, ResumedRecord{2},
           PhaseRecord{kClaiming}, ClaimedRecord{2, false, false, true}, PhaseRecord{kUnfencing},
           PhaseRecord{kStaging}, PhaseRecord{kCatchingUp}, PhaseRecord{kVerifying},
           PhaseRecord{kReversible}, PhaseRecord{kApproaching}}) {
    records.push_back(record);
  }
  return records;
}

TEST(Journal, KnowsTheWayBack) {
  const std::vector<Record> records = storyOfAWayBack();
  const auto after = [&](size_t count) {
    return readJournal(asBytes(write({records.begin(), records.begin() + static_cast<long>(count)})));
  };
  for (size_t count = 1; count <= records.size(); ++count) ASSERT_TRUE(after(count).ok()) << count;
  EXPECT_EQ(after(records.size())->plan.plan().reverseWindowMs, 600'000U);
  EXPECT_EQ(after(13)->reversePosition, "t1");
  EXPECT_EQ(after(22)->armedPosition, "t1");
  EXPECT_FALSE(after(19)->turned);  // asked the register, and nobody knows
  EXPECT_TRUE(after(20)->turned);
  EXPECT_EQ(after(22)->reversePosition, "t7");
  EXPECT_EQ(after(22)->appliedPosition, "s5");
  EXPECT_FALSE(after(30)->reversing);
  EXPECT_TRUE(after(31)->reversing);
  const std::string bytes = write(records);
  expectGolden("journals/reverse.bin", bytes);
  expectGolden("journals/reverse.jsonl", describeJournal(asBytes(bytes)));
  // The register may know it before the journal does.
  std::vector<Record> behind(records.begin(), records.begin() + 15);
  for (const Record& record : std::initializer_list<Record>{
           ResumedRecord{2}, PhaseRecord{MigrationState::kClaiming}, ClaimedRecord{2, false, false, true}}) {
    behind.push_back(record);
  }
  EXPECT_TRUE(readJournal(asBytes(write(behind)))->turned);
  behind.push_back(ClaimedRecord{3, false, false, false});  // and never turns again
  EXPECT_EQ(readJournal(asBytes(write(behind))).code(), ErrorCode::kJournalCorrupt);
  FinishedRecord finished;
  finished.receipt.state = MigrationState::kDone;
  finished.receipt.mode = MigrationMode::kLive;
  finished.receipt.level = GuaranteeLevel::kL4;
  finished.receipt.reversed = true;
  behind.back() = finished;
  EXPECT_TRUE(readJournal(asBytes(write(behind)))->receipt->reversed);
  EXPECT_EQ(readJournal(asBytes(write(behind)))->receipt->windowError, ErrorCode::kOk);
  finished.receipt.reversed = false;
  finished.receipt.windowError = ErrorCode::kFeedPositionLost;
  behind.back() = finished;
  EXPECT_EQ(readJournal(asBytes(write(behind)))->receipt->windowError, ErrorCode::kFeedPositionLost);
  EXPECT_FALSE(readJournal(asBytes(write(behind)))->receipt->reversed);
  EXPECT_FALSE(readJournal(asBytes(write(behind)))->receipt->sourceGivenUp);
  for (const uint64_t staleUs : {uint64_t{0}, uint64_t{1}, uint64_t{300'000}, kStaleReadsUnknown}) {
    finished.receipt.staleReadsUs = staleUs;
    behind.back() = finished;
    const Result<JournalImage> image = readJournal(asBytes(write(behind)));
    EXPECT_EQ(image->receipt->staleReadsUs, staleUs);
    EXPECT_EQ(image->receipt->windowError, ErrorCode::kFeedPositionLost);
    EXPECT_FALSE(image->receipt->sourceGivenUp);
  }
  finished.receipt.sourceGivenUp = true;
  behind.back() = finished;
  EXPECT_TRUE(readJournal(asBytes(write(behind)))->receipt->sourceGivenUp);
}

// What a window is asked for beyond the way back, and when it ends.
TEST(Journal, KnowsTheEndOfAWindow) {
  using enum MigrationState;
  std::vector<Record> records = storyOfAWayBack();
  records.resize(21);  // open
  const auto with = [&records](std::initializer_list<Record> more) {
    std::vector<Record> all = records;
    all.insert(all.end(), more.begin(), more.end());
    return readJournal(asBytes(write(all)));
  };
  EXPECT_EQ(with({})->windowEndsUnixMs, 0U);
  EXPECT_EQ(with({WindowRecord{1'800'000'000'000}})->windowEndsUnixMs, 1'800'000'000'000U);
  EXPECT_EQ(with({WindowRecord{5}, WindowRecord{0}})->windowEndsUnixMs, 0U);
  EXPECT_EQ(with({WindowRecord{UINT64_MAX}}).code(), ErrorCode::kJournalCorrupt);
  const StoppedRecord givenUp{ErrorCode::kSourceGivenUp, {}};
  EXPECT_FALSE(with({PhaseRecord{kAborting}})->sourceGivenUp);
  EXPECT_TRUE(with({givenUp, PhaseRecord{kAborting}})->sourceGivenUp);
  EXPECT_EQ(with({givenUp, PhaseRecord{kAborting}})->abortedFor, ErrorCode::kSourceGivenUp);
  // Its time was over before.
  const auto late = with({PhaseRecord{kAborting}, PhaseRecord{kUnfencing}, PhaseRecord{kStaging}, givenUp, PhaseRecord{kClosing}});
  EXPECT_TRUE(late->sourceGivenUp);
  EXPECT_EQ(late->abortedFor, ErrorCode::kOk);
  EXPECT_FALSE(late->stopped.has_value());
  // Without a window there is none to end.
  std::vector<Record> without = records;
  std::get<PlanRecord>(without[0]).plan.reverseWindowMs = 0;
  without.push_back(WindowRecord{5});
  EXPECT_EQ(readJournal(asBytes(write(without))).code(), ErrorCode::kJournalCorrupt);
}

// Level 5: the records of where both sides were equal. Of the way back only the last one is told, and
// the one of the way there is kept.
TEST(Journal, KnowsThePositionThatWasDecidedOn) {
  using enum MigrationState;
  std::vector<Record> records = storyOfAWayBack();
  std::get<PlanRecord>(records[0]).plan.require = GuaranteeLevel::kL5;
  std::get<PlanRecord>(records[0]).level = GuaranteeLevel::kL5;
  VerifiedRecord there;
  there.equal = true;
  there.source.lo = there.target.lo = 77;
  there.position = "s9";
  there.epoch = 2;
  const auto draining = std::find_if(records.begin(), records.end(), [](const Record& record) {
    const auto* phase = std::get_if<PhaseRecord>(&record);
    return phase != nullptr && phase->state == kDraining;
  });
  const auto at = records.insert(draining + 1, there) - records.begin();
  const auto after = [&](long count) {
    return readJournal(asBytes(write({records.begin(), records.begin() + count})));
  };
  EXPECT_EQ(after(at + 1)->verified->position, "s9");
  EXPECT_EQ(after(at + 1)->verified->epoch, 2U);
  EXPECT_FALSE(after(at + 2)->decided);  // deciding
  EXPECT_TRUE(after(at + 3)->decided);   // activating
  const auto all = after(static_cast<long>(records.size()));
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(all->decided);
  EXPECT_EQ(all->cutover->position, "s9");
  EXPECT_EQ(all->cutover->source.lo, 77U);
  FinishedRecord finished;
  finished.receipt.state = kDone;
  finished.receipt.mode = MigrationMode::kLive;
  finished.receipt.level = GuaranteeLevel::kL5;
  finished.receipt.verified = true;
  finished.receipt.windowError = ErrorCode::kFeedPositionLost;
  finished.receipt.position = std::string("\0s", 2);
  finished.receipt.epoch = 1U << 20;
  records.push_back(finished);
  const Receipt receipt = *after(static_cast<long>(records.size()))->receipt;
  EXPECT_EQ(receipt.position, std::string("\0s", 2));
  EXPECT_EQ(receipt.epoch, 1U << 20);
  EXPECT_EQ(receipt.windowError, ErrorCode::kFeedPositionLost);
  EXPECT_NE(describeJournal(asBytes(write(records))).find("\"position\":\"s9\",\"epoch\":2"), std::string::npos);
}

TEST(Journal, EveryTruncationIsAShorterJournalOrATornOne) {
  std::vector<size_t> ends;
  const std::string bytes = write(story(), &ends);
  for (size_t length = 0; length < bytes.size(); ++length) {
    const auto image = readJournal(asBytes(bytes).first(length));
    if (length < ends[1]) {  // plan and preparation are one append
      EXPECT_EQ(image.code(), ErrorCode::kJournalTorn) << length;
      continue;
    }
    ASSERT_TRUE(image.ok()) << length;
    const bool clean = std::find(ends.begin(), ends.end(), length) != ends.end();
    EXPECT_EQ(image->torn, !clean) << length;
    EXPECT_EQ(image->validBytes, *std::prev(std::upper_bound(ends.begin(), ends.end(), length)));
  }
}

TEST(Journal, EveryBitFlipIsFound) {
  std::vector<size_t> ends;
  std::string bytes = write(story(), &ends);
  const size_t lastRecord = ends[ends.size() - 2];
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const auto image = readJournal(asBytes(bytes));
    if (bit / 8 < lastRecord) {
      EXPECT_FALSE(image.ok()) << bit;
    } else {
      EXPECT_TRUE(!image.ok() || (image->torn && image->validBytes == lastRecord)) << bit;
    }
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
  }
}

TEST(Journal, ATailOfZerosIsTorn) {
  const std::string bytes = write(story()) + std::string(500, '\0');
  const auto image = readJournal(asBytes(bytes));
  ASSERT_TRUE(image.ok());
  EXPECT_TRUE(image->torn);
}

TEST(Journal, ARecordThatArrivedInPartBeforeZerosIsTorn) {
  std::vector<size_t> ends;
  const std::string good = write(story(), &ends);
  for (size_t arrived = ends[1] + 1; arrived < good.size(); ++arrived) {
    const std::string padded = good.substr(0, arrived) + std::string(4096, '\0');
    const auto image = readJournal(asBytes(padded));
    ASSERT_TRUE(image.ok()) << arrived << ' ' << errorName(image.code());
    EXPECT_TRUE(image->torn) << arrived;
    // A record may end in zeros itself: what counts is that no byte is made up.
    const auto valid = static_cast<size_t>(image->validBytes);
    EXPECT_EQ(padded.substr(0, valid), good.substr(0, valid)) << arrived;
  }
}

TEST(Journal, AHeaderThatArrivedInPartBeforeZerosIsTorn) {
  const std::string good = write(story());
  for (size_t arrived = 0; arrived < kJournalHeaderBytes; ++arrived) {
    for (const size_t zeros : {1U, 20U, 4096U}) {
      const std::string padded = good.substr(0, arrived) + std::string(zeros, '\0');
      EXPECT_EQ(readJournal(asBytes(padded)).code(), ErrorCode::kJournalTorn) << arrived;
    }
  }
  // With something behind them they are damage.
  std::string bytes = good;
  for (size_t i = 2; i < kJournalHeaderBytes; ++i) bytes[i] = '\0';
  EXPECT_EQ(readJournal(asBytes(bytes)).code(), ErrorCode::kJournalNotAJournal);
}

// Wherever the first append is torn, nothing was begun; a file of somebody else's is not taken for that.
TEST(Journal, AFirstAppendThatArrivedInPartBeforeZerosIsTorn) {
  std::vector<size_t> ends;
  const std::string good = write(story(), &ends);
  for (size_t arrived = 0; arrived < ends[1]; ++arrived) {
    for (const size_t length : {arrived, ends[1], ends[1] + 4096}) {
      std::string padded = good.substr(0, arrived);
      padded.resize(std::max(arrived, length), '\0');
      // Its last bytes may be zeros themselves: then all of it is there.
      const bool whole = padded.compare(0, ends[1], good, 0, ends[1]) == 0;
      const auto image = readJournal(asBytes(padded));
      EXPECT_EQ(image.code(), whole ? ErrorCode::kOk : ErrorCode::kJournalTorn) << arrived << " of " << length;
    }
  }
  for (size_t at = 0; at < kJournalHeaderBytes; ++at) {
    std::string other = good.substr(0, at) + std::string(1, static_cast<char>(good[at] ^ 2)) + std::string(500, '\0');
    EXPECT_NE(readJournal(asBytes(other)).code(), ErrorCode::kJournalTorn) << at;
  }
}

TEST(Journal, ZerosBetweenRecordsAreDamage) {
  std::vector<size_t> ends;
  std::string bytes = write(story(), &ends);
  for (size_t i = ends[3]; i < ends[4]; ++i) bytes[i] = '\0';
  EXPECT_EQ(readJournal(asBytes(bytes)).code(), ErrorCode::kJournalCorrupt);
}

TEST(Journal, ImpossibleStoriesAreRefused) {
  const std::vector<Record> good = story();
  const auto refused = [](std::vector<Record> records) {
    return readJournal(asBytes(write(records))).code() == ErrorCode::kJournalCorrupt;
  };
  EXPECT_TRUE(refused({good[1], good[0]}));                    // no plan first
  EXPECT_TRUE(refused({good[0], good[0]}));                    // two plans
  EXPECT_TRUE(refused({good[0], good[2]}));                    // not prepared
  EXPECT_TRUE(refused({good[0], good[1], good[3]}));           // a checkpoint outside of copying
  EXPECT_TRUE(refused({good[0], good[1], good[2], good[3], good[3]}));  // not ahead
  EXPECT_TRUE(refused({good[0], good[1], good[2], good[7], good[3]}));  // after the end
  EXPECT_TRUE(refused({good[0], good[1], PhaseRecord{MigrationState::kDeleting}}));
  CheckpointRecord outside;
  outside.upto = "z";
  EXPECT_TRUE(refused({good[0], good[1], good[2], outside}));
  outside.upto = "b";
  outside.range = 1;
  EXPECT_TRUE(refused({good[0], good[1], good[2], outside}));
  // States that take for granted what did not happen.
  for (const auto state : {MigrationState::kVerifying, MigrationState::kCatchingUp,
                           MigrationState::kDeleting, MigrationState::kRepairing}) {
    EXPECT_TRUE(refused({good[0], good[1], PhaseRecord{state}})) << stateName(state);
    EXPECT_TRUE(refused({good[0], good[1], good[2], PhaseRecord{state}})) << stateName(state);
  }
  std::vector<Record> longer = good;
  longer.push_back(ResumedRecord{3});
  EXPECT_TRUE(refused(longer));  // after the receipt
}

TEST(Journal, OtherFilesAndVersionsAreRefusedAsSuch) {
  EXPECT_EQ(readJournal(asBytes("hello, this is text")).code(), ErrorCode::kJournalNotAJournal);
  EXPECT_EQ(readJournal({}).code(), ErrorCode::kJournalTorn);
  std::string future = write(story());
  future[4] = 2;
  storeLe(future.data() + 12, crc32c(std::string_view(future).substr(0, 12)));
  EXPECT_EQ(readJournal(asBytes(future)).code(), ErrorCode::kJournalVersion);
}

TEST(Journal, GoesOnBehindAValidPrefix) {
  std::vector<Record> records = story();
  std::string bytes = write({records.begin(), records.begin() + 5});
  const auto image = readJournal(asBytes(bytes));
  JournalWriter writer(image->chain);
  for (size_t i = 5; i < records.size(); ++i) writer.append(records[i], bytes);
  EXPECT_EQ(bytes, write(records));
}

}  // namespace
}  // namespace keyhaul::test
