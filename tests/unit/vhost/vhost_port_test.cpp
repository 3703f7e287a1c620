// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

#include "tests/unit/vhost/vhost_fixture.h"

namespace bulkhead::test {
namespace {

class VhostPortTest : public VhostTest {};

TEST_F(VhostPortTest, client_waits_for_its_guest_and_takes_it_back) {
    auto port = open(VhostTest::port(VhostMode::client));
    rte_mbuf* frame = buffer(frame_of(60));
    EXPECT_FALSE(port->state().link_up);
    EXPECT_EQ(receive_one(*port), nullptr);
    EXPECT_EQ(port->transmit(0, &frame, 1).reason, DropReason::guest_not_ready);
    rte_pktmbuf_free(frame);

    for (long visit = 1; visit <= 2; ++visit) {
        FakeGuest guest = FakeGuest::listen_on(path());
        guest.start(kPlainGuest);
        ASSERT_TRUE(events_.wait_for(PortEvent::link_up, visit));
        const PortState state = port->state();
        EXPECT_TRUE(state.link_up && state.guest_connected);
        EXPECT_EQ(state.queues_enabled, 1);
        EXPECT_NE(state.features & kVersion1, 0U);
        guest.send(frame_of(100));
        rte_mbuf* received = receive_one(*port);
        ASSERT_NE(received, nullptr);
        rte_pktmbuf_free(received);
        std::filesystem::remove(path());
        {
            FakeGuest leaving = std::move(guest);
        }
        ASSERT_TRUE(events_.wait_for(PortEvent::link_down, visit));
        EXPECT_FALSE(port->state().link_up);
    }
}

TEST_F(VhostPortTest, frames_cross_both_ways_whole) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    for (const std::size_t size : {14U, 60U, 1514U, 2048U, 2049U, 9000U, 65000U}) {
        guest->send(frame_of(size));
        rte_mbuf* frame = receive_one(*port);
        ASSERT_NE(frame, nullptr) << size;
        EXPECT_EQ(bytes_of(frame), frame_of(size)) << size;
        EXPECT_EQ(frame->ol_flags, 0U);

        const TransmitResult sent = port->transmit(0, &frame, 1);
        EXPECT_EQ(sent.taken, 1) << size;
        EXPECT_EQ(sent.reason, DropReason::none);
        const auto delivered = guest->receive();
        ASSERT_TRUE(delivered) << size;
        EXPECT_EQ(delivered->frame, frame_of(size)) << size;
        EXPECT_EQ(delivered->header.flags, 0);
        guest->give_buffers(1);
    }
}

TEST_F(VhostPortTest, each_virtqueue_counts_what_goes_through_it) {
    auto port = open(VhostTest::port(VhostMode::server, 2));
    for (const VirtqueueState& ring : port->state().virtqueues) EXPECT_FALSE(ring.enabled || ring.size != 0);
    FakeGuest guest = FakeGuest::connect_to(path());
    guest.start(kPlainGuest | 1ULL << 22, 2, 3);
    ASSERT_TRUE(events_.wait_for(PortEvent::link_up));
    while (port->state().queues_enabled < 2) std::this_thread::yield();
    guest.send(frame_of(100), {}, 1);
    guest.send(frame_of(60), {}, 1);
    rte_mbuf* frames[5];
    ASSERT_EQ(port->receive(1, frames, 5), 2);
    for (std::size_t at = 2; at < 5; ++at) frames[at] = buffer(frame_of(70));
    EXPECT_EQ(port->transmit(0, frames, 5).taken, 3);
    EXPECT_EQ(port->transmit(0, frames + 3, 2).taken, 0);
    rte_pktmbuf_free_bulk(frames + 3, 2);

    const auto rings = port->state().virtqueues;
    ASSERT_EQ(rings.size(), 4U);
    const std::uint64_t expected[][3] = {{3, 230, 2}, {0, 0, 0}, {0, 0, 0}, {2, 160, 0}};
    for (std::uint16_t at = 0; at < 4; ++at) {
        SCOPED_TRACE(at);
        EXPECT_EQ(rings[at].index, at);
        EXPECT_EQ(rings[at].to_guest, at % 2 == 0);
        EXPECT_TRUE(rings[at].enabled);
        EXPECT_EQ(rings[at].size, FakeGuest::kRingSize);
        EXPECT_EQ(rings[at].frames, expected[at][0]);
        EXPECT_EQ(rings[at].bytes, expected[at][1]);
        EXPECT_EQ(rings[at].full, expected[at][2]);
    }
}

TEST_F(VhostPortTest, a_burst_keeps_its_order) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    constexpr std::uint16_t kCount = 50;  // more than librte_vhost moves in one call
    for (std::uint16_t at = 0; at < kCount; ++at) guest->send(frame_of(60, static_cast<std::uint8_t>(at)));
    rte_mbuf* frames[64];
    ASSERT_EQ(port->receive(0, frames, 64), kCount);
    EXPECT_EQ(port->transmit(0, frames, kCount).taken, kCount);
    for (std::uint16_t at = 0; at < kCount; ++at)
        EXPECT_EQ(guest->receive()->frame, frame_of(60, static_cast<std::uint8_t>(at)));
}

