// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/cli/fake_switch.h"
#include "tests/unit/control/cli/process.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// Counters that grow with every question.
FakeSwitch::Answer growing() {
    return [asked = std::uint64_t{0}](const json&) mutable {
        asked += 1000;
        return result(
            {{"ports",
              {{{"name", "web-0"},
                {"rx_packets", asked},
                {"rx_bytes", asked * 100},
                {"tx_packets", 0},
                {"tx_bytes", 0},
                {"drops", json::object()}}}},
             {"segments", json::array()},
             {"workers", {{{"worker", 0}, {"busy_cycles", asked}, {"idle_cycles", asked}, {"received", asked}}}}});
    };
}

TEST(Top, PrintsFramesWhereThereIsNoTerminal) {
    FakeSwitch fake({{"stats.get", growing()}});
    const auto done = run_program({BULKHEADCTL, "--socket", fake.path(), "top", "-n", "2", "--interval", "0.01"});
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_EQ(fake.requests().size(), 3U);  // the first answer is what the first rates are counted from
    std::size_t frames = 0;
    for (std::size_t at = 0; (at = done.out.find("total of 1", at)) != std::string::npos; ++at) ++frames;
    EXPECT_EQ(frames, 2U);
    EXPECT_THAT(done.out, HasSubstr("50.0 %"));
    EXPECT_THAT(done.out, HasSubstr("kpps"));
    EXPECT_EQ(done.out.find('\033'), std::string::npos);
}

TEST(Top, GivesTheTerminalBackWhenItEnds) {
    FakeSwitch fake({{"stats.get", growing()}});
    const auto done =
        run_on_terminal({BULKHEADCTL, "--socket", fake.path(), "top", "--interval", "0.05"}, 80, {}, "nq");
    EXPECT_EQ(done.status, 0);
    EXPECT_THAT(done.out, HasSubstr("\033[?1049h"));
    EXPECT_TRUE(done.out.ends_with("\033[?25h\033[?1049l")) << done.out;

    const auto interrupted =
        run_on_terminal({BULKHEADCTL, "--socket", fake.path(), "top", "--interval", "0.05"}, 80, {}, "\x03");
    EXPECT_EQ(interrupted.status, 0);
    EXPECT_TRUE(interrupted.out.ends_with("\033[?25h\033[?1049l"));
}

TEST(Top, EndsWhenTheSwitchDoes) {
    FakeSwitch fake({{"stats.get", [](const json&) { return json(); }}});
    EXPECT_EQ(run_program({BULKHEADCTL, "--socket", fake.path(), "--timeout", "0.05", "top"}).status, 3);
    EXPECT_EQ(run_program({BULKHEADCTL, "--socket", fake.path() + "x", "top"}).status, 3);
}

}  // namespace
}  // namespace bulkhead::cli
