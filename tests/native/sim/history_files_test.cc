// Text of both kinds: what is read from it, what is said about text that is none, and the
// public histories with known verdicts.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "linearize/check_text.h"
#include "linearize/parse.h"

namespace keyhaul::sim {
namespace {

std::string errorOf(std::string_view text) { return checkText(text).error; }

std::string event(std::string_view rest) { return "INFO  jepsen.util - " + std::string(rest) + "\n"; }

TEST(HistoryText, registersAreRead) {
  History history;
  const std::string text = event("0\t:invoke\t:read\tnil") + "\r\n" + event("1 :invoke :cas [-1 2]") +
                           event(":nemesis :info :start nil") + event("0 :ok :read 5") +
                           event("1 :info :cas :timed-out") + event("0 :invoke :write 7") +
                           event("0 :fail :write 7") + event("0 :invoke :read nil") +
                           event("0 :fail :read :timed-out") + event("0 :invoke :cas [1 2]") +
                           "INFO jepsen.util - 0 :fail :cas [1 2]";
  ASSERT_FALSE(parseHistory(text, history));
  ASSERT_EQ(history.kind, HistoryKind::kRegister);
  const auto& operations = history.registerOperations;
  ASSERT_EQ(operations.size(), 5U);
  EXPECT_EQ(operations[0].value, 5);
  EXPECT_EQ(operations[0].invoked, 1U);
  EXPECT_EQ(operations[0].returned, 5U);
  EXPECT_EQ(operations[1].expected, -1);
  EXPECT_EQ(operations[1].outcome, Outcome::kUnknown);
  EXPECT_EQ(operations[1].returned, kNever);
  EXPECT_EQ(operations[2].outcome, Outcome::kRefused);
  EXPECT_EQ(operations[3].outcome, Outcome::kUnknown);
  EXPECT_EQ(operations[4].outcome, Outcome::kRefused);
}

TEST(HistoryText, storesAreRead) {
  History history;
  ASSERT_FALSE(parseHistory(R"({:process 0, :type :invoke, :f :put, :key "a\"b", :value "x\\y"}
{:f :get :key "a\"b" :value nil :process 1 :type :invoke}
{:process 0, :type :ok, :f :put, :key "a\"b", :value "x\\y"}
{:process 1, :type :ok, :f :get, :key "a\"b", :value ""})",
                            history));
  ASSERT_EQ(history.keyValueOperations.size(), 2U);
  EXPECT_EQ(history.keyValueOperations[0].key, "a\"b");
  EXPECT_EQ(history.keyValueOperations[0].value, "x\\y");
  EXPECT_EQ(history.keyValueOperations[1].value, "");
  EXPECT_EQ(history.keyValueOperations[1].returned, 4U);
}

