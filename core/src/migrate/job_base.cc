#include "migrate/job_base.h"

#include <utility>

namespace keyhaul {

void JobBase::fail(Port& port, ErrorCode error, NodeId node, std::string_view text) {
  if (isFinal(state_) || state_ == MigrationState::kStopped || ending_ == Ending::kFail) return;
  error_ = error;
  errorNode_ = node;
  errorText_ = std::string(text.substr(0, 4'096));
  ending_ = Ending::kFail;
  concluding_ = MigrationState::kPending;
  port.wakeAt(port.now());
}

void JobBase::showProgress(Port& port) {
  rate_.update(port.now(), shared_.doneBytes);
  if (port.now() < progressAt_ + port.config().progressEvery) return;
  progressAt_ = port.now();
  port.noticeProgress(state_);
}

std::vector<LeafCheck::Suspect> JobBase::wholePlan() const {
  std::vector<LeafCheck::Suspect> parts;
  parts.reserve(spec().ranges.size());
  for (uint32_t i = 0; i < spec().ranges.size(); ++i) parts.push_back({i, spec().ranges[i]});
  return parts;
}

bool JobBase::closeFeed(Port& port, std::string_view position) {
  if (feedClosed_) return true;
  if (!closeFeed_) {
    closeFeed_ = port.closeFeed(shared_.source, tagOf(MigrationPart::kPrepare), position);
  }
  if (port.waits(closeFeed_)) return false;
  port.noticeWarning(ErrorCode::kStoreStalled, shared_.source);
  feedClosed_ = true;
  return true;
}

void JobBase::writeConclusion(Port& port, bool recorded) {
  if (!conclusionWritten_ && recorded) {
    if (concluding_ == MigrationState::kStopped) {
      shared_.journal.add(StoppedRecord{error_, errorText_});
    } else {
      FinishedRecord record;
      record.receipt = receipt();
      record.receipt.state = concluding_;
      shared_.journal.add(record);
    }
  }
  if (!std::exchange(conclusionWritten_, true)) {
    if (Status s = shared_.journal.pump(port); !s.ok()) return fail(port, s.code(), {}, {});
  }
  if (!shared_.journal.flushed()) return;
  state_ = std::exchange(concluding_, MigrationState::kPending);
  announce(port, state_);
}

Receipt JobBase::receipt() const {
  Receipt receipt;
  receipt.state = state_;
  receipt.mode = spec().mode;
  receipt.level = shared_.plan.level();
  receipt.verified = verified_;
  receipt.source = sourceDigest_;
  receipt.target = targetDigest_;
  receipt.totals = shared_.totals;
  return receipt;
}

MigrationView JobBase::viewSoFar() const {
  MigrationView view;
  view.state = state_;
  view.paused = paused_;
  view.error = error_;
  view.level = shared_.plan.level();
  view.verified = verified_;
  view.entries = shared_.doneEntries;
  view.bytes = shared_.doneBytes;
  if (state_ == MigrationState::kCopying) {
    view.totalEntries = spec().expectedEntries != 0 ? spec().expectedEntries : estimatedEntries_;
    view.totalBytes = spec().expectedBytes != 0 ? spec().expectedBytes : estimatedBytes_;
  }
  view.bytesPerSecond = rate_.perSecond();
  return view;
}

}  // namespace keyhaul
