// keyhaul_sim: the simulator as a command. Everything is in command.cc and check_history.cc.
#include <cstdio>
#include <cstring>

#include "check_history.h"
#include "command.h"

int main(int count, char** arguments) {
  std::span<char* const> rest(arguments + 1, static_cast<size_t>(count > 0 ? count - 1 : 0));
  // As the npm command is called, so that what one prints can be given to the other.
  if (!rest.empty() && std::strcmp(rest[0], "sim") == 0) rest = rest.subspan(1);
  if (rest.size() == 2 && std::strcmp(rest[0], "--check-history") == 0) {
    return keyhaul::sim::checkHistory(rest[1]);
  }
  const auto print = [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); };
  const auto complain = [](std::string_view text) {
    std::fprintf(stderr, "error: %.*s", static_cast<int>(text.size()), text.data());
  };
  return keyhaul::sim::runCommandLine(rest, print, complain);
}
