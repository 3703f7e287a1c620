// SPDX-License-Identifier: Apache-2.0
// Frames through a TAP port, with a packet socket as the pod.
#include "pmd/tap/tap_port.h"

#include <array>
#include <sys/socket.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "tests/unit/pmd/support/frames.h"
#include "tests/unit/pmd/support/test_namespace.h"

namespace bulkhead {
namespace {

using test::Bytes;
using test::kTestEtherType;

class TapPortTest : public test::PoolCheck {
  protected:
    void open(std::uint16_t queues = 1, std::uint16_t mtu = 1500, rte_mempool* pool = test::buffers()) {
        Port port;
        port.name = "pod";
        port.queues = queues;
        port.device = TapDevice{.netns = pod_.path(), .ifname = "net1", .mac = {}, .owner_uid = {}};
        auto opened = open_tap_port(port, mtu, pool, 2, [this](PortEvent event) { events_.push_back(event); });
        ASSERT_TRUE(opened) << opened.error().message;
        port_ = std::move(*opened);
        wire_ = pod_.packet_socket("net1", kTestEtherType);
    }

    void TearDown() override {
        port_.reset();
        PoolCheck::TearDown();
    }

    /// What the port receives next, other than what the kernel sends by itself.
    rte_mbuf* receive(std::uint16_t queue = 0) {
        while (test::wait_readable(port_->wake_fd(queue))) {
            rte_mbuf* frame = nullptr;
            if (port_->receive(queue, &frame, 1) != 1) continue;
            const auto bytes = test::bytes_of(*frame);
            if (bytes[12] == kTestEtherType >> 8 && bytes[13] == (kTestEtherType & 0xff)) return frame;
            rte_pktmbuf_free(frame);
        }
        return nullptr;
    }

    TransmitResult transmit(rte_mbuf* frame) { return port_->transmit(0, &frame, 1); }

    static Bytes test_frame(std::size_t size, std::uint8_t salt = 0) {
        Bytes bytes(size);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + salt);
        bytes[0] = bytes[6] = 2;
        bytes[12] = kTestEtherType >> 8;
        bytes[13] = kTestEtherType & 0xff;
        return bytes;
    }

