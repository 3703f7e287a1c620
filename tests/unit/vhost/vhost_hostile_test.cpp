// SPDX-License-Identifier: Apache-2.0
// What a guest may do on its socket without harm to others: descriptors and log lines are everybody's.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <rte_log.h>

#include "tests/unit/vhost/vhost_fixture.h"
#include "vhost/log_limit.h"

namespace bulkhead::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kSetOwner = 3, kGetQueueNum = 17, kNoSuchMessage = 99;

class VhostHostileTest : public VhostTest {
  protected:
    /// A port beside the hostile one: a guest comes to it, and both exchange a frame. How long that took.
    std::chrono::milliseconds time_neighbor() {
        const auto start = std::chrono::steady_clock::now();
        Events events;
        auto neighbor =
            open_vhost_port(port(VhostMode::server, 1, "neighbor.sock"), 1500, pool_, 1, relay_, events.sink()).value();
        FakeGuest guest = FakeGuest::connect_to(path("neighbor.sock"));
        guest.start(kPlainGuest);
        EXPECT_TRUE(events.wait_for(PortEvent::link_up));
        guest.send(frame_of(60));
        rte_mbuf* frame = receive_one(*neighbor);
        EXPECT_NE(frame, nullptr);
        if (frame == nullptr || neighbor->transmit(0, &frame, 1).taken != 1) rte_pktmbuf_free(frame);
        EXPECT_TRUE(guest.receive());
        return since(start);
    }
    static std::chrono::milliseconds since(std::chrono::steady_clock::time_point start) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
    }
    /// What the thread that serves guests' sockets has used of a processor so far.
    static std::chrono::nanoseconds relay_cpu_time() {
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
            std::string name;
            std::ifstream(task.path() / "comm") >> name;
            if (name != "vhost-relay") continue;
            long spent = 0;
            std::ifstream(task.path() / "schedstat") >> spent;
            return std::chrono::nanoseconds(spent);
        }
        ADD_FAILURE() << "no such thread";
        return {};
    }
    static std::ptrdiff_t open_descriptors() {
        return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    }
};

TEST_F(VhostHostileTest, descriptors_where_none_belong_are_not_kept) {
    auto port = open(VhostTest::port(VhostMode::server));
    int descriptors[8];
    for (int& descriptor : descriptors) descriptor = dup(STDERR_FILENO);
    {
        EXPECT_EQ(FakeGuest::connect_to(path()).offered_queue_pairs(), 1U) << "as it is asked without descriptors";
    }
    wait_until_closed(*port);
    const auto before = open_descriptors();
    for (std::size_t count = 1; count <= 8; ++count) {
        FakeGuest guest = FakeGuest::connect_to(path());
        guest.send_odd_message(kGetQueueNum, {descriptors, count}, false);
        EXPECT_FALSE(guest.still_connected()) << count;
        wait_until_closed(*port);
        EXPECT_NE(detail(*port, "last_closed").find("descriptors"), std::string::npos);
    }
    EXPECT_EQ(open_descriptors(), before);
    for (const int descriptor : descriptors) close(descriptor);
}

TEST_F(VhostHostileTest, half_a_message_holds_up_nobody) {
    constexpr std::array<std::uint8_t, 20> kSetFeatures{2, 0, 0, 0, 1, 0, 0, 0, 8};
    for (const std::size_t part : {1U, 6U, 12U, 13U, 19U}) {
        auto port = open(VhostTest::port(VhostMode::server));
        FakeGuest guest = FakeGuest::connect_to(path());
        EXPECT_TRUE(guest.send_bytes(std::span(kSetFeatures).first(part)));
        EXPECT_LT(time_neighbor(), milliseconds(500)) << part;
        const auto start = std::chrono::steady_clock::now();
        port.reset();
        EXPECT_LT(since(start), milliseconds(100)) << part;
    }
}

TEST_F(VhostHostileTest, who_reads_no_answers_holds_up_nobody) {
    auto port = open(VhostTest::port(VhostMode::server));
    constexpr std::array<std::uint8_t, 12> kGetFeatures{1, 0, 0, 0, 1, 0, 0, 0, 0};
    FakeGuest guest = FakeGuest::connect_to(path());
    int asked = 0;
    while (guest.send_bytes(kGetFeatures)) ++asked;
    EXPECT_GT(asked, 100);
    EXPECT_LT(time_neighbor(), milliseconds(500));
    const auto start = std::chrono::steady_clock::now();
    port.reset();
    EXPECT_LT(since(start), milliseconds(100));
}

