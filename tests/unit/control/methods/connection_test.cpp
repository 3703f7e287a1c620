// SPDX-License-Identifier: Apache-2.0
// connection.list and flush: what the filters ask of the switch, and how the answer is shown.
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class ConnectionMethods : public Desk {
  protected:
    ConnectionMethods() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}});
        done("port.add", guest("web-0", "blue"));
        world.target.connected = {.connections = {tcp(10)}, .open = 17, .capacity = 100};
    }
    static ConnectionInfo tcp(std::size_t place) {
        return {.place = place,
                .segment = "blue",
                .protocol = 6,
                .source = *IpAddress::parse("10.1.0.2"),
                .destination = *IpAddress::parse("10.1.0.3"),
                .source_port = 4000,
                .destination_port = 443,
                .state = ConnectionState::established,
                .idle_s = 3,
                .expires_in_s = 7437,
                .opened_by = {.port = "web-0", .tunnel = {}, .vlan = {}},
                .rule = "web"};
    }
    const ConnectionFilter& asked(const char* method, const json& params) {
        done(method, params);
        return world.target.asked_connections;
    }
};

TEST_F(ConnectionMethods, ItemsSayWhatTheProtocolHas) {
    ConnectionInfo ping = tcp(11);
    ping.protocol = 58;
    ping.source = *IpAddress::parse("fd00::2");
    ping.destination = *IpAddress::parse("fd00::3");
    ping.source_port = 77;
    ping.destination_port = 128;
    ping.state = ConnectionState::answered;
    ping.opened_by = {.port = {}, .tunnel = "edge-2", .vlan = {}};
    ping.rule.clear();
    world.target.connected.connections.push_back(ping);
    const json answer = done("connection.list", json::object());
    EXPECT_EQ(answer["open"], 17);
    EXPECT_EQ(answer["capacity"], 100);
    EXPECT_EQ(answer["cursor"], json());
    EXPECT_EQ(answer["items"][0], json::parse(R"({"segment": "blue", "protocol": "tcp", "source": "10.1.0.2",
        "destination": "10.1.0.3", "source_port": 4000, "destination_port": 443, "icmp_id": null, "icmp_type": null,
        "state": "established", "idle_s": 3, "expires_in_s": 7437, "port": "web-0", "tunnel": null, "rule": "web"})"));
    EXPECT_EQ(answer["items"][1], json::parse(R"({"segment": "blue", "protocol": "icmpv6", "source": "fd00::2",
        "destination": "fd00::3", "source_port": null, "destination_port": null, "icmp_id": 77, "icmp_type": 128,
        "state": "answered", "idle_s": 3, "expires_in_s": 7437, "port": null, "tunnel": "edge-2", "rule": null})"));
}

TEST_F(ConnectionMethods, FiltersAreReadAlikeByBoth) {
    for (const char* method : {"connection.list", "connection.flush"}) {
        ConnectionFilter filter = asked(method, json::object());
        EXPECT_FALSE(filter.segment || filter.port || filter.address || filter.protocol || filter.state);
        filter = asked(method, {{"segment", "blue"},
                                {"port", "web-0"},
                                {"address", "10.1.0.7/24"},
                                {"protocol", "udp"},
                                {"state", "time_wait"}});
        EXPECT_EQ(filter.segment, "blue");
        EXPECT_EQ(filter.port, "web-0");
        EXPECT_EQ(filter.address, IpPrefix::parse("10.1.0.7/24"));
        EXPECT_EQ(filter.protocol, 17);
        EXPECT_EQ(filter.state, ConnectionState::time_wait);
        EXPECT_EQ(asked(method, {{"address", "fd00::1"}}).address, IpPrefix::parse("fd00::1/128"));
        EXPECT_EQ(asked(method, {{"address", "10.1.0.7"}}).address, IpPrefix::parse("10.1.0.7/32"));
        EXPECT_EQ(asked(method, {{"protocol", 47}}).protocol, 47);

        expect_refusal(call(method, {{"segment", "none"}}), ErrorCode::not_found, "/segment");
        expect_refusal(call(method, {{"port", "none"}}), ErrorCode::not_found, "/port");
        for (const char* bad : {"", "10.1.0", "10.1.0.0/33", "web-0", "10.1.0.1 "})
            expect_refusal(call(method, {{"address", bad}}), ErrorCode::invalid_params, "/address");
        for (const json& bad : {json("quic"), json(256), json(-1), json(1.5)})
            expect_refusal(call(method, {{"protocol", bad}}), ErrorCode::invalid_params, "/protocol");
        for (const char* bad : {"closed", "ESTABLISHED", ""})
            expect_refusal(call(method, {{"state", bad}}), ErrorCode::invalid_params, "/state");
    }
    const auto refused = call("connection.list", {{"state", "open"}});
    EXPECT_EQ(refused.error().got, "\"open\"");
    EXPECT_EQ(refused.error().allowed,
              "syn_sent, syn_received, established, closing, time_wait, reset, fresh, answered");
}

TEST_F(ConnectionMethods, PagesGoOnBehindTheLastOne) {
    world.target.connected.connections = {tcp(3), tcp(8), tcp(9), tcp(70)};
    json page = done("connection.list", {{"limit", 2}});
    EXPECT_EQ(page["items"].size(), 2U);
    EXPECT_EQ(page["cursor"], "8");
    page = done("connection.list", {{"limit", 2}, {"cursor", page["cursor"]}});
    EXPECT_EQ(page["items"].size(), 2U);
    EXPECT_EQ(page["cursor"], json());
    EXPECT_EQ(done("connection.list", {{"cursor", "70"}})["items"], json::array());
    for (const char* bad : {"", "x", "8x", "-1", "99999999999999999999"})
        expect_refusal(call("connection.list", {{"cursor", bad}}), ErrorCode::invalid_params, "/cursor");
    expect_refusal(call("connection.list", {{"limit", 1001}}), ErrorCode::invalid_params, "/limit");
}

TEST_F(ConnectionMethods, AFlushIsAudited) {
    EXPECT_EQ(done("connection.flush", json::object()), json({{"removed", 1}}));
    EXPECT_EQ(audited.back(), "all connections: ok");
    done("connection.flush", {{"address", "10.1.0.2"}});
    EXPECT_EQ(audited.back(), "connections {\"address\":\"10.1.0.2\"}: ok");
    const std::size_t before = audited.size();
    done("connection.list", json::object());
    EXPECT_EQ(audited.size(), before);
}

}  // namespace
}  // namespace bulkhead::methods
