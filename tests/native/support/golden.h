// Golden files: bytes that every later version has to read. Written once with
// KEYHAUL_WRITE_GOLDEN=1, compared ever after.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace keyhaul::test {

inline std::string goldenPath(const std::string& name) {
  return std::string(KEYHAUL_GOLDEN_DIR) + "/" + name;
}

inline std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline void expectGolden(const std::string& name, const std::string& bytes) {
  if (std::getenv("KEYHAUL_WRITE_GOLDEN") != nullptr) {
    std::ofstream(goldenPath(name), std::ios::binary) << bytes;
  }
  EXPECT_EQ(readFile(goldenPath(name)), bytes) << name;
}

}  // namespace keyhaul::test
