// keyhaul_sim: the simulator's command. Exit codes are those of the keyhaul command: 0 done,
// 1 error, 2 usage, 3 something was found.
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "linearize/check_text.h"

namespace {

enum Exit : int { kDone = 0, kError = 1, kUsage = 2, kFound = 3 };

struct FileClose {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

std::optional<std::string> readFile(const char* path) {
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen(path, "rb"));
  if (file == nullptr) return std::nullopt;
  std::string text;
  char part[1 << 16];
  for (size_t read = 0; (read = std::fread(part, 1, sizeof part, file.get())) > 0;) {
    text.append(part, read);
  }
  if (std::ferror(file.get()) != 0) return std::nullopt;
  return text;
}

int checkHistory(const char* path) {
  const auto text = readFile(path);
  if (!text) {
    std::fprintf(stderr, "error: %s: cannot be read; give the path of a history\n", path);
    return kError;
  }
  const keyhaul::sim::TextVerdict verdict = keyhaul::sim::checkText(*text);
  if (!verdict.error.empty()) {
    std::fprintf(stderr, "error: %s: %s\n", path, verdict.error.c_str());
    return kError;
  }
  const std::string name(keyhaul::sim::answerName(verdict.answer));
  std::printf("%s\n%s", name.c_str(), verdict.witness.c_str());
  switch (verdict.answer) {
    case keyhaul::sim::Answer::kLinearizable:
      return kDone;
    case keyhaul::sim::Answer::kNotLinearizable:
      return kFound;
    case keyhaul::sim::Answer::kUnknown:
      std::fprintf(stderr, "error: %s: given up after %llu steps; check a shorter history\n", path,
                   static_cast<unsigned long long>(verdict.steps));
      return kError;
  }
  return kError;
}

// One row a task.
struct Task {
  const char* flag;
  const char* argument;
  const char* what;
  int (*run)(const char* argument);
};

constexpr Task kTasks[] = {
    {"--check-history", "FILE", "is this history linearizable? 3 if not, with a witness",
     checkHistory},
};

int usage(std::FILE* out) {
  std::fputs("usage: keyhaul_sim FLAG\n", out);
  for (const Task& task : kTasks) {
    std::fprintf(out, "  %s %s\n      %s\n", task.flag, task.argument, task.what);
  }
  return out == stdout ? kDone : kUsage;
}

}  // namespace

int main(int count, char** arguments) {
  // As the npm command is called, so that what one prints can be given to the other.
  std::span<char*> given(arguments + 1, static_cast<size_t>(count > 0 ? count - 1 : 0));
  if (!given.empty() && std::strcmp(given[0], "sim") == 0) given = given.subspan(1);
  if (given.size() == 1 && std::strcmp(given[0], "--help") == 0) return usage(stdout);
  for (const Task& task : kTasks) {
    if (given.size() == 2 && std::strcmp(given[0], task.flag) == 0) return task.run(given[1]);
  }
  return usage(stderr);
}
