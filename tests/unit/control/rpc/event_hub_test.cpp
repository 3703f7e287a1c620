// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/event_hub.h"

#include <gmock/gmock.h>

#include "tests/unit/control/rpc/server_fixture.h"

namespace bulkhead::rpc {
namespace {

using nlohmann::json;
using testing::MatchesRegex;

class EventHubTest : public testing::Test {
  protected:
    static Caller caller(std::uint64_t connection, std::string tenant = {}) {
        Caller made;
        made.connection = connection;
        made.tenant = std::move(tenant);
        return made;
    }
    Result<json> subscribe(const Caller& who, const json& params = json::object()) {
        return hub.subscribe({.caller = who, .params = params, .method = row});
    }
    json last(std::uint64_t connection) { return json::parse(delivered[connection].back()); }

    const api::Method row{};
    bool room = true;
    std::map<std::uint64_t, std::vector<std::string>> delivered;
    EventHub hub{{"port.up", "port.down", "mac.learned"}, [this](std::uint64_t connection, std::string_view line) {
                     if (room) delivered[connection].emplace_back(line);
                     return room;
                 }};
};

TEST_F(EventHubTest, NotifiesSubscribers) {
    EXPECT_EQ(subscribe(caller(1)), json::parse(R"({"kinds":["mac.learned","port.down","port.up"],"seq":0})"));
    hub.publish("port.up", {{"port", "web-0"}});
    const json event = last(1);
    EXPECT_EQ(event.at("jsonrpc"), "2.0");
    EXPECT_EQ(event.at("method"), "event");
    EXPECT_FALSE(event.contains("id"));
    EXPECT_EQ(event.at("params").at("seq"), 1);
    EXPECT_EQ(event.at("params").at("kind"), "port.up");
    EXPECT_EQ(event.at("params").at("port"), "web-0");
    EXPECT_THAT(event.at("params").at("time").get<std::string>(),
                MatchesRegex("20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9][.][0-9][0-9][0-9]Z"));
    hub.publish("port.down", json::object());
    EXPECT_EQ(last(1).at("params").at("seq"), 2);
}

TEST_F(EventHubTest, KindsSelectAndUnknownOnesAreRefused) {
    ASSERT_TRUE(subscribe(caller(1), {{"kinds", {"port.up"}}}));
    hub.publish("port.down", json::object());
    EXPECT_TRUE(delivered[1].empty());
    hub.publish("port.up", json::object());
    EXPECT_EQ(delivered[1].size(), 1U);

    const auto refused = subscribe(caller(2), {{"kinds", {"port.up", "port.sideways"}}});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().field, "/kinds/1");
    EXPECT_FALSE(subscribe(caller(2), {{"kinds", {5}}}));
    EXPECT_EQ(hub.subscribers(), 1U);
}

TEST_F(EventHubTest, SubscribingAgainReplacesAndUnsubscribingEnds) {
    ASSERT_TRUE(subscribe(caller(1)));
    ASSERT_TRUE(subscribe(caller(1), {{"kinds", {"port.up"}}}));
    hub.publish("port.down", json::object());
    EXPECT_TRUE(delivered[1].empty());
    const Caller who = caller(1);
    const Call call{.caller = who, .params = json::object(), .method = row};
    EXPECT_EQ(hub.unsubscribe(call), json::parse(R"({"subscribed":false})"));
    EXPECT_TRUE(hub.unsubscribe(call));
    hub.publish("port.up", json::object());
    EXPECT_TRUE(delivered[1].empty());
}

TEST_F(EventHubTest, ATenantSeesOnlyItsOwn) {
    ASSERT_TRUE(subscribe(caller(1, "acme")));
    ASSERT_TRUE(subscribe(caller(2, "globex")));
    hub.publish("mac.learned", {{"segment", "blue"}}, [](const Caller& who) { return who.tenant == "acme"; });
    EXPECT_EQ(delivered[1].size(), 1U);
    EXPECT_TRUE(delivered[2].empty());
}

TEST_F(EventHubTest, ASlowReaderIsToldHowManyItLost) {
    ASSERT_TRUE(subscribe(caller(1)));
    room = false;
    for (int i = 0; i < 3; ++i) hub.publish("port.up", json::object());
    ASSERT_TRUE(subscribe(caller(1))) << "a new subscription forgets no loss";
    room = true;
    hub.publish("port.up", json::object());  // still lost: the notification of the loss comes first
    EXPECT_TRUE(delivered[1].empty());
    hub.drained(1);
    EXPECT_EQ(last(1).at("params").at("kind"), "lost");
    EXPECT_EQ(last(1).at("params").at("count"), 4);
    hub.drained(1);
    EXPECT_EQ(delivered[1].size(), 1U) << "told once";
    hub.publish("port.up", json::object());
    EXPECT_EQ(last(1).at("params").at("kind"), "port.up");
}

/// The hub behind a real server: a client that does not read, then does.
class EventStreamTest : public ServerFixture {};

TEST_F(EventStreamTest, ASlowReaderLosesEventsButNoCount) {
    EventHub hub({"tick"}, [this](std::uint64_t id, std::string_view line) { return server->notify(id, line); });
    const api::Method row{};
    hooks.answer = [&](const Caller& caller, std::string_view) {
        return hub.subscribe({.caller = caller, .params = json::object(), .method = row})->dump();
    };
    hooks.on_drained = [&](std::uint64_t id) { hub.drained(id); };
    hooks.on_closed = [&](std::uint64_t id) { hub.forget(id); };
    settings.limits.queued_bytes = 50'000;
    start();
    auto slow = connect(), quick = connect();
    for (auto* client : {&slow, &quick}) {
        send_all(*client, "subscribe\n");
        EXPECT_EQ(json::parse(line_from(*client)).at("kinds").size(), 1U);
    }

    constexpr std::uint64_t kEvents = 10'000;
    std::uint64_t quick_got = 0;
    for (std::uint64_t i = 0; i < kEvents; ++i) {
        hub.publish("tick", {{"padding", std::string(100, 'p')}});
        if (i % 50 == 0) loop->turn(std::chrono::milliseconds(0));
        quick.receive();
        while (quick.line()) ++quick_got;
    }
    turn_until([&] {
        quick.receive();
        while (quick.line()) ++quick_got;
        return quick_got >= kEvents;
    });
    EXPECT_EQ(quick_got, kEvents);

    std::uint64_t got = 0, lost = 0, notices = 0, last_seq = 0;
    while (got + lost < kEvents) {
        const json event = json::parse(line_from(slow)).at("params");
        EXPECT_GT(event.at("seq"), last_seq);
        last_seq = event.at("seq").get<std::uint64_t>();
        if (event.at("kind") == "lost") {
            ++notices;
            lost += event.at("count").get<std::uint64_t>();
        } else {
            ++got;
        }
    }
    EXPECT_EQ(got + lost, kEvents);
    EXPECT_GT(lost, 0U);
    EXPECT_EQ(notices, 1U);

    slow.close();
    turn_until([&] { return hub.subscribers() == 1; });
    EXPECT_TRUE(server->notify(4711, "to nobody"));
}

}  // namespace
}  // namespace bulkhead::rpc
