// SPDX-License-Identifier: Apache-2.0
// What a guest may do on its socket without harm to others: descriptors and log lines are everybody's.
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <unistd.h>

#include <rte_log.h>

#include "tests/unit/vhost/vhost_fixture.h"
#include "vhost/log_limit.h"

namespace bulkhead::test {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t kGetQueueNum = 17, kNoSuchMessage = 99;

class VhostHostileTest : public VhostTest {
  protected:
    static std::ptrdiff_t open_descriptors() {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    }
};

TEST_F(VhostHostileTest, descriptors_where_none_belong_are_not_kept) {
    auto port = open(VhostTest::port(VhostMode::server));
    int descriptors[8];
    for (int& descriptor : descriptors) descriptor = dup(STDERR_FILENO);
    const auto before = open_descriptors();
    {
        EXPECT_EQ(FakeGuest::connect_to(path()).offered_queue_pairs(), 1U) << "as it is asked without descriptors";
    }
    for (std::size_t count = 1; count <= 8; ++count) {
        FakeGuest guest = FakeGuest::connect_to(path());
        guest.send_odd_message(kGetQueueNum, {descriptors, count}, false);
        EXPECT_FALSE(guest.still_connected()) << count;
    }
    // The connections' own descriptors go in a moment.
    for (int wait = 0; wait < 10'000 && open_descriptors() != before; ++wait) usleep(1000);
    EXPECT_EQ(open_descriptors(), before);
    for (const int descriptor : descriptors) close(descriptor);
}

TEST_F(VhostHostileTest, nonsense_fills_no_log) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* const log = open_memstream(&text, &size);
    auto port = open(VhostTest::port(VhostMode::server));
    rte_openlog_stream(log);
    {
        FakeGuest guest = FakeGuest::connect_to(path());
        for (int times = 0; times < 100; ++times) guest.send_odd_message(kNoSuchMessage, {}, true);
    }
    for (int times = 0; times < 10; ++times) {
        FakeGuest guest = FakeGuest::connect_to(path());
        guest.send_odd_message(kNoSuchMessage, {}, false);
        EXPECT_FALSE(guest.still_connected());
    }
    port.reset();
    rte_openlog_stream(nullptr);
    std::fclose(log);
    EXPECT_EQ(std::string_view(text, size), "");
    std::free(text);
}

TEST(LogLimit, lets_one_line_pass_in_ten_seconds_and_counts_the_rest) {
    vhost::LogLimit limit;
    const vhost::LogLimit::Time start{};
    EXPECT_EQ(limit.pass(start), 1U);
    for (int second = 1; second < 10; ++second) EXPECT_FALSE(limit.pass(start + seconds(second)));
    EXPECT_EQ(limit.pass(start + seconds(10)), 10U);
    EXPECT_FALSE(limit.pass(start + seconds(11)));
    EXPECT_EQ(limit.pass(start + seconds(1000)), 2U);
}

}  // namespace
}  // namespace bulkhead::test
