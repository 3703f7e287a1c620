// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/server.h"

#include <stdexcept>
#include <unistd.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/unit/control/rpc/server_fixture.h"

namespace bulkhead::rpc {
namespace {

using testing::HasSubstr;

class ServerTest : public ServerFixture {};

TEST_F(ServerTest, AnswersInOrderARequestALine) {
    start();
    auto client = connect();
    send_all(client, "a\nb\r\nquiet\n\nc\n");
    EXPECT_EQ(line_from(client), "re:a");
    EXPECT_EQ(line_from(client), "re:b\r");
    EXPECT_EQ(line_from(client), "re:");
    EXPECT_EQ(line_from(client), "re:c");
    EXPECT_EQ(answered, 5U);
}

TEST_F(ServerTest, ALineMayComeByteByByte) {
    start();
    auto client = connect();
    for (const char c : std::string("slowly")) {
        send_all(client, std::string_view(&c, 1));
        loop->turn(std::chrono::milliseconds(0));
    }
    EXPECT_EQ(answered, 0U);
    send_all(client, "\n");
    EXPECT_EQ(line_from(client), "re:slowly");
}

TEST_F(ServerTest, AHalfClosedClientGetsItsReplies) {
    start();
    auto client = connect();
    std::string many;
    for (int i = 0; i < 1000; ++i) many += std::to_string(i) + '\n';
    send_all(client, many + "last, without newline");
    client.end_output();
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(line_from(client), "re:" + std::to_string(i));
    EXPECT_EQ(line_from(client), "re:last, without newline");
    expect_end(client);
    EXPECT_EQ(closed, 1U);
    EXPECT_EQ(server->connections(), 0U);
}

TEST_F(ServerTest, RequestsOfAClientThatHungUpAreCarriedOut) {
    start();
    auto client = connect();
    std::string many;
    for (int i = 0; i < 1000; ++i) many += "request\n";
    send_all(client, many);
    client.close();
    turn_until([&] { return closed == 1; });
    EXPECT_EQ(answered, 1000U);
}

TEST_F(ServerTest, AClientThatHungUpAmidALineIsForgotten) {
    start();
    auto client = connect();
    loop->turn(std::chrono::milliseconds(100));
    ASSERT_EQ(server->connections(), 1U);
    client.close();
    turn_until([&] { return closed == 1; });
    EXPECT_EQ(server->connections(), 0U);
    EXPECT_EQ(answered, 0U);
}

TEST_F(ServerTest, ATurnEndsInTimeAndEveryoneHasHisTurn) {
    settings.limits.turn = std::chrono::milliseconds(10);
    std::map<std::uint64_t, std::size_t> served;
    hooks.answer = [&](const Caller& caller, std::string_view line) -> std::optional<std::string> {
        ++served[caller.connection];
        const auto end = EventLoop::Clock::now() + std::chrono::milliseconds(4);
        while (EventLoop::Clock::now() < end) {
        }
        return std::string(line);
    };
    start();
    std::vector<TestClient> clients;
    for (int i = 0; i < 8; ++i) clients.push_back(connect());
    loop->turn(std::chrono::milliseconds(100));  // accepted
    for (auto& client : clients) send_all(client, "1\n2\n3\n4\n5\n");
    loop->turn(std::chrono::milliseconds(100));
    const auto of_first_turn = served;
    EXPECT_LE(of_first_turn.size(), 3U) << "requests were begun after the turn's time";
    for (int turn = 0; turn < 8; ++turn) loop->turn(std::chrono::milliseconds(0));
    EXPECT_EQ(served.size(), 8U) << "somebody is served again and again while others wait";
    for (auto& client : clients)
        for (const char* line : {"1", "2", "3", "4", "5"}) EXPECT_EQ(line_from(client), line);
}

TEST_F(ServerTest, AClientThatNeverReadsHoldsUpOnlyItself) {
    const std::string large(10'000, 'x');
    hooks.answer = [&](const Caller&, std::string_view line) -> std::optional<std::string> {
        ++answered;
        return std::string(line) + large;
    };
    settings.limits.queued_bytes = 100'000;
    start();
    auto lazy = connect(), other = connect();
    std::string many;
    for (int i = 0; i < 1000; ++i) many += std::to_string(i) + ':';
    std::ranges::replace(many, ':', '\n');
    send_all(lazy, many);
    for (int i = 0; i < 100; ++i) {
        send_all(other, "me\n");
        ASSERT_THAT(line_from(other), HasSubstr("me"));
    }
    // What the queue holds, what the socket holds (at most 2 × wmem_default or so), and one request more.
    EXPECT_LT(answered - 100, 100U);
    const auto before = EventLoop::Clock::now();
    loop->turn(std::chrono::milliseconds(30));
    EXPECT_GE(EventLoop::Clock::now() - before, std::chrono::milliseconds(25)) << "the loop spins on the lazy client";
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(line_from(lazy), std::to_string(i) + large);  // resumed, nothing lost
}

TEST_F(ServerTest, AFloodDoesNotStarveOthers) {
    start();
    auto flood = connect(), other = connect();
    std::string many;
    for (int i = 0; i < 20'000; ++i) many += "f\n";
    std::string_view rest = flood.send_some(many);
    ASSERT_GT(many.size() - rest.size(), 10'000U);
    other.send_some("me\n");
    EXPECT_EQ(line_from(other), "re:me");
    EXPECT_LT(answered, 200U) << "served long after the flood";
}

TEST_F(ServerTest, ARequestOf64MiBIsRefusedByItsLimit) {
    start();
    auto large = connect(), other = connect();
    const std::string bytes(64 * 1024 * 1024, 'x');
    send_all(large, bytes);  // the client is a plain one: it writes it all before it reads
    EXPECT_FALSE(large.broken());
    const auto reply = nlohmann::json::parse(line_from(large));
    EXPECT_EQ(reply.at("error").at("code"), -32005);
    EXPECT_EQ(reply.at("error").at("data").at("allowed"), "16777216 bytes");
    EXPECT_EQ(reply.at("id"), nullptr);
    expect_end(large);
    EXPECT_EQ(answered, 0U);
    send_all(other, "me\n");
    EXPECT_EQ(line_from(other), "re:me");
}

TEST_F(ServerTest, TheLimitOfARequestIsExact) {
    settings.limits.request_bytes = 100'000;
    start();
    auto fits = connect();
    send_all(fits, std::string(100'000, 'x') + "\n");
    EXPECT_THAT(line_from(fits), HasSubstr("re:xxx"));
    for (const char* end : {"\n", "x"}) {  // with its newline, and still without
        auto too_large = connect();
        send_all(too_large, std::string(100'000, 'x') + "x" + end);
        EXPECT_THAT(line_from(too_large), HasSubstr("100000 bytes"));
        too_large.close();
    }
    turn_until([&] { return closed == 2; });
}

TEST_F(ServerTest, OneThatIsTurnedAwayAndStaysIsClosed) {
    settings.limits.request_bytes = 10;
    settings.limits.linger = std::chrono::milliseconds(20);
    start();
    auto client = connect();
    send_all(client, std::string(100, 'x'));
    EXPECT_THAT(line_from(client), HasSubstr("-32005"));
    expect_end(client);
    turn_until([&] { return closed == 1; });
}

TEST_F(ServerTest, UnfinishedRequestsAreBoundedTogether) {
    settings.limits.unfinished_bytes = 300'000;
    start();
    std::vector<TestClient> clients;
    for (int i = 0; i < 5; ++i) clients.push_back(connect());
    std::size_t refused = 0;
    for (auto& client : clients) send_all(client, std::string(100'000, 'x'));
    for (int i = 0; i < 20; ++i) loop->turn(std::chrono::milliseconds(1));
    for (auto& client : clients) {
        client.receive();
        if (const auto line = client.line()) refused += line->find("-32005") != std::string::npos ? 1 : 0;
    }
    EXPECT_GE(refused, 1U);
    EXPECT_LE(refused, 3U);
    // Those who were refused freed their share: there is room for an ordinary request.
    auto other = connect();
    send_all(other, "me\n");
    EXPECT_EQ(line_from(other), "re:me");
}

TEST_F(ServerTest, TheSocketAdmitsItsGroupAndRolesComeFromTheGrants) {
    if (::geteuid() != 0) GTEST_SKIP() << "being someone else needs root";
    hooks.answer = [](const Caller& caller, std::string_view) {
        return std::to_string(caller.uid) + ' ' + std::string(role_name(caller.role)) + ' ' + caller.tenant;
    };
    settings.group = 45001;
    settings.grants = {{.uid = 45007, .gid = {}, .role = Role::tenant, .tenant = "acme"}};
    start();
    ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
    const auto connect_as = [&](uid_t uid, gid_t gid) {
        EXPECT_EQ(::setegid(gid), 0);
        EXPECT_EQ(::seteuid(uid), 0);
        auto client = TestClient::connect(settings.path);
        EXPECT_EQ(::seteuid(0), 0);
        EXPECT_EQ(::setegid(0), 0);
        return client;
    };
    EXPECT_FALSE(connect_as(45007, 45002)) << "neither owner nor group";
    auto tenant = connect_as(45007, 45001), nobody = connect_as(45008, 45001), root = connect_as(0, 0);
    ASSERT_TRUE(tenant && nobody && root);
    for (auto* client : {&*tenant, &*nobody, &*root}) send_all(*client, "\n");
    EXPECT_EQ(line_from(*tenant), "45007 tenant acme");
    EXPECT_EQ(line_from(*nobody), "45008 none ");
    EXPECT_EQ(line_from(*root), "0 admin ");
}

TEST_F(ServerTest, AReplyOfTheTurnThatStopsTheLoopIsSent) {
    hooks.answer = [&](const Caller&, std::string_view) {
        loop->stop();
        return "stopping";
    };
    start();
    auto client = connect();
    client.send_some("shutdown\n");
    loop->run();
    server.reset();
    client.receive();
    EXPECT_EQ(client.line(), "stopping");
    EXPECT_TRUE(client.ended());
}

}  // namespace
}  // namespace bulkhead::rpc
