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

TEST_F(EventStreamTest, NothingIsWrittenForNobody) {
    move("db", "web");
    stream.publish({"port.up", {{"port", "web"}}, "web", {}}, model);
    subscribe(kAdmin, Role::admin);
    move("db", "web");
    EXPECT_EQ(heard[kAdmin][0]["seq"], 1);
}

}  // namespace
}  // namespace bulkhead::daemon