    test::TestNamespace pod_;
    UniqueFd wire_;
    std::vector<PortEvent> events_;
    std::unique_ptr<PortIo> port_;
};

TEST_F(TapPortTest, CarriesFramesOfEverySizeBothWays) {
    open(1, 9000);
    for (const std::size_t size : {14U, 60U, 2047U, 2048U, 2049U, 4096U, 9014U}) {
        const auto bytes = test_frame(size);
        EXPECT_EQ(transmit(test::make_frame(bytes, 1000)).taken, 1);
        EXPECT_EQ(test::next_frame(wire_), bytes);

        ASSERT_EQ(send(wire_.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(size));
        rte_mbuf* const frame = receive();
        ASSERT_NE(frame, nullptr) << size;
        EXPECT_EQ(test::bytes_of(*frame), bytes);
        EXPECT_EQ(frame->nb_segs, (size + 2047) / 2048);
        EXPECT_EQ(frame->ol_flags, 0);
        rte_pktmbuf_free(frame);
    }
}

TEST_F(TapPortTest, ReceivesBurstsAndNeverWaits) {
    open();
    std::array<rte_mbuf*, 32> frames{};
    pod_.command("link set net1 down");  // from here on the kernel sends nothing by itself
    while (port_->receive(0, frames.data(), 1) != 0) rte_pktmbuf_free(frames[0]);
    EXPECT_EQ(port_->receive(0, frames.data(), 32), 0);
    pod_.command("link set net1 up");
    wire_ = pod_.packet_socket("net1", kTestEtherType);  // the old one has "network is down" to tell
    for (std::uint8_t i = 0; i < 40; ++i) {
        const auto bytes = test_frame(100, i);
        ASSERT_EQ(send(wire_.get(), bytes.data(), bytes.size(), 0), 100);
    }
    for (std::uint8_t i = 0; i < 40; ++i) {
        rte_mbuf* const frame = receive();
        ASSERT_NE(frame, nullptr);
        EXPECT_EQ(test::bytes_of(*frame), test_frame(100, i));
        rte_pktmbuf_free(frame);
    }
}

TEST_F(TapPortTest, ASharedFrameIsReadOnlyAndItsIpv4ChecksumFinished) {
    open();
    const test::Datagram datagram{.protocol = 17};
    const auto good = test::build(datagram);
    auto pending = good;
    pending[24] = pending[25] = 0;
    rte_mbuf* frame = test::make_frame(pending, 60);
    frame->ol_flags = RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4;
    frame->l2_len = 14;
    frame->l3_len = 20;
    rte_pktmbuf_refcnt_update(frame, 1);
    const auto wire = pod_.packet_socket("net1", 0x0800);
    EXPECT_EQ(transmit(frame).taken, 1);
    EXPECT_EQ(test::next_frame(wire), good);
    EXPECT_EQ(test::bytes_of(*frame), pending);
    rte_pktmbuf_free(frame);
}

TEST_F(TapPortTest, OneBadFrameIsRefusedAndNamesItself) {
    open();
    rte_mbuf* frames[3] = {test::make_frame(test_frame(60)), test::make_frame(Bytes(5)),
                           test::make_frame(test_frame(61))};
    const auto result = port_->transmit(0, frames, 3);
    EXPECT_EQ(result.taken, 1);
    EXPECT_EQ(result.reason, DropReason::tx_error);
    rte_pktmbuf_free(frames[1]);
    EXPECT_EQ(port_->transmit(0, frames + 2, 1).taken, 1);
}

TEST_F(TapPortTest, AFrameOfVeryManySegmentsIsRefused) {
    open();
    rte_mbuf* const frame = test::make_frame(test_frame(1000), 5);
    EXPECT_EQ(transmit(frame).reason, DropReason::tx_error);
    rte_pktmbuf_free(frame);
}

TEST_F(TapPortTest, AnInterfaceThatThePodSetsDownIsALinkThatIsDown) {
    open();
    EXPECT_TRUE(port_->state().link_up);
    pod_.command("link set net1 down");
    rte_mbuf* const frame = test::make_frame(test_frame(60));
    const auto result = transmit(frame);
    EXPECT_EQ(result.taken, 0);
    EXPECT_EQ(result.reason, DropReason::link_down);
    EXPECT_FALSE(port_->state().link_up);
    pod_.command("link set net1 up");
    EXPECT_TRUE(port_->state().link_up);
    EXPECT_THAT(events_, testing::ElementsAre(PortEvent::link_down, PortEvent::link_up));
    EXPECT_EQ(transmit(frame).taken, 1);
}

TEST_F(TapPortTest, ADeviceThatThePodDeletesIsGone) {
    open();
    pod_.command("link delete net1");
    rte_mbuf* const frame = test::make_frame(test_frame(60));
    EXPECT_EQ(transmit(frame).reason, DropReason::port_gone);
    rte_mbuf* none = nullptr;
    EXPECT_EQ(port_->receive(0, &none, 1), 0);
    EXPECT_FALSE(port_->state().link_up);
    EXPECT_FALSE(port_->state().link_up);
    EXPECT_THAT(events_, testing::ElementsAre(PortEvent::device_removed));  // once
    rte_pktmbuf_free(frame);
    port_->release();
}

TEST_F(TapPortTest, AWorkerTellsOfADeletedDeviceOnceAndAtOnce) {
    open(2);
    pod_.command("link delete net1");
    rte_mbuf* none = nullptr;
    for (int poll = 0; poll < 3; ++poll)
        for (std::uint16_t queue = 0; queue < 2; ++queue) EXPECT_EQ(port_->receive(queue, &none, 1), 0);
    EXPECT_THAT(events_, testing::ElementsAre(PortEvent::device_removed));
    EXPECT_FALSE(port_->state().link_up);
    EXPECT_EQ(events_.size(), 1U);
    port_->release();
}

TEST_F(TapPortTest, ANamespaceThatLosesItsNameIsGone) {
    // What `ip netns del` does to a path; the namespace itself lives on while descriptors of the port are open.
    const std::string path = ::testing::TempDir() + "bulkhead-netns-" + std::to_string(getpid());
    ASSERT_EQ(symlink(pod_.path().c_str(), path.c_str()), 0);
    Port port;
    port.name = "tap";
    port.device = TapDevice{.netns = path, .ifname = "net1", .mac = {}, .owner_uid = {}};
    auto opened = open_tap_port(port, 1500, test::buffers(), 1, [this](PortEvent event) { events_.push_back(event); });
    const bool was_up = opened && (*opened)->state().link_up;
    unlink(path.c_str());
    ASSERT_TRUE(was_up);
    EXPECT_FALSE((*opened)->state().link_up);
    EXPECT_THAT(events_, testing::ElementsAre(PortEvent::device_removed));
    (*opened)->release();
}

TEST_F(TapPortTest, ClosingKeepsTheDeviceAndReleasingDeletesIt) {
    open();
    port_.reset();
    EXPECT_TRUE(pod_.has_link("net1"));
    open();
    port_->release();
    port_.reset();
    EXPECT_FALSE(pod_.has_link("net1"));
}

TEST_F(TapPortTest, TakesAnotherMtuWhileItRuns) {
    open(2);
    EXPECT_TRUE(port_->set_mtu(1400));
    EXPECT_THAT(pod_.show("net1"), testing::HasSubstr("mtu 1400"));
    EXPECT_FALSE(port_->set_mtu(65535)) << "the kernel's bound is 65521";
    EXPECT_THAT(pod_.show("net1"), testing::HasSubstr("mtu 1400"));
    pod_.command("link delete net1");
    EXPECT_FALSE(port_->set_mtu(1500));
}

TEST_F(TapPortTest, EveryQueueWorks) {
    open(3);
    EXPECT_EQ(port_->receive_queues(), 3);
    EXPECT_EQ(port_->transmit_queues(), 3);
    for (std::uint16_t queue = 0; queue < 3; ++queue) {
        rte_mbuf* frame = test::make_frame(test_frame(60, static_cast<std::uint8_t>(queue)));
        EXPECT_EQ(port_->transmit(queue, &frame, 1).taken, 1);
        EXPECT_EQ(test::next_frame(wire_), test_frame(60, static_cast<std::uint8_t>(queue)));
    }
    EXPECT_NE(port_->wake_fd(0), port_->wake_fd(1));
    EXPECT_TRUE(port_->arm(0));
}

TEST_F(TapPortTest, StateTellsOfTheDevice) {
    open();
    const auto state = port_->state();
    EXPECT_EQ(state.driver, "tap");
    EXPECT_EQ(state.queues_enabled, 1);
    EXPECT_NE(pod_.show("net1").find(state.mac), std::string::npos) << state.mac;
    EXPECT_THAT(state.details, testing::Contains(testing::Pair("ifname", "net1")));
    EXPECT_EQ(port_->offloads(),
              kOffloadL4Checksum | kOffloadIpv4Checksum | kOffloadTso4 | kOffloadTso6 | kOffloadMultiSegment);
}

TEST_F(TapPortTest, AThreadHoldsBuffersForOneFrameHoweverManyQueuesItPolls) {
    std::vector<test::TestNamespace> pods(5);
    std::vector<std::unique_ptr<PortIo>> ports;
    const unsigned before = rte_mempool_in_use_count(test::buffers());
    for (const auto& pod : pods) {
        Port port;
        port.name = "pod";
        port.queues = 4;
        port.device = TapDevice{.netns = pod.path(), .ifname = "net1", .mac = {}, .owner_uid = {}};
        auto opened = open_tap_port(port, 1500, test::buffers(), 1, {});
        ASSERT_TRUE(opened) << opened.error().message;
        ports.push_back(std::move(*opened));
    }
    rte_mbuf* frames[32];
    for (const auto& port : ports)
        for (std::uint16_t queue = 0; queue < 4; ++queue)
            rte_pktmbuf_free_bulk(frames, port->receive(queue, frames, 32));
    EXPECT_LE(rte_mempool_in_use_count(test::buffers()) - before, 33U);
    for (const auto& port : ports) port->release();
    ports.clear();
    EXPECT_EQ(rte_mempool_in_use_count(test::buffers()), before);
}

TEST_F(TapPortTest, AnEmptyPoolLeavesTheFrameInTheKernel) {
    rte_mempool* const tiny = rte_pktmbuf_pool_create("tiny", 40, 0, 0, RTE_PKTMBUF_HEADROOM + 2048, SOCKET_ID_ANY);
    open(1, 1500, tiny);
    std::array<rte_mbuf*, 40> hoard{};
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(tiny, hoard.data(), 40), 0);
    const auto bytes = test_frame(500);
    ASSERT_EQ(send(wire_.get(), bytes.data(), bytes.size(), 0), 500);
    rte_mbuf* none = nullptr;
    EXPECT_EQ(port_->receive(0, &none, 1), 0);
    EXPECT_THAT(port_->state().details, testing::Contains(testing::Pair("rx_no_buffer_polls", "1")));
    rte_pktmbuf_free_bulk(hoard.data(), 40);
    rte_mbuf* const frame = receive();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(test::bytes_of(*frame), bytes);
    rte_pktmbuf_free(frame);
    port_.reset();
    EXPECT_EQ(rte_mempool_in_use_count(tiny), 0);
    rte_mempool_free(tiny);
}

}  // namespace
}  // namespace bulkhead
