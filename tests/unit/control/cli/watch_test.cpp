// SPDX-License-Identifier: Apache-2.0
#include "control/cli/watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/cli/fake_switch.h"
#include "tests/unit/control/cli/process.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json moved() {
    return {{"jsonrpc", "2.0"},
            {"method", "event"},
            {"params",
             {{"seq", 7},
              {"kind", "mac.moved"},
              {"time", "2026-01-31T12:00:00Z"},
              {"segment", "blue"},
              {"port", "web-0"}}}};
}

json lost() {
    return {{"jsonrpc", "2.0"},
            {"method", "event"},
            {"params", {{"seq", 11}, {"kind", "lost"}, {"time", "2026-01-31T12:00:01Z"}, {"count", 3}}}};
}

TEST(Watch, PutsAnEventInALine) {
    EXPECT_EQ(event_line(moved()), "2026-01-31T12:00:00Z mac.moved port=web-0 segment=blue");
    EXPECT_EQ(event_line(lost()), "2026-01-31T12:00:01Z lost count=3");
}

TEST(Watch, PrintsEventsUntilTheConnectionEnds) {
    FakeSwitch fake(
        {{"events.subscribe", [](const json&) { return result({{"kinds", {"mac.moved", "port.up"}}, {"seq", 6}}); }}});
    fake.set_events({moved(), lost()});
    const auto done = run_program({BULKHEADCTL, "--socket", fake.path(), "watch", "mac.moved", "port.up"});
    EXPECT_EQ(done.status, 3);
    EXPECT_EQ(done.out, "2026-01-31T12:00:00Z mac.moved port=web-0 segment=blue\n2026-01-31T12:00:01Z lost count=3\n");
    EXPECT_THAT(done.err, HasSubstr("the switch ended the connection to " + fake.path()));
    EXPECT_EQ(fake.requests()[0].at("params"), json({{"kinds", {"mac.moved", "port.up"}}}));

    const auto lines = run_program({BULKHEADCTL, "--socket", fake.path(), "--json", "watch"});
    EXPECT_EQ(json::parse(lines.out.substr(0, lines.out.find('\n'))), moved().at("params"));
}

TEST(Watch, TellsARefusal) {
    FakeSwitch fake({});
    EXPECT_EQ(run_program({BULKHEADCTL, "--socket", fake.path(), "watch"}).status, 1);
}

}  // namespace
}  // namespace bulkhead::cli
