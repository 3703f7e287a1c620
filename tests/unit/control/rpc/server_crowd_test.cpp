// SPDX-License-Identifier: Apache-2.0
// More clients than the server, or the process, has room for.
#include <filesystem>
#include <sys/resource.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/unit/control/rpc/server_fixture.h"

namespace bulkhead::rpc {
namespace {

using testing::HasSubstr;

class ServerCrowdTest : public ServerFixture {
  protected:
    void SetUp() override {
        ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &former_), 0);
        rlimit raised = former_;
        raised.rlim_cur = raised.rlim_max;
        ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &raised), 0);
    }
    void TearDown() override { ::setrlimit(RLIMIT_NOFILE, &former_); }

    static std::size_t open_descriptors() {
        const std::filesystem::directory_iterator entries("/proc/self/fd");
        return static_cast<std::size_t>(std::distance(begin(entries), end(entries))) - 1;  // less the iterator's own
    }
    TestClient connect_patiently() {
        std::optional<TestClient> client;
        turn_until([&] { return (client = TestClient::connect(settings.path)).has_value(); });
        return std::move(*client);
    }

    rlimit former_{};
};

TEST_F(ServerCrowdTest, TenThousandClientsHarmNoneOfThoseServed) {
    start();
    auto served = connect();
    send_all(served, "before\n");
    EXPECT_EQ(line_from(served), "re:before");

    constexpr std::size_t kCrowd = 10'000;
    const bool at_once = former_.rlim_max > kCrowd + 2000;
    std::vector<TestClient> crowd;
    std::size_t admitted = 0, refused = 0;
    const auto count = [&](TestClient& client) {
        client.receive();
        const auto line = client.line();
        if (!line) {
            ++admitted;
            return;
        }
        const auto error = nlohmann::json::parse(*line).at("error");
        EXPECT_EQ(error.at("code"), -32005);
        EXPECT_EQ(error.at("message"), "too many connections");
        EXPECT_EQ(error.at("data").at("allowed"), "512");
        ++refused;
        EXPECT_TRUE(client.ended());
    };
    for (std::size_t i = 0; i < kCrowd; ++i) {
        crowd.push_back(connect_patiently());
        // Where the descriptors allow it they all stay; else those who were refused leave in the course of it.
        if (!at_once && i % 100 == 99) {
            for (int turn = 0; turn < 5; ++turn) loop->turn(std::chrono::milliseconds(0));
            if (server->connections() == 512) {
                for (; crowd.size() > 511; crowd.pop_back()) count(crowd.back());
            }
        }
        if (i % 1000 == 0) {
            send_all(served, "during\n");
            ASSERT_EQ(line_from(served), "re:during");
        }
    }
    for (int turn = 0; turn < 200; ++turn) loop->turn(std::chrono::milliseconds(0));
    for (auto& client : crowd) count(client);
    EXPECT_EQ(admitted, 511U);
    EXPECT_EQ(refused, kCrowd - 511);
    EXPECT_EQ(server->connections(), 512U);
    EXPECT_LT(open_descriptors(), 512 + crowd.size() + 50);

    send_all(served, "after\n");
    EXPECT_EQ(line_from(served), "re:after");
    crowd.clear();
    turn_until([&] { return server->connections() == 1; });
    auto late = connect();
    send_all(late, "late\n");
    EXPECT_EQ(line_from(late), "re:late");
}

TEST_F(ServerCrowdTest, WithoutDescriptorsNewClientsAreToldAndOldOnesServed) {
    start();
    auto served = connect();
    send_all(served, "before\n");
    EXPECT_EQ(line_from(served), "re:before");
    auto first = connect(), second = connect();  // wait in the backlog

    // The limit is on a descriptor's number, so numbers that are free below the highest are taken first.
    std::vector<UniqueFd> filler;
    const std::size_t open = open_descriptors();
    do filler.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    while (static_cast<std::size_t>(filler.back().get()) < open + filler.size() - 1);
    rlimit tight = former_;
    tight.rlim_cur = static_cast<rlim_t>(filler.back().get() + 1);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    EXPECT_THAT(line_from(first), HasSubstr("no file descriptor left"));
    EXPECT_THAT(line_from(second), HasSubstr("no file descriptor left"));
    send_all(served, "during\n");
    EXPECT_EQ(line_from(served), "re:during");

    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &former_), 0);
    auto late = connect();
    send_all(late, "late\n");
    EXPECT_EQ(line_from(late), "re:late");
}

}  // namespace
}  // namespace bulkhead::rpc
