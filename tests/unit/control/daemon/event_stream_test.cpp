// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/event_stream.h"

#include <map>

#include <gtest/gtest.h>

#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead::daemon {
namespace {

using nlohmann::json;
using testing_support::guest;
using testing_support::model_of;
using testing_support::segment;

class EventStreamTest : public testing::Test {
  protected:
    EventStreamTest() {
        model = model_of(segment("blue", 1), segment("red", 2), guest("web", "blue"), guest("db", "blue"),
                         guest("fw", "blue"));
        model.segments.at("blue").tenant = "acme";
        model.ports.at("fw").attachments.push_back(testing_support::attached("red", 5));
    }

    void subscribe(std::uint64_t connection, Role role, std::string tenant = {}) {
        rpc::Caller caller;
        caller.role = role;
        caller.tenant = std::move(tenant);
        caller.connection = connection;
        const api::Method row{.name = "events.subscribe", .params = {}, .help = {}, .result = {}};
        ASSERT_TRUE(stream.hub().subscribe({caller, json::object(), row}));
    }
    void move(std::string from_port, std::string port) {
        MacEvents events;
        events.events.push_back({.kind = MacEvent::Kind::moved,
                                 .segment = "blue",
                                 .mac = MacAddress(0x020000000001),
                                 .port = std::move(port),
                                 .from_port = std::move(from_port)});
        stream.publish(events, model);
    }

