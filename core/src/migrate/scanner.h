// Reads a range of one store page by page, ahead of whoever consumes the pages,
// and believes nothing: order, bounds, sizes and END are checked on each page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "keyhaul/digest.h"
#include "keyhaul/frame.h"
#include "migrate/page_pass.h"
#include "migrate/port.h"

namespace keyhaul {

struct Page {
  BufferRef buffer;  // sealed frame: header + body
  FrameView view;
  OpId op;           // the scan it came from
  bool end = false;  // nothing of the range lies behind it
  std::string_view lastKey;  // in the buffer
  Digest digest;             // of its entries, where the limits have a hasher
};

class Scanner {
 public:
  struct Limits {
    uint32_t entries = 0;
    uint64_t bytes = 0;
    uint32_t windowPages = 2;  // read ahead; never fewer than two, nor more than kLargePagesMost of large ones
    uint64_t entryBytesMax = 0;
    ChecksumKind checksumKind = ChecksumKind::kNone;
    const EntryHasher* hasher = nullptr;
    bool keep = false;       // pages will be written on as they are
    bool throttled = false;  // counts against the bytes/s limits
    bool hurry = false;      // but does not wait for them
  };

  // `migrationBucket` may be null.
  void start(NodeId node, OpTag tag, const KeyRange& range, const Limits& limits,
             TokenBucket* migrationBucket);
  // Right after start(): what lies below is left out.
  void skipTo(KeyView lo) { rest_.lo = lo; }
  // Issues the next read where window and rate allow; also retries and stalls.
  // Anything but Ok stops the migration.
  Status pump(Port& port);
  bool owns(OpId op) const { return op_ == op && op; }
  bool reading() const { return static_cast<bool>(op_); }
  Status onEvent(Port& port, const Event& event);

  // The next page, once it is known whether another one follows. Null: wait, or done().
  Page* front();
  void pop(Port& port);
  // All pages were consumed.
  bool done() const { return ended_ && pages_.empty() && consumedEnd_; }
  void stop(Port& port);

  NodeId node() const { return node_; }
  // Since the first start, or since they were forgotten.
  uint64_t retries() const { return retries_; }
  void forgetRetries() { retries_ = 0; }

 private:
  Status accept(Port& port, const Event& event);
  Status failed(Port& port, ErrorCode error);
  bool areEnough() const;  // large ones

  NodeId node_;
  OpTag tag_;
  KeyRange rest_;  // not read yet
  Limits limits_;
  TokenBucket* bucket_ = nullptr;
  OpId op_;
  std::vector<Page> pages_;  // windowPages at most: a few hundred bytes to move, no heap
  bool ended_ = false;
  bool consumedEnd_ = false;
  bool active_ = false;
  uint32_t failures_ = 0;  // in a row
  Instant retryAt_{0};
  uint64_t retries_ = 0;
  uint64_t sequence_ = 0;
};

// How long to wait after so many failures in a row: doubles, bounded.
Duration retryDelay(const Config& config, uint32_t failures);

}  // namespace keyhaul
