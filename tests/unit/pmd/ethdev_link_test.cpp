// SPDX-License-Identifier: Apache-2.0
// Ethdev ports on links of the kernel: what vdevs without one cannot show.
#include <chrono>
#include <functional>
#include <sys/socket.h>
#include <thread>

#include <rte_mbuf.h>

#include "tests/unit/pmd/support/ethdev.h"

namespace bulkhead {
namespace {

using test::numbered;
using test::open;
using test::port_on;

class EthdevLinkTest : public test::EthdevPortTest {};

/// Runs `body` with a veth pair in a namespace of its own: veth0 for the switch, veth1 for the test.
void with_veth(const std::function<void(const test::TestNamespace&)>& body) {
    const test::TestNamespace space;
    space.command("link add veth0 type veth peer name veth1");
    space.command("link set veth0 up");
    space.command("link set veth1 up");
    space.run([&] { body(space); });
}

rte_mbuf* receive_test_frame(PortIo& port) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (std::chrono::steady_clock::now() < deadline) {
        rte_mbuf* frame = nullptr;
        if (port.receive(0, &frame, 1) == 0) {
            std::this_thread::yield();
            continue;
        }
        const auto bytes = test::bytes_of(*frame);
        if (bytes.size() > 20 && bytes[0] == 2 && bytes[6] == 2) return frame;
        rte_pktmbuf_free(frame);
    }
    return nullptr;
}

TEST_F(EthdevLinkTest, AfPacketCarriesTaggedFramesBothWays) {
    with_veth([](const test::TestNamespace& space) {
        auto port = open(port_on("net_af_packet0,iface=veth0"));
        ASSERT_TRUE(port) << port.error().message;
        auto tagged = numbered(200);
        tagged.insert(tagged.begin() + 12, {0x81, 0x00, 0x00, 0x0a});
        const auto wire = space.packet_socket("veth1", test::kTestEtherType);
        ASSERT_EQ(send(wire.get(), tagged.data(), tagged.size(), 0), static_cast<ssize_t>(tagged.size()));
        rte_mbuf* frame = receive_test_frame(**port);
        ASSERT_NE(frame, nullptr);
        EXPECT_EQ(test::bytes_of(*frame), tagged);
        EXPECT_EQ(frame->ol_flags, 0);
        rte_pktmbuf_free(frame);

        frame = test::make_frame(numbered(200));
        ASSERT_EQ((*port)->transmit(0, &frame, 1).taken, 1);
        EXPECT_EQ(test::next_frame(wire), numbered(200));
    });
}

/// net_tap does checksums and segmentation in software: a device with offloads that needs no hardware.
TEST_F(EthdevLinkTest, ASharedFrameIsNotWrittenTo) {
    const test::TestNamespace space;
    space.run([&] {
        auto port = open(port_on("net_tap0,iface=dtap0"));
        ASSERT_TRUE(port) << port.error().message;
        EXPECT_EQ((*port)->offloads(),
                  kOffloadL4Checksum | kOffloadIpv4Checksum | kOffloadTso4 | kOffloadTso6 | kOffloadMultiSegment);
        space.command("link set dtap0 up");
        const test::Datagram super{.payload = 3000}, segment{.payload = 1000};
        const auto pending = test::build(super);
        rte_mbuf* const frame = test::make_frame(pending, 1000);
        const std::uint64_t flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
        frame->ol_flags = flags;
        frame->l2_len = 14;
        frame->l3_len = 20;
        frame->l4_len = 20;
        frame->tso_segsz = 1000;
        rte_pktmbuf_refcnt_update(frame, 1);
        const auto wire = space.packet_socket("dtap0", 0x0800);
        rte_mbuf* handed_over = frame;
        EXPECT_EQ((*port)->transmit(0, &handed_over, 1).taken, 1);
        EXPECT_EQ(test::bytes_of(*frame), pending);
        EXPECT_EQ(frame->ol_flags, flags);
        EXPECT_EQ(rte_mbuf_refcnt_read(frame), 1);
        rte_pktmbuf_free(frame);
        for (int i = 0; i < 3; ++i) {
            const auto arrived = test::next_frame(wire);
            ASSERT_TRUE(arrived) << i;
            EXPECT_EQ(arrived->size(), 1054U);
            EXPECT_TRUE(test::l4_checksum_good(*arrived, segment));
        }
    });
}

TEST_F(EthdevLinkTest, AnEmptyPoolIsNoFaultOfTheFrame) {
    const test::TestNamespace space;
    space.run([&] {
        auto port = open(port_on("net_tap0,iface=dtap0"));
        ASSERT_TRUE(port) << port.error().message;
        space.command("link set dtap0 up");
        rte_mbuf* frames[3];
        for (rte_mbuf*& frame : frames) frame = test::make_frame(test::build({}));
        frames[1]->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
        frames[1]->l2_len = 14;
        frames[1]->l3_len = 20;
        rte_mbuf* const shared = frames[1];
        rte_pktmbuf_refcnt_update(shared, 1);
        std::vector<rte_mbuf*> hoard;
        while (rte_mbuf* buffer = rte_pktmbuf_alloc(test::buffers())) hoard.push_back(buffer);
        const auto result = (*port)->transmit(0, frames, 3);
        EXPECT_EQ(result.taken, 1);
        EXPECT_EQ(result.reason, DropReason::no_buffer);
        rte_pktmbuf_free_bulk(hoard.data(), static_cast<unsigned>(hoard.size()));
        EXPECT_EQ((*port)->transmit(0, frames + 1, 2).taken, 2);
        rte_pktmbuf_free(shared);
    });
}

TEST_F(EthdevLinkTest, TakesTheAddressFromTheConfiguration) {
    with_veth([](const test::TestNamespace& space) {
        auto port = port_on("net_af_packet0,iface=veth0");
        std::get<EthdevDevice>(port.device).mac = MacAddress::parse("02:00:00:00:00:77");
        const auto opened = open(port, 1, 1400);
        ASSERT_TRUE(opened) << opened.error().message;
        EXPECT_EQ((*opened)->state().mac, "02:00:00:00:00:77");
        const auto shown = space.show("veth0");
        EXPECT_NE(shown.find("02:00:00:00:00:77"), std::string::npos) << shown;
        EXPECT_NE(shown.find("mtu 1400"), std::string::npos) << shown;
    });
}

}  // namespace
}  // namespace bulkhead