    static constexpr std::uint64_t kAdmin = 1, kAcme = 2;
    Model model;
    std::map<std::uint64_t, std::vector<json>> heard;
    EventStream stream{[this](std::uint64_t connection, std::string_view line) {
        heard[connection].push_back(json::parse(line)["params"]);
        return true;
    }};
};

TEST_F(EventStreamTest, AMoveTellsATenantNoPortThatItDoesNotSee) {
    subscribe(kAdmin, Role::admin);
    subscribe(kAcme, Role::tenant, "acme");
    move("fw", "web");
    ASSERT_EQ(heard[kAdmin].size(), 1U);
    ASSERT_EQ(heard[kAcme].size(), 1U);
    EXPECT_EQ(heard[kAdmin][0]["from_port"], "fw");
    EXPECT_EQ(heard[kAcme][0]["port"], "web");
    EXPECT_FALSE(heard[kAcme][0].contains("from_port")) << heard[kAcme][0].dump();

    move("db", "web");
    EXPECT_EQ(heard[kAcme][1]["from_port"], "db");
    move("web", "fw");
    EXPECT_EQ(heard[kAdmin].size(), 3U);
    EXPECT_EQ(heard[kAcme].size(), 2U) << "a move to a port that it does not see";
}

TEST_F(EventStreamTest, TunnelsAreNoTenants) {
    subscribe(kAdmin, Role::admin);
    subscribe(kAcme, Role::tenant, "acme");
    MacEvents events;
    const MacAddress mac(0x020000000001);
    using enum MacEvent::Kind;
    events.events = {
        {.kind = learned, .segment = "blue", .mac = mac, .port = {}, .tunnel = "edge-2"},
        {.kind = moved, .segment = "blue", .mac = mac, .port = "web", .from_tunnel = "edge-2"},
        {.kind = moved, .segment = "blue", .mac = mac, .port = {}, .tunnel = "edge-2", .from_port = "web"}};
    stream.publish(events, model);
    ASSERT_EQ(heard[kAdmin].size(), 3U);
    EXPECT_EQ(heard[kAdmin][0]["tunnel"], "edge-2");
    EXPECT_FALSE(heard[kAdmin][0].contains("port"));
    EXPECT_EQ(heard[kAdmin][1]["from_tunnel"], "edge-2");
    EXPECT_EQ(heard[kAdmin][2]["from_port"], "web");
    ASSERT_EQ(heard[kAcme].size(), 1U);
    EXPECT_EQ(heard[kAcme][0]["port"], "web");
    EXPECT_EQ(heard[kAcme][0].dump().find("edge-2"), std::string::npos);
}

TEST_F(EventStreamTest, NumbersHaveNoGapWithoutTenants) {
    subscribe(kAdmin, Role::admin);
    for (int i = 0; i < 3; ++i) move("gone", "web");
    ASSERT_EQ(heard[kAdmin].size(), 3U);
    EXPECT_EQ(heard[kAdmin][2]["seq"], heard[kAdmin][0]["seq"].get<int>() + 2);
    EXPECT_EQ(heard[kAdmin][0]["from_port"], "gone");
}

PolicyLogEntry denied(std::string segment, std::string port) {
    using namespace std::chrono;
    return {.time = system_clock::time_point(seconds(1'700'000'000) + milliseconds(5)),
            .place = {.port = std::move(port), .tunnel = {}, .vlan = 7},
            .segment = std::move(segment),
            .frame = LoggedFrame{.rule = "no-ssh",
                                 .action = PolicyAction::deny,
                                 .reason = DropReason::policy_denied,
                                 .length = 60,
                                 .source_mac = MacAddress(0x020000000001),
                                 .destination_mac = MacAddress(0x020000000002),
                                 .ethertype = 0x0800,
                                 .source = IpAddress::parse("10.0.0.1"),
                                 .destination = IpAddress::parse("10.0.0.2"),
                                 .protocol = 6,
                                 .source_port = 4000,
                                 .destination_port = 22,
                                 .tcp_flags = 0x12},
            .suppressed = 5};
}

TEST_F(EventStreamTest, APolicyLogHasWhatItsFrameHas) {
    subscribe(kAdmin, Role::admin);
    stream.publish(denied("blue", "web"), model);
    json seen = heard[kAdmin].at(0);
    seen.erase("seq");
    EXPECT_EQ(seen, json::parse(R"({"kind": "policy.log", "time": "2023-11-14T22:13:20.005Z", "segment": "blue",
        "port": "web", "vlan": 7, "rule": "no-ssh", "action": "deny", "reason": "policy_denied", "length": 60,
        "source_mac": "02:00:00:00:00:01", "destination_mac": "02:00:00:00:00:02", "ethertype": "ipv4",
        "source": "10.0.0.1", "destination": "10.0.0.2", "protocol": "tcp", "source_port": 4000,
        "destination_port": 22, "tcp_flags": "SA", "suppressed": 5})"));

    PolicyLogEntry arp = denied("blue", {});
    arp.place = {.port = {}, .tunnel = "edge-2", .vlan = {}};
    arp.frame = LoggedFrame{.rule = "arp",
                            .action = PolicyAction::allow,
                            .length = 42,
                            .source_mac = {},
                            .destination_mac = {},
                            .ethertype = 0x0806};
    stream.publish(arp, model);
    seen = heard[kAdmin].at(1);
    EXPECT_EQ(seen["tunnel"], "edge-2");
    for (const char* absent : {"port", "vlan", "reason", "source", "protocol", "source_port", "icmp_type", "tcp_flags"})
        EXPECT_FALSE(seen.contains(absent)) << absent;

    arp.frame.reset();
    stream.publish(arp, model);
    seen = heard[kAdmin].at(2);
    EXPECT_EQ(seen["suppressed"], 5);
    for (const char* absent : {"rule", "action", "length", "source_mac", "ethertype"})
        EXPECT_FALSE(seen.contains(absent)) << absent;
}

TEST_F(EventStreamTest, ATenantIsToldOfItsSegmentsWithoutWhatItDoesNotSee) {
    subscribe(kAdmin, Role::admin);
    subscribe(kAcme, Role::tenant, "acme");
    model.policies[{"blue", "no-ssh"}] = {.owner = {}, .segment = "blue", .name = "no-ssh"};
    stream.publish(denied("red", "fw"), model);
    EXPECT_TRUE(heard[kAcme].empty());
    stream.publish(denied("blue", "web"), model);
    EXPECT_EQ(heard[kAcme].at(0), heard[kAdmin].at(1));
    stream.publish(denied("blue", "fw"), model);  // of both tenants
    json hidden = heard[kAdmin].at(2);
    EXPECT_EQ(hidden["port"], "fw");
    for (const char* field : {"port", "vlan", "seq"}) hidden.erase(field);
    json seen = heard[kAcme].at(1);
    seen.erase("seq");
    EXPECT_EQ(seen, hidden);
    PolicyLogEntry from_elsewhere = denied("blue", {});
    from_elsewhere.place.tunnel = "edge-2";
    model.policies[{"blue", "no-ssh"}].to_port = "fw";
    stream.publish(from_elsewhere, model);
    EXPECT_EQ(heard[kAdmin].at(3)["tunnel"], "edge-2");
    EXPECT_EQ(heard[kAdmin].at(3)["rule"], "no-ssh");
    for (const char* field : {"port", "tunnel", "rule"}) EXPECT_FALSE(heard[kAcme].at(2).contains(field)) << field;
    EXPECT_EQ(heard[kAcme].at(2)["source"], "10.0.0.1");
    EXPECT_EQ(heard[kAdmin].size(), 4U);
    EXPECT_EQ(heard[kAcme].size(), 3U);
}

TEST_F(EventStreamTest, NothingIsWrittenForNobody) {
    move("db", "web");
    stream.publish({"port.up", {{"port", "web"}}, "web", {}}, model);
    subscribe(kAdmin, Role::admin);
    move("db", "web");
    EXPECT_EQ(heard[kAdmin][0]["seq"], 1);
}

}  // namespace
}  // namespace bulkhead::daemon