TEST(HistoryText, whatIsNoHistoryIsNamedByLine) {
  EXPECT_EQ(errorOf(""), "there is no event in it");
  EXPECT_EQ(errorOf("\n \n"), "there is no event in it");
  EXPECT_EQ(errorOf("hello"),
            "line 1: expected an event, as in INFO jepsen.util - 0 :invoke :read nil, found \"hello\"");
  const std::string first = event("0 :invoke :read nil");
  const auto second = [&](std::string_view text) { return errorOf(first + event(text)); };
  EXPECT_EQ(second("x :ok :read 1"), "line 2: expected the number of a process, found \"x\"");
  EXPECT_EQ(second("99999999999999999999 :ok :read 1"),
            "line 2: expected the number of a process, found \"99999999999999999999\"");
  EXPECT_EQ(second("0 :okay :read 1"), "line 2: expected :invoke, :ok, :fail or :info, found \":okay\"");
  EXPECT_EQ(second("0 :ok :delete 1"), "line 2: expected :read, :write or :cas, found \":delete\"");
  EXPECT_EQ(second("0 :ok :read 1x"), "line 2: expected a whole number of 64 bits, found \"1x\"");
  EXPECT_EQ(second("0 :ok :read"), "line 2: expected a whole number of 64 bits, found the end of the line");
  EXPECT_EQ(second("0 :ok :read 1 2"), "line 2: expected the end of the line, found \"2\"");
  EXPECT_EQ(second("0 :ok :write 1"),
            "line 2: process 0 returns from another operation than it invoked in line 1");
  EXPECT_EQ(second("1 :ok :read 1"), "line 2: process 1 returns, but has nothing under way");
  EXPECT_EQ(second("0 :invoke :read nil"),
            "line 2: process 0 invokes again, but its operation of line 1 has not returned");
  EXPECT_EQ(second("1 :invoke :cas [1 2"), "line 2: expected ], found the end of the line");
  EXPECT_EQ(second("1 :invoke :write nil"), "line 2: expected a whole number of 64 bits, found \"nil\"");
  EXPECT_EQ(second("0 :ok :read :timed-out"), "line 2: only :fail and :info can be :timed-out");
  EXPECT_EQ(errorOf(event("0 :invoke :write 1") + event("0 :ok :write 2")),
            "line 2: the arguments are not those of the invocation in line 1");
  EXPECT_EQ(errorOf("{:process 0}"), "line 1: the event has no :type");
  EXPECT_EQ(errorOf(R"({:process 0, :type :invoke, :f :put, :key "k", :value nil})"),
            "line 1: the :value has to be a string here");
  EXPECT_EQ(errorOf(R"({:process 0, :type :invoke, :f :put, :key "k)"),
            R"(line 1: expected a string in quotes, found "\"k")");
  EXPECT_EQ(errorOf(R"({:process 0, :colour 3})"),
            "line 1: expected :process, :type, :f, :key, :value or }, found \":colour\"");
}

TEST(HistoryText, nothingOfItReachesTheTerminalRaw) {
  const std::string escape = "\x1B[2J\xC2\x9B";
  EXPECT_EQ(errorOf(escape).find_first_of("\x1B\x9B"), std::string::npos);
  const std::string key = R"(, :key "k)" + escape + R"(", :value )";
  const auto verdict = checkText("{:process 0, :type :invoke, :f :get" + key + "nil}\n" +
                                 "{:process 0, :type :ok, :f :get" + key + "\"" + escape + "\"}\n");
  EXPECT_EQ(verdict.answer, Answer::kNotLinearizable);
  EXPECT_EQ(verdict.witness.find_first_of("\x1B\x9B"), std::string::npos);
  EXPECT_NE(verdict.witness.find("k\\x1b[2J"), std::string::npos);
}

std::string contentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return file ? text.str() : std::string();
}

TEST(PublicHistories, everyVerdictAgreesWithinSeconds) {
  const char* const elsewhere = std::getenv("KEYHAUL_HISTORIES");
  const std::string folder = elsewhere != nullptr ? elsewhere : KEYHAUL_HISTORIES_DIR;
  std::istringstream verdicts(contentOf(folder + "/verdicts.tsv"));
  std::string line;
  if (!std::getline(verdicts, line)) {
    GTEST_SKIP() << "no verdicts.tsv in " << folder << "; KEYHAUL_HISTORIES may point elsewhere";
  }
  size_t files = 0;
  double slowest = 0;
  std::string slowestFile;
  while (std::getline(verdicts, line)) {
    std::istringstream fields(line);
    std::string file, kind, expected;
    std::getline(std::getline(std::getline(fields, file, '\t'), kind, '\t'), expected);
    const std::string text = contentOf(folder + "/" + file);
    const auto start = std::chrono::steady_clock::now();
    const TextVerdict verdict = checkText(text);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(verdict.error, "") << file;
    EXPECT_EQ(answerName(verdict.answer), expected) << file;
    EXPECT_EQ(verdict.witness.empty(), expected == "linearizable") << file;
    EXPECT_LT(took.count(), 10) << file;
    if (took.count() > slowest) slowest = took.count(), slowestFile = file;
    ++files;
  }
  EXPECT_GT(files, 0U);
  std::printf("%zu public histories; the slowest, %s, took %.1f ms\n", files, slowestFile.c_str(),
              slowest * 1000);
}

}  // namespace
}  // namespace keyhaul::sim
