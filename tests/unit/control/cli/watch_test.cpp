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

TEST(Watch, APolicyLogReadsAsAPacketFilters) {
    json facts = {{"seq", 7},
                  {"kind", "policy.log"},
                  {"time", "2026-01-31T12:00:00.123Z"},
                  {"segment", "blue"},
                  {"port", "web-0"},
                  {"rule", "no-ssh"},
                  {"action", "deny"},
                  {"reason", "policy_denied"},
                  {"length", 74},
                  {"source_mac", "02:00:00:00:00:01"},
                  {"destination_mac", "02:00:00:00:00:02"},
                  {"ethertype", "ipv4"},
                  {"protocol", "tcp"},
                  {"source", "10.1.0.2"},
                  {"destination", "10.1.0.3"},
                  {"source_port", 4000},
                  {"destination_port", 22},
                  {"tcp_flags", "S"},
                  {"suppressed", 0}};
    const auto line = [&] { return event_line({{"jsonrpc", "2.0"}, {"method", "event"}, {"params", facts}}); };
    const std::string begin = "2026-01-31T12:00:00.123Z policy.log ";
    EXPECT_EQ(line(), begin + "deny blue/no-ssh port web-0: tcp 10.1.0.2:4000 > 10.1.0.3:22 [S] 74 octets");
    facts["suppressed"] = 12;
    facts["reason"] = "connection_limit";
    facts["action"] = "allow";
    facts["vlan"] = 7;
    facts["source"] = "fd00::2";
    EXPECT_EQ(line(), begin +
                          "allow blue/no-ssh port web-0 vlan 7: tcp [fd00::2]:4000 > 10.1.0.3:22 [S] 74 octets, "
                          "dropped: connection_limit, and 12 more frames without a line");
    for (const char* name : {"source_port", "destination_port", "tcp_flags", "reason", "port"}) facts.erase(name);
    facts["protocol"] = "icmpv6";
    facts["icmp_type"] = 128;
    facts["icmp_code"] = 0;
    facts["suppressed"] = 0;
    facts["tunnel"] = "edge-2";
    EXPECT_EQ(line(), begin +
                          "allow blue/no-ssh tunnel edge-2 vlan 7: icmpv6 type 128 code 0 fd00::2 > 10.1.0.3 74 "
                          "octets");
    facts = {{"kind", "policy.log"},
             {"time", "T"},
             {"segment", "blue"},
             {"ethertype", "arp"},
             {"action", "deny"},
             {"source_mac", "02:00:00:00:00:01"},
             {"destination_mac", "ff:ff:ff:ff:ff:ff"},
             {"length", 42}};
    EXPECT_EQ(line(), "T policy.log deny blue: arp 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff 42 octets");
    facts = {{"kind", "policy.log"}, {"time", "T"}, {"segment", "blue"}, {"port", "web-0"}, {"suppressed", 4711}};
    EXPECT_EQ(line(), "T policy.log blue port web-0: 4711 more frames without a line");
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
