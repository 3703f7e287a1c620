// SPDX-License-Identifier: Apache-2.0
// A worker sleeps on wake_fd() between arm() and disarm().
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/vhost/vhost_fixture.h"

namespace bulkhead::test {
namespace {

class VhostWakeTest : public VhostTest {
  protected:
    static bool readable(const PortIo& port, int wait_ms = 0) {
        pollfd waiting{.fd = port.wake_fd(0), .events = POLLIN, .revents = 0};
        return poll(&waiting, 1, wait_ms) == 1;
    }
    static void take(PortIo& port) {
        rte_mbuf* frame = receive_one(port);
        ASSERT_NE(frame, nullptr);
        rte_pktmbuf_free(frame);
    }
};

TEST_F(VhostWakeTest, an_armed_queue_is_woken_by_a_frame) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    port->disarm(0);
    ASSERT_FALSE(readable(*port));
    guest->send(frame_of(60));
    EXPECT_FALSE(readable(*port)) << "the guest kicks while the worker polls";
    take(*port);

    ASSERT_TRUE(port->arm(0));
    EXPECT_FALSE(readable(*port));
    guest->send(frame_of(60));
    EXPECT_TRUE(readable(*port, 1000));
    port->disarm(0);
    EXPECT_FALSE(readable(*port)) << "the signal was not consumed";
    take(*port);
}

TEST_F(VhostWakeTest, a_guest_kicks_nobody_who_never_slept) {
    auto port = open(VhostTest::port(VhostMode::server, 2));
    FakeGuest guest = FakeGuest::connect_to(path());
    guest.start(kPlainGuest | 1ULL << 22, 2);
    ASSERT_TRUE(events_.wait_for(PortEvent::link_up));
    for (std::uint16_t pair = 0; pair < 2; ++pair) EXPECT_FALSE(guest.is_to_kick(pair)) << pair;
    ASSERT_TRUE(port->arm(1));
    EXPECT_FALSE(guest.is_to_kick(0));
    EXPECT_TRUE(guest.is_to_kick(1));
    port->disarm(1);
    EXPECT_FALSE(guest.is_to_kick(1));
}

TEST_F(VhostWakeTest, nobody_sleeps_on_a_guest_that_cannot_kick) {
    auto port = open(VhostTest::port(VhostMode::server));
    EXPECT_TRUE(port->arm(0)) << "without a guest the bell wakes";
    FakeGuest guest = FakeGuest::connect_to(path());
    guest.never_kick();
    guest.start(kPlainGuest);
    ASSERT_TRUE(events_.wait_for(PortEvent::link_up));
    EXPECT_FALSE(port->arm(0)) << "its frames would wait for whatever else wakes the worker";
}

TEST_F(VhostWakeTest, arming_with_frames_waiting_says_so) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    port->disarm(0);
    guest->send(frame_of(60), {}, 0, false);
    EXPECT_FALSE(port->arm(0));
    port->disarm(0);
    take(*port);
    EXPECT_TRUE(port->arm(0));
}

TEST_F(VhostWakeTest, a_guest_that_comes_or_goes_wakes_the_worker_and_the_descriptor_stays) {
    auto port = open(VhostTest::port(VhostMode::server));
    const int fd = port->wake_fd(0);
    ASSERT_GE(fd, 0);
    for (long visit = 1; visit <= 3; ++visit) {
        port->disarm(0);
        ASSERT_TRUE(port->arm(0));
        ASSERT_FALSE(readable(*port));
        FakeGuest guest = FakeGuest::connect_to(path());
        guest.start(kPlainGuest);
        ASSERT_TRUE(events_.wait_for(PortEvent::link_up, visit));
        EXPECT_TRUE(readable(*port));

        port->disarm(0);
        ASSERT_TRUE(port->arm(0));
        guest.send(frame_of(60));
        EXPECT_TRUE(readable(*port, 1000)) << "this guest's kicks are not seen, visit " << visit;
        port->disarm(0);
        take(*port);

        ASSERT_TRUE(port->arm(0));
        {
            FakeGuest leaving = std::move(guest);
        }
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visit));
        EXPECT_TRUE(readable(*port));
        EXPECT_EQ(port->wake_fd(0), fd);
    }
}

}  // namespace
}  // namespace bulkhead::test
