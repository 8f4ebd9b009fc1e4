// keyhaul_sim: the simulator as a command. Everything is in command.cc.
#include <cstdio>

#include "command.h"

int main(int count, char** arguments) {
  std::string problem;
  const std::span<char* const> rest(arguments + 1, static_cast<size_t>(count - 1));
  const auto command = keyhaul::sim::parseCommand(rest, problem);
  if (!command) {
    std::fprintf(stderr, "error: not understood: %s\n%s", problem.c_str(), keyhaul::sim::kUsageText);
    return 2;
  }
  const auto print = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); };
  return keyhaul::sim::carryOut(*command, print);
}