TEST_F(VhostPortTest, a_full_guest_takes_what_fits_and_the_rest_stays_the_callers) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kPlainGuest, 3);
    rte_mbuf* frames[5];
    for (rte_mbuf*& frame : frames) frame = buffer(frame_of(60));
    const TransmitResult sent = port->transmit(0, frames, 5);
    EXPECT_EQ(sent.taken, 3);
    EXPECT_EQ(sent.reason, DropReason::guest_queue_full);
    guest->give_buffers(2);
    EXPECT_EQ(port->transmit(0, frames + 3, 2).taken, 2);
}

TEST_F(VhostPortTest, a_frame_too_long_for_the_guests_buffers_stops_nobody_else) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kVersion1, 0);  // no mergeable buffers: a frame, a buffer
    guest->give_buffers(2, 0, 1526);
    rte_mbuf* frames[4] = {buffer(frame_of(60)), buffer(frame_of(1600)), buffer(frame_of(1514)), buffer(frame_of(61))};
    const TransmitResult sent = port->transmit(0, frames, 4);
    EXPECT_EQ(sent.taken, 1);
    EXPECT_EQ(sent.reason, DropReason::tx_error);
    const TransmitResult rest = port->transmit(0, frames + 2, 2);
    EXPECT_EQ(rest.taken, 1);
    EXPECT_EQ(rest.reason, DropReason::guest_queue_full) << "without a buffer nobody knows whether it would fit";
    rte_pktmbuf_free(frames[1]);
    rte_pktmbuf_free(frames[3]);
}

TEST_F(VhostPortTest, a_disabled_ring_takes_nothing) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    guest->enable_ring(0, false);
    guest->enable_ring(1, false);
    rte_mbuf* frame = buffer(frame_of(60));
    EXPECT_EQ(port->transmit(0, &frame, 1).reason, DropReason::guest_disabled);
    guest->send(frame_of(60));
    EXPECT_EQ(receive_one(*port), nullptr);
    EXPECT_EQ(port->state().queues_enabled, 0);

    guest->enable_ring(0, true);
    guest->enable_ring(1, true);
    EXPECT_EQ(port->transmit(0, &frame, 1).taken, 1);
    rte_mbuf* received = receive_one(*port);
    EXPECT_NE(received, nullptr);
    rte_pktmbuf_free(received);
}

TEST_F(VhostPortTest, a_guest_that_stops_its_driver_is_not_ready) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    guest->stop();
    ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected));
    rte_mbuf* frame = buffer(frame_of(60));
    EXPECT_EQ(port->transmit(0, &frame, 1).reason, DropReason::guest_not_ready);
    rte_pktmbuf_free(frame);
}

