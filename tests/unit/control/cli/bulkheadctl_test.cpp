// SPDX-License-Identifier: Apache-2.0
// The real program against a scripted switch: requests, output, exit status.
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/cli/text.h"
#include "tests/unit/control/cli/fake_switch.h"
#include "tests/unit/control/cli/process.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

json two_pages(const json& params) {
    const auto segment = [](const char* name, int vni) {
        return json{{"name", name},
                    {"vni", vni},
                    {"mtu", 1500},
                    {"flood", "all"},
                    {"tenant", "a-tenant-with-a-long-name"},
                    {"state", {{"ports", 1}, {"macs", 2}}}};
    };
    if (!params.contains("cursor")) return result({{"items", {segment("blue", 100)}}, {"cursor", "p2"}});
    return result({{"items", {segment("red", 200)}}, {"cursor", nullptr}});
}

json refuse(const json&) {
    return {{"error",
             {{"code", -32602},
              {"message", "no such segment"},
              {"data", {{"field", "/segment"}, {"got", "bleu"}, {"allowed", "blue, red"}, {"retryable", false}}}}}};
}

class Bulkheadctl : public testing::Test {
  protected:
    Finished ctl(std::vector<std::string> words, Surroundings surroundings = {}) {
        return run_program(command(std::move(words)), with_socket(std::move(surroundings)));
    }
    Finished ctl_on_terminal(std::vector<std::string> words, unsigned short columns, Surroundings surroundings = {}) {
        return run_on_terminal(command(std::move(words)), columns, with_socket(std::move(surroundings)));
    }

    FakeSwitch switch_{{
        {"segment.list", two_pages},
        {"port.add", refuse},
        {"segment.add", [](const json& p) { return result({{"generation", 2}, {"changed", true}, {"object", p}}); }},
        {"config.apply",
         [](const json&) { return result({{"generation", 3}, {"changes", json::array()}, {"dry_run", false}}); }},
        {"config.get", [](const json&) { return json(); }},
        {"future.method", [](const json& p) { return result({{"echo", p}}); }},
    }};

  private:
    static std::vector<std::string> command(std::vector<std::string> words) {
        words.insert(words.begin(), BULKHEADCTL);
        return words;
    }
    Surroundings with_socket(Surroundings surroundings) const {
        surroundings.environment.push_back("BULKHEAD_SOCKET=" + switch_.path());
        return surroundings;
    }
};

