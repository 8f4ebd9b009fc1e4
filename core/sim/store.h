// A store behind the network: an ordered map with a log of changes. What is visible is
// durable, but for writes of a migration that did not ask for it: those are undone, from
// the last one backwards, when it dies before the next sync.
//
// Each incarnation of a job greets its stores first; from then on writes of older ones
// are refused. A write is carried out at most once a session, and after a restart no
// session goes on: whoever wrote must look at what survived.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "change_log.h"
#include "disk.h"
#include "job.h"
#include "keyhaul/frame.h"
#include "node.h"
#include "oracle.h"

namespace keyhaul::sim {

class StoreNode : public Node {
 public:
  StoreNode(World& world, uint16_t id, std::string name);
  void onMessage(Message message) override;
  void onTimer(uint8_t what, uint64_t arg) override;

  // The world's view.
  const std::string& name() const { return name_; }
  const Entries& entries() const { return entries_; }
  const ChangeLog& log() const { return log_; }
  void setUp(const std::string& key, const std::string& value);
  // Would it be there after a crash at this moment?
  bool holdsDurably(std::string_view key, std::string_view value) const;
  bool lacksDurably(std::string_view key) const;
  bool isRotten(std::string_view key) const { return rotten_.count(key) != 0; }
  bool everRotted() const { return everRotted_; }
  Disk& disk() { return disk_; }
  const Disk& disk() const { return disk_; }
  void forgetHalfTheLog() { log_.forgetHalf(); }
  // Does it hold nothing of its own, but what migrations have brought that are far from their end?
  bool isSpare() const;
  bool lostDisk() const { return bornUs != 0; }

 protected:
  enum What : uint8_t { kCommit = 1 };
  struct Session {
    uint64_t number = 0;              // durable
    bool lost = false;                // it restarted since
    std::set<uint64_t> queued;        // calls that wait for their commit
    std::map<uint64_t, Message> replies;  // of calls that change something
  };
  struct ClientState {
    uint64_t lastCall = 0;  // durable
    Message reply;
  };
  struct Undo {
    std::string key;
    std::optional<std::string> before;
    uint64_t group = 0;  // those of one apply go together
    uint64_t bytes = 0;
  };

  void onCrash() override;
  bool losesDisk() const;
  void wipe();
  bool losesPrefix(uint64_t& surviving);
  void losesAny();
  static bool isRead(MessageKind kind);
  static bool isOfClient(MessageKind kind);

  // Calls (store.cc).
  bool admits(const Message& message);
  bool admitsClient(const Message& message);
  void enqueue(Message message);
  void beginCommit();
  void commit();
  virtual void finish(const Message& call, Message reply, bool send);
  bool needsSync(const Message& message) const;
  uint64_t rehearsedUs(const Message& message) const;
  // In a rehearsal, where it is known: how long this call takes to be answered.
  std::optional<AnswerTime> answerTime(const Message& call) const;
  uint64_t readingUs(const Message& call, const Message& reply);
  virtual Message execute(const Message& message, bool synced);
  ErrorCode executeApply(const Message& message, bool synced, uint32_t& left);
  // Of an entry that counts only where it is newer than what is there.
  enum class Standing : uint8_t { kNewer, kSame, kOlder };
  Standing standing(std::string_view key, std::string_view value) const;
  // Of what a migration brings; a delete has no version, and others may have written what it would take away.
  Standing standing(const EntryView& entry) const;
  ErrorCode greet(const Message& message);
  void openFeed(const Message& message, Message& reply);
  void change(std::string_view key, const std::string* after, ChangeCause cause, uint32_t party,
              bool synced);
  void note(const StoreChange& change, bool synced);
  // What a disk does to a value that a migration has just written.
  void maybeHarm(std::string_view key, uint32_t party);
  void maybeRot(std::string_view key, uint32_t party);
  void maybeMisdirect(std::string_view key, uint32_t party);
  void rot(std::string_view key, const std::string* value, uint32_t party);
  // Sabotage: what is written under this key instead of it.
  std::string valueOf(const EntryView& entry);
  Message replyTo(const Message& message) const;
  Message failed(const Message& message, ErrorCode error) const;

  // Reads (store_reads.cc).
  void read(const Message& message);
  void scan(const Message& message, Message& reply);
  bool readsStale(const Message& message);
  void poll(const Message& message, Message& reply);
  void estimate(const Message& message, Message& reply);
  void readKeys(const Message& message, Message& reply);
  struct Row {
    const std::string* key = nullptr;
    const std::string* value = nullptr;  // null: a delete
  };
  static void pack(const std::vector<Row>& rows, Message& reply);
  // What a migration reads of an entry; null: it does not see it yet.
  virtual const std::string* seen(const std::string& key, const std::string& value) const {
    static_cast<void>(key);
    return &value;
  }

  std::string name_;
  Entries entries_;
  ChangeLog log_;
  Disk disk_;
  Prng prng_, rotPrng_, misdirectPrng_, lossPrng_, stalePrng_;
  std::map<std::string, std::optional<std::string>, std::less<>> before_;  // the last change that a migration made
  std::deque<Message> queue_;
  std::vector<Message> batch_;  // being synced
  ErrorCode batchError_ = ErrorCode::kOk;
  bool committing_ = false;
  std::map<uint32_t, Session> sessions_;
  std::map<uint32_t, ClientState> clients_;
  std::vector<Undo> unsynced_;
  uint64_t group_ = 0;
  uint64_t readsUntilUs_ = 0;  // of rehearsals: one read after the other
  std::set<std::string, std::less<>> rotten_;
  bool everRotted_ = false;
  std::string lastValue_;  // of a sabotage
};

}  // namespace keyhaul::sim
