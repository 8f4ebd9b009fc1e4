#include "check_history.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "linearize/check_text.h"

namespace keyhaul::sim {
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

}  // namespace

int checkHistory(const char* path) {
  const auto text = readFile(path);
  if (!text) {
    std::fprintf(stderr, "error: %s: cannot be read; give the path of a history\n", path);
    return kError;
  }
  const TextVerdict verdict = checkText(*text);
  if (!verdict.error.empty()) {
    std::fprintf(stderr, "error: %s: %s\n", path, verdict.error.c_str());
    return kError;
  }
  const std::string name(answerName(verdict.answer));
  std::printf("%s\n%s", name.c_str(), verdict.witness.c_str());
  switch (verdict.answer) {
    case Answer::kLinearizable:
      return kDone;
    case Answer::kNotLinearizable:
      return kFound;
    case Answer::kUnknown:
      std::fprintf(stderr, "error: %s: given up after %llu steps; check a shorter history\n", path,
                   static_cast<unsigned long long>(verdict.steps));
      return kError;
  }
  return kError;
}

}  // namespace keyhaul::sim