TEST_F(Bulkheadctl, CallsTheMethodWithTypedParameters) {
    const auto done = ctl({"segment", "add", "blue", "100", "--mtu", "1450"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(done.out, "segment blue added, generation 2\n");
    ASSERT_EQ(switch_.requests().size(), 1U);
    EXPECT_EQ(switch_.requests()[0].at("jsonrpc"), "2.0");
    EXPECT_EQ(switch_.requests()[0].at("method"), "segment.add");
    EXPECT_EQ(switch_.requests()[0].at("params"), json({{"name", "blue"}, {"vni", 100}, {"mtu", 1450}}));
}

TEST_F(Bulkheadctl, FollowsTheCursorToTheEnd) {
    const auto done = ctl({"segment", "list"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("blue"));
    EXPECT_THAT(done.out, HasSubstr("red"));
    EXPECT_EQ(switch_.requests().size(), 2U);

    const auto page = ctl({"segment", "list", "--limit", "1"});
    EXPECT_THAT(page.out, HasSubstr("(more: --cursor p2)"));
    EXPECT_EQ(switch_.requests().size(), 3U);
}

TEST_F(Bulkheadctl, PrintsTheResultAsItCameWithJson) {
    const auto done = ctl({"--json", "segment", "list"});
    EXPECT_EQ(done.status, 0);
    EXPECT_EQ(std::ranges::count(done.out, '\n'), 1);
    EXPECT_EQ(json::parse(done.out).at("items").size(), 2U);
    EXPECT_EQ(json::parse(done.out).at("cursor"), nullptr);
}

TEST_F(Bulkheadctl, SaysWhyTheSwitchSaidNo) {
    const auto done = ctl({"port", "add", "x", "--type", "tap", "--segment", "bleu"});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(done.out, "");
    EXPECT_EQ(done.err, "bulkheadctl: port \"x\": /segment: no such segment; got bleu; allowed blue, red\n");
}

TEST_F(Bulkheadctl, WrongUsageIsToldAndNothingIsSent) {
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{},
                                               {"segment"},
                                               {"segment", "frob"},
                                               {"frob", "add"},
                                               {"segment", "add", "blue"},
                                               {"--frob"},
                                               {"segment", "add", "blue", "many"},
                                               {"call"},
                                               {"call", "a.b", "{"},
                                               {"call", "a.b", "5"},
                                               {"completion", "zsh"},
                                               {"top", "--frob"},
                                               {"top", "-n", "x"},
                                               {"top", "--interval", "0"},
                                               {"top", "--sort", "x"},
                                               {"top", "x"},
                                               {"watch", "--frob"}}) {
        const auto done = ctl(words);
        EXPECT_EQ(done.status, 2) << testing::PrintToString(words) << done.out;
        EXPECT_NE(done.err, "");
    }
    EXPECT_TRUE(switch_.requests().empty());
}

TEST_F(Bulkheadctl, ReadsAnObjectFromStandardInput) {
    const auto done = ctl({"config", "apply", "-"}, {.environment = {}, .input = R"({"version": 1})"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(switch_.requests()[0].at("params").at("config"), json({{"version", 1}}));
}

TEST_F(Bulkheadctl, CallsMethodsItDoesNotKnow) {
    const auto done = ctl({"call", "future.method", R"({"a": [1]})"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(json::parse(done.out), json({{"echo", {{"a", {1}}}}}));
    EXPECT_EQ(ctl({"call", "future.method", "-"}, {.environment = {}, .input = "{}"}).status, 0);
    EXPECT_EQ(ctl({"call", "no.method"}).status, 1);
}

TEST_F(Bulkheadctl, GivesUpWhenThereIsNoAnswer) {
    const auto done = ctl({"--timeout", "0.05", "config", "get"});
    EXPECT_EQ(done.status, 3);
    EXPECT_THAT(done.err, HasSubstr("no answer from " + switch_.path()));
}

TEST_F(Bulkheadctl, WithoutASwitchNamesThePathAndWhatToCheck) {
    const auto nowhere = ctl({"--socket", "/nonexistent/s.sock", "segment", "list"});
    EXPECT_EQ(nowhere.status, 3);
    EXPECT_THAT(nowhere.err,
                StartsWith("bulkheadctl: no connection to /nonexistent/s.sock: No such file or directory; is "));
    EXPECT_EQ(ctl({"--socket", std::string(200, 'x'), "segment", "list"}).status, 3);
}

TEST_F(Bulkheadctl, HelpNeedsNoSwitch) {
    const auto program = run_program({BULKHEADCTL, "--help"});
    EXPECT_EQ(program.status, 0);
    EXPECT_THAT(program.out, HasSubstr("segment     add get list remove set verify"));
    EXPECT_THAT(program.out, HasSubstr("Not built in yet:\n  capture"));
    const auto noun = run_program({BULKHEADCTL, "key", "--help"});
    EXPECT_EQ(noun.status, 0);
    EXPECT_THAT(noun.out, testing::ContainsRegex("list .*(not built in yet)"));
    const auto verb = run_program({BULKHEADCTL, "port", "add", "--help"});
    EXPECT_EQ(verb.status, 0);
    EXPECT_THAT(verb.out, StartsWith("Usage: bulkheadctl port add NAME TYPE [OPTIONS]\n"));
    EXPECT_THAT(run_program({BULKHEADCTL, "--version"}).out, StartsWith("bulkheadctl " BULKHEAD_VERSION));
}

TEST_F(Bulkheadctl, HonoursTheTerminal) {
    const auto narrow = ctl_on_terminal({"segment", "list"}, 48);
    EXPECT_EQ(narrow.status, 0);
    EXPECT_THAT(narrow.out, StartsWith("\033[1mNAME"));
    std::istringstream lines(narrow.out);
    for (std::string line; std::getline(lines, line);)
        EXPECT_TRUE(line.starts_with('\033') || display_width(line) <= 49) << line;  // "\r" included
    EXPECT_THAT(narrow.out, HasSubstr("…"));

    const auto plain = ctl_on_terminal({"segment", "list"}, 120, {.environment = {"NO_COLOR=1"}, .input = {}});
    EXPECT_EQ(plain.out.find('\033'), std::string::npos);
    EXPECT_THAT(ctl_on_terminal({"--json", "segment", "list"}, 80).out, StartsWith("{\r\n  \""));
}

/// The command line is for every machine that has the socket: it must not drag DPDK in.
TEST_F(Bulkheadctl, NeedsNoDpdk) {
    EXPECT_EQ(run_program({"/usr/bin/ldd", BULKHEADCTL}).out.find("librte_"), std::string::npos);
}

}  // namespace
}  // namespace bulkhead::cli
