// An engine on a stage: a script says what completes and when, and sees what the
// engine answers. Nothing is carried out here; the script is the host.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keyhaul/engine.h"

namespace keyhaul::transcript {

class Stage {
 public:
  // Carries out one command; gives its output, each line ended by \n.
  std::string run(std::string_view line);

 private:
  using Words = std::vector<std::string>;
  struct Node {
    std::string name;
    Capabilities capabilities;
    NodeId id;
  };
  // What is written m1.scan1, m1.scan2, m2.scan1, … in scripts: numbered by migration and
  // kind, so that one action more or less renames few others.
  struct Operation {
    std::string name;
    OpId id;              // null: of an engine that is gone
    std::string journal;  // what its completion makes durable
    size_t run = 0;
    ActionKind kind = ActionKind::kScan;
  };
  // What is written m1, m2, …
  struct Run {
    MigrationId id;  // null: of an engine that is gone
    size_t journal = 0;
  };

  // Control (stage.cc).
  void config(const Words& args);
  void node(const Words& args);
  void start(const Words& args);
  void resume(const Words& args);
  void control(const std::string& verb, const Words& args);
  void rate(const Words& args);
  void inspect(const Words& args);
  void receipt(const Words& args);
  void journal(const Words& args);
  void stats();
  void crash();
  void tear(const Words& args);

  // The data path (stage_step.cc).
  void page(const Words& args);
  void done(const Words& args);
  void failed(const Words& args);
  void step(const Words& args);
  void answerJournals();
  void print(const Notice& notice);
  void print(const Action& action);
  std::string actionText(const Action& action) const;
  Operation& named(const Action& action);
  std::string journalText(size_t run, std::string_view payload) const;

  Engine& engine();
  void begin();  // a new engine with the same nodes
  void line(const std::string& text) { out_ += text + "\n"; }
  // "refused: CODE", where it is one.
  bool refused(Status status);
  void started(const Result<MigrationId>& id, size_t journal);
  Node& nodeOf(std::string_view name);
  Run& runOf(std::string_view name);
  Operation& operationOf(std::string_view name);
  std::string nameOf(NodeId id) const;
  std::string nameOf(MigrationId id) const;
  std::string nameOf(OpId id) const;
  std::string_view textOf(const BufferRef& ref) const;
  BufferRef copyIn(std::string_view bytes);

  Config config_;
  mutable std::optional<Engine> engine_;  // bytes() is not const; it changes nothing
  Instant now_;
  std::vector<Node> nodes_;
  std::vector<Run> runs_;
  std::vector<std::string> journals_;
  std::vector<Operation> operations_;
  std::vector<Event> events_;
  bool quickJournal_ = false;  // appends are done as soon as they are asked for
  std::string out_;
};

}  // namespace keyhaul::transcript
