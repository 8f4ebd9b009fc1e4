#include "stage.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include "plan_words.h"
#include "print.h"
#include "text.h"

namespace keyhaul::transcript {

std::string Stage::run(std::string_view line) {
  out_.clear();
  Words args = words(line);
  if (args.empty()) scriptError("a command is missing");
  const std::string name = args[0];
  args.erase(args.begin());
  const std::pair<std::string_view, void (Stage::*)(const Words&)> commands[] = {
      {"config", &Stage::config}, {"node", &Stage::node},       {"start", &Stage::start},
      {"resume", &Stage::resume}, {"rate", &Stage::rate},       {"inspect", &Stage::inspect},
      {"receipt", &Stage::receipt}, {"journal", &Stage::journal}, {"tear", &Stage::tear},
      {"page", &Stage::page},     {"done", &Stage::done},       {"failed", &Stage::failed},
      {"step", &Stage::step}};
  for (const auto& [known, command] : commands) {
    if (known != name) continue;
    (this->*command)(args);
    return std::exchange(out_, {});
  }
  if (name == "stats") {
    stats();
  } else if (name == "crash") {
    crash();
  } else if (name == "quickjournal") {
    quickJournal_ = true;
  } else {
    control(name, args);
  }
  return std::exchange(out_, {});
}

Engine& Stage::engine() {
  if (!engine_) begin();
  return *engine_;
}

void Stage::begin() {
  auto made = Engine::create(config_);
  if (!made.ok()) scriptError("the engine refuses this configuration");
  engine_.emplace(std::move(made).value());
  for (Node& node : nodes_) node.id = engine_->addNode(node.name).value();
}

bool Stage::refused(Status status) {
  if (!status.ok()) line("refused: " + std::string(errorName(status.code())));
  return !status.ok();
}

Stage::Node& Stage::nodeOf(std::string_view name) {
  for (Node& node : nodes_) {
    if (node.name == name) return node;
  }
  scriptError("no node " + std::string(name));
}

Stage::Run& Stage::runOf(std::string_view name) {
  if (!name.starts_with('m')) scriptError("a migration is m1, m2, …: " + std::string(name));
  const uint64_t number = parseNumber(name.substr(1));
  if (number == 0 || number > runs_.size()) scriptError("no migration " + std::string(name));
  return runs_[number - 1];
}

std::string Stage::nameOf(MigrationId id) const {
  for (size_t i = runs_.size(); i > 0; --i) {
    if (runs_[i - 1].id == id) return "m" + std::to_string(i);
  }
  return "m?";
}

std::string Stage::nameOf(NodeId id) const {
  for (const Node& node : nodes_) {
    if (node.id == id) return node.name;
  }
  return "?";
}

// config NAME=NUMBER …: before the engine is first used.
void Stage::config(const Words& args) {
  if (engine_) scriptError("config comes first");
  const std::pair<std::string_view, uint32_t*> numbers[] = {
      {"slots", &config_.slots},
      {"sourceSlots", &config_.sourceSlots},
      {"targetSlots", &config_.targetSlots},
      {"retriesMax", &config_.retriesMax},
      {"verifyRoundsMax", &config_.verifyRoundsMax},
      {"differencesMax", &config_.differencesMax}};
  for (const std::string& arg : args) {
    const size_t equals = std::min(arg.find('='), arg.size());
    const std::string_view name = std::string_view(arg).substr(0, equals);
    const uint64_t value = parseNumber(std::string_view(arg).substr(std::min(equals + 1, arg.size())));
    const auto* at = std::find_if(std::begin(numbers), std::end(numbers),
                                  [&](const auto& number) { return number.first == name; });
    if (at != std::end(numbers)) {
      *at->second = static_cast<uint32_t>(value);
    } else if (name == "bytesPerSecond") {
      config_.bytesPerSecond = value;
    } else if (name == "progressEveryMs") {
      config_.progressEvery = milliseconds(value);
    } else if (name == "checkpointEveryMs") {
      config_.checkpointEvery = milliseconds(value);
    } else if (name == "stallMs") {
      config_.stallBase = milliseconds(value);
    } else {
      scriptError("the configuration knows no " + arg);
    }
  }
}

// node NAME [feed] [stats]
void Stage::node(const Words& args) {
  if (args.empty()) scriptError("a node needs a name");
  Node node{args[0], {}, {}};
  node.capabilities.bits =
      static_cast<uint32_t>(Capability::kScan) | static_cast<uint32_t>(Capability::kApply);
  for (size_t i = 1; i < args.size(); ++i) {
    if (args[i] != "feed" && args[i] != "stats") scriptError("a node knows no " + args[i]);
    node.capabilities.bits |=
        static_cast<uint32_t>(args[i] == "feed" ? Capability::kFeed : Capability::kStats);
  }
  node.id = engine().addNode(node.name).value();
  nodes_.push_back(node);
}

void Stage::started(const Result<MigrationId>& id, size_t journal) {
  if (refused(id.status())) return;
  runs_.push_back({id.value(), journal});
  const auto level = static_cast<uint32_t>(engine().receipt(id.value())->level);
  line("m" + std::to_string(runs_.size()) + ", level " + std::to_string(level));
}

// start SOURCE TARGET [OPTION …]
void Stage::start(const Words& args) {
  if (args.size() < 2) scriptError("start needs a source and a target");
  const Node& source = nodeOf(args[0]);
  const Node& target = nodeOf(args[1]);
  Plan plan;
  plan.source = source.name;
  plan.target = target.name;
  plan.sourceCapabilities = source.capabilities;
  plan.targetCapabilities = target.capabilities;
  // A secret in real life; here the digests are to be the same in each run.
  for (size_t i = 0; i < plan.digestKey.size(); ++i) plan.digestKey[i] = static_cast<std::byte>(i);
  applyPlanWords(std::span(args).subspan(2), plan);
  auto valid = validatePlan(std::move(plan));
  if (refused(valid.status())) return;
  journals_.emplace_back();
  started(engine().start(now_, std::move(valid).value(), source.id, target.id, true),
          journals_.size() - 1);
}

// resume MIGRATION SOURCE TARGET: from its journal, as another process would.
void Stage::resume(const Words& args) {
  if (args.size() != 3) scriptError("resume needs a migration, a source and a target");
  const size_t journal = runOf(args[0]).journal;
  std::string& file = journals_[journal];
  auto image = readJournal(std::as_bytes(std::span(file)));
  if (refused(image.status())) return;
  if (image->torn) {
    line("cut off " + counted(file.size() - image->validBytes, "byte") + " of a torn record");
    file.resize(image->validBytes);
  }
  started(engine().resume(now_, std::move(image).value(), nodeOf(args[1]).id, nodeOf(args[2]).id),
          journal);
}

void Stage::control(const std::string& verb, const Words& args) {
  const std::pair<std::string_view, Status (Engine::*)(MigrationId)> verbs[] = {
      {"pause", &Engine::pause},   {"unpause", &Engine::unpause}, {"stop", &Engine::stop},
      {"cancel", &Engine::cancel}, {"finish", &Engine::finish},   {"forget", &Engine::forget}};
  for (const auto& [name, function] : verbs) {
    if (name != verb) continue;
    if (args.size() != 1) scriptError(verb + " needs a migration");
    static_cast<void>(refused((engine().*function)(runOf(args[0]).id)));
    return;
  }
  scriptError("no command " + verb);
}

// rate MIGRATION|all BYTES_PER_SECOND
void Stage::rate(const Words& args) {
  if (args.size() != 2) scriptError("rate needs a migration or all, and bytes a second");
  const MigrationId id = args[0] == "all" ? MigrationId{} : runOf(args[0]).id;
  static_cast<void>(refused(engine().setRate(now_, id, parseNumber(args[1]))));
}

void Stage::inspect(const Words& args) {
  if (args.size() != 1) scriptError("inspect needs a migration");
  const auto view = engine().inspect(now_, runOf(args[0]).id);
  line(view ? viewText(*view) : "unknown");
}

void Stage::receipt(const Words& args) {
  if (args.size() != 1) scriptError("receipt needs a migration");
  const auto receipt = engine().receipt(runOf(args[0]).id);
  line(receipt ? receiptText(*receipt) : "unknown");
}

// journal MIGRATION: as `keyhaul inspect` prints it.
void Stage::journal(const Words& args) {
  if (args.size() != 1) scriptError("journal needs a migration");
  out_ += describeJournal(std::as_bytes(std::span(journals_[runOf(args[0]).journal])));
}

void Stage::stats() {
  line(counted(engine().staleCompletions(), "stale completion") + ", " +
       counted(engine().bufferBytes(), "byte") + " in buffers");
}

// The process ends at once: what the journal says is all that is left.
void Stage::crash() {
  for (Run& run : runs_) run.id = {};
  for (Operation& operation : operations_) {
    operation.id = {};
    operation.journal.clear();
  }
  events_.clear();
  begin();
}

// tear MIGRATION BYTES: that many bytes of its journal never reached the disk.
void Stage::tear(const Words& args) {
  if (args.size() != 2) scriptError("tear needs a migration and a number of bytes");
  std::string& file = journals_[runOf(args[0]).journal];
  const uint64_t bytes = parseNumber(args[1]);
  if (bytes > file.size()) scriptError("the journal is shorter than that");
  file.resize(file.size() - bytes);
}

}  // namespace keyhaul::transcript