TEST_F(VhostPortTest, workers_spread_over_the_queue_pairs_that_the_guest_uses) {
    auto port = open(VhostTest::port(VhostMode::server, 4), 3);
    EXPECT_EQ(port->receive_queues(), 4);
    EXPECT_EQ(port->transmit_queues(), 3);
    FakeGuest guest = FakeGuest::connect_to(path());
    EXPECT_EQ(guest.offered_queue_pairs(), 4U);
    guest.start(kPlainGuest | 1ULL << 22, 2);
    ASSERT_TRUE(events_.wait_for(PortEvent::link_up));
    EXPECT_EQ(port->state().queues_enabled, 2);

    for (std::uint16_t worker = 0; worker < 3; ++worker) {
        rte_mbuf* frame = buffer(frame_of(60, static_cast<std::uint8_t>(worker)));
        EXPECT_EQ(port->transmit(worker, &frame, 1).taken, 1);
        EXPECT_EQ(guest.receive(worker % 2)->frame[0], worker);
    }
    for (std::uint16_t pair = 0; pair < 2; ++pair) {
        guest.send(frame_of(60), {}, pair);
        rte_mbuf* frame = receive_one(*port, pair);
        ASSERT_NE(frame, nullptr);
        rte_pktmbuf_free(frame);
    }
    guest.enable_ring(0, false);  // then pair 1 takes every worker's frames
    rte_mbuf* frame = buffer(frame_of(60));
    EXPECT_EQ(port->transmit(0, &frame, 1).taken, 1);
    EXPECT_TRUE(guest.receive(1));
}

TEST_F(VhostPortTest, offers_what_the_switch_carries_and_no_more) {
    auto port = open(VhostTest::port(VhostMode::server));
    const std::uint64_t offered = FakeGuest::connect_to(path()).offered_features();
    for (const unsigned bit : {0U, 1U, 7U, 8U, 11U, 12U, 15U, 28U, 29U, 30U, 32U})
        EXPECT_NE(offered >> bit & 1, 0U) << "not offered: " << bit;
    for (const unsigned bit : {6U, 9U, 10U, 13U, 14U, 22U, 33U, 34U})
        EXPECT_EQ(offered >> bit & 1, 0U) << "offered: " << bit;
}

TEST_F(VhostPortTest, another_mtu_costs_the_guest_nothing) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    EXPECT_TRUE(port->set_mtu(9000));
    EXPECT_EQ(detail(*port, "mtu"), "9000");
    EXPECT_TRUE(port->state().guest_connected);
}

TEST_F(VhostPortTest, a_second_guest_on_the_same_socket_is_closed) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    EXPECT_FALSE(FakeGuest::connect_to(path()).still_connected());
    guest->send(frame_of(60));
    rte_mbuf* frame = receive_one(*port);
    EXPECT_NE(frame, nullptr);
    rte_pktmbuf_free(frame);
}

TEST_F(VhostPortTest, an_endless_frame_empties_no_pool) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    unsigned least = buffers_at_start_;
    std::atomic<bool> done = false;
    std::thread watcher([&] {
        while (!done) least = std::min(least, rte_mempool_avail_count(pool_));
    });
    for (int frame = 0; frame < 100; ++frame) {
        guest->send_endless(200U << 20);
        EXPECT_EQ(receive_one(*port), nullptr);
    }
    done = true;
    watcher.join();
    EXPECT_GT(least, buffers_at_start_ - 64);

    guest->send(frame_of(65000));
    rte_mbuf* frame = receive_one(*port);
    ASSERT_NE(frame, nullptr) << "a large frame behind it";
    EXPECT_EQ(frame->pkt_len, 65000U);
    rte_pktmbuf_free(frame);
}

TEST_F(VhostPortTest, a_server_takes_the_next_guest) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    for (long visit = 2; visit <= 4; ++visit) {
        guest.reset();
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visit - 1));
        guest.emplace(FakeGuest::connect_to(path()));
        guest->start(kPlainGuest);
        ASSERT_TRUE(events_.wait_for(PortEvent::link_up, visit));
        rte_mbuf* frame = buffer(frame_of(60));
        EXPECT_EQ(port->transmit(0, &frame, 1).taken, 1);
    }
}

TEST_F(VhostPortTest, removing_the_port_ends_the_connection_and_the_socket) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest);
    port.reset();
    EXPECT_FALSE(guest->still_connected());
    EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace bulkhead::test