/// Its last replies wait for it, from a librte_vhost that has hung up: nobody may look again and again whether it
/// reads.
TEST_F(VhostHostileTest, who_reads_no_answers_and_is_hung_up_on_keeps_no_thread_busy) {
    constexpr std::array<std::uint8_t, 12> kGetFeatures{1, 0, 0, 0, 1, 0, 0, 0, 0};
    constexpr std::array<std::uint8_t, 20> kWrongFeatures{2, 0, 0, 0, 1, 0, 0, 0, 8, 0,
                                                          0, 0, 0, 4, 0, 0, 0, 0, 0, 0};  // UDP fragmentation
    auto port = open(VhostTest::port(VhostMode::server));
    // So many answers as the socket holds, and a few more, must be asked for; by steps, since nobody tells how many.
    for (int asks = 200; asks < 360; asks += 12) {
        FakeGuest guest = FakeGuest::connect_to(path());
        std::vector<std::uint8_t> messages;
        for (int times = 0; times < asks; ++times)
            messages.insert(messages.end(), kGetFeatures.begin(), kGetFeatures.end());
        messages.insert(messages.end(), kWrongFeatures.begin(), kWrongFeatures.end());
        ASSERT_TRUE(guest.send_bytes(messages));
        // The time is what is measured. What is said is still being served at first, and later under sanitizers.
        std::chrono::nanoseconds least = milliseconds(20);
        for (int looks = 0; looks < 5 && least >= milliseconds(5); ++looks) {
            const auto before = relay_cpu_time();
            std::this_thread::sleep_for(milliseconds(20));
            least = std::min(least, relay_cpu_time() - before);
        }
        EXPECT_LT(least, milliseconds(5)) << asks;
    }
}

TEST_F(VhostHostileTest, a_flood_of_connections_holds_up_nobody) {
    auto port = open(VhostTest::port(VhostMode::server));
    std::atomic<bool> stop = false;
    std::atomic<int> tries = 0;
    std::thread flood([&] {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path().copy(address.sun_path, sizeof address.sun_path - 1);
        while (!stop) {
            const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
            [[maybe_unused]] const int refused =
                connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
            close(fd);
            ++tries;
        }
    });
    for (int times = 0; times < 5 || tries < 5000; ++times) EXPECT_LT(time_neighbor(), milliseconds(500));
    stop = true;
    flood.join();
    const auto start = std::chrono::steady_clock::now();
    port.reset();
    EXPECT_LT(since(start), milliseconds(100));
}

TEST_F(VhostHostileTest, memory_taken_back_costs_the_guest_its_connection) {
    using Act = std::function<void(PortIo&, FakeGuest&)>;
    const auto receives = [](PortIo& port, FakeGuest&) { EXPECT_EQ(receive_one(port), nullptr); };
    const auto transmits = [this](PortIo& port, FakeGuest&) {
        rte_mbuf* frame = buffer(frame_of(60));
        if (port.transmit(0, &frame, 1).taken == 0) rte_pktmbuf_free(frame);
    };
    const auto idles = [](PortIo& port, FakeGuest&) {
        port.arm(0);
        port.disarm(0);
    };
    const auto asks = [](PortIo&, FakeGuest& guest) { guest.touch_ring(0); };
    long visit = 0;
    for (const Act& act : {Act(receives), Act(transmits), Act(idles), Act(asks)}) {
        ++visit;
        std::optional<FakeGuest> guest;
        auto port = open(VhostTest::port(VhostMode::server));
        guest.emplace(FakeGuest::connect_to(path()));
        guest->start(kPlainGuest);
        ASSERT_TRUE(events_.wait_for(PortEvent::link_up, visit));
        guest->take_memory_back();
        act(*port, *guest);
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visit)) << visit;
        EXPECT_FALSE(guest->still_connected());
        wait_until_closed(*port);
        EXPECT_NE(detail(*port, "last_closed").find("memory"), std::string::npos) << visit;
        FakeGuest next = FakeGuest::connect_to(path());
        next.start(kPlainGuest);
        next.send(frame_of(60));
        EXPECT_TRUE(events_.wait_for(PortEvent::link_up, ++visit));
        rte_mbuf* frame = receive_one(*port);
        EXPECT_NE(frame, nullptr);
        rte_pktmbuf_free(frame);
        port.reset();
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visit));
    }
}

/// And so has a worker waiting in write(2) to interrupt it.
TEST_F(VhostHostileTest, an_eventfd_that_is_full_costs_the_guest_its_connection) {
    for (int times = 1; times <= 3; ++times) {
        std::optional<FakeGuest> guest;
        auto port = open_with_guest(guest);
        rte_mbuf* frame = buffer(frame_of(60));
        guest->jam_calls();
        const auto start = std::chrono::steady_clock::now();
        std::atomic<bool> is_back{false};
        std::thread worker([&] {
            if (port->transmit(0, &frame, 1).taken == 0) rte_pktmbuf_free(frame);
            is_back = true;
        });
        if (times == 2) {
            EXPECT_THROW(guest->enable_ring(0, true), std::exception) << "librte_vhost waits for the worker, too";
        }
        EXPECT_LT(time_neighbor(), milliseconds(1000));
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, times));
        worker.join();
        EXPECT_LT(since(start), milliseconds(1000));
        EXPECT_TRUE(is_back);
        wait_until_closed(*port);
        EXPECT_NE(detail(*port, "last_closed").find("eventfd"), std::string::npos) << detail(*port, "last_closed");
    }
}

TEST_F(VhostHostileTest, nonsense_fills_no_log) {
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* const log = open_memstream(&text, &size);
    auto port = open(VhostTest::port(VhostMode::server));
    rte_openlog_stream(log);
    {
        FakeGuest guest = FakeGuest::connect_to(path());
        for (int times = 0; times < 100; ++times) guest.send_odd_message(kSetOwner, {}, true);
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
