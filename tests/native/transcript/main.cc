// Runs transcripts: `keyhaul_transcript [--rewrite] FILE …`. Compares what the engine
// says with what stands in the file, or writes it there.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "stage.h"
#include "text.h"

namespace {

std::vector<std::string> linesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

bool isOutput(const std::string& line) { return line.starts_with("  "); }

// The file as it should be: prose and commands as they are, output as it is now. A command
// that is wrong ends it there; what follows stays as it was.
std::vector<std::string> play(const std::string& path, const std::vector<std::string>& script,
                              bool& good) {
  std::vector<std::string> lines;
  keyhaul::transcript::Stage stage;
  for (size_t i = 0; i < script.size(); ++i) {
    lines.push_back(script[i]);
    if (!good || !script[i].starts_with("> ")) continue;
    try {
      std::istringstream output(stage.run(std::string_view(script[i]).substr(2)));
      for (std::string line; std::getline(output, line);) lines.push_back("  " + line);
    } catch (const keyhaul::transcript::ScriptError& error) {
      std::fprintf(stderr, "%s:%zu: %s\n", path.c_str(), i + 1, error.what());
      good = false;
      continue;
    }
    while (i + 1 < script.size() && isOutput(script[i + 1])) ++i;
  }
  return lines;
}

void write(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream file(path, std::ios::binary);
  for (const std::string& line : lines) file << line << "\n";
}

bool equal(const std::string& path, const std::vector<std::string>& expected,
           const std::vector<std::string>& got) {
  if (expected == got) return true;
  const auto at = std::mismatch(expected.begin(), expected.end(), got.begin(), got.end());
  const auto show = [](const auto& where, const auto& end) {
    return where == end ? std::string("(the end)") : *where;
  };
  std::fprintf(stderr, "%s:%td\n  expected: %s\n  got:      %s\n", path.c_str(),
               at.first - expected.begin() + 1, show(at.first, expected.end()).c_str(),
               show(at.second, got.end()).c_str());
  return false;
}

}  // namespace

int main(int count, char** arguments) {
  bool rewrite = false, good = true;
  int files = 0;
  for (int i = 1; i < count; ++i) {
    const std::string path = arguments[i];
    if (path == "--rewrite") {
      rewrite = true;
      continue;
    }
    ++files;
    const auto script = linesOf(path);
    bool played = !script.empty();
    const auto now = play(path, script, played);
    if (rewrite && !script.empty()) write(path, now);
    good = good && played && (rewrite || equal(path, script, now));
  }
  if (files == 0) {
    std::fprintf(stderr, "usage: keyhaul_transcript [--rewrite] FILE …\n");
    return 2;
  }
  if (good) std::printf("%d transcripts %s\n", files, rewrite ? "rewritten" : "agree");
  return good ? 0 : 1;
}
