// SPDX-License-Identifier: Apache-2.0
#include "pmd/ethdev_port.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "pmd/eal_log.h"
#include "tests/unit/pmd/support/frames.h"
#include "tests/unit/pmd/support/test_namespace.h"

namespace bulkhead {
namespace {

using test::Bytes;

Port port_on(const std::string& devargs, std::uint16_t queues = 1, const std::string& name = "uplink0") {
    Port port;
    port.name = name;
    port.queues = queues;
    port.device = EthdevDevice{.devargs = devargs, .mac = {}, .promiscuous = true};
    return port;
}

auto open(const Port& port, std::uint16_t workers = 1, std::uint16_t mtu = 1500) {
    return open_ethdev_port(port, mtu, test::buffers(), workers, {});
}

Bytes numbered(std::size_t size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i);
    bytes[0] = bytes[6] = 2;
    bytes[12] = test::kTestEtherType >> 8;
    bytes[13] = test::kTestEtherType & 0xff;
    return bytes;
}

class EthdevPortTest : public test::PoolCheck {
  protected:
    void TearDown() override {
        EXPECT_EQ(rte_eth_dev_count_total(), 0) << "a device was left behind";
        PoolCheck::TearDown();
    }
};

TEST_F(EthdevPortTest, OpensClosesAndOpensAgain) {
    for (int round = 0; round < 3; ++round) {
        auto port = open(port_on("net_null0,size=100"));
        ASSERT_TRUE(port) << port.error().message;
        rte_mbuf* frames[4];
        ASSERT_EQ((*port)->receive(0, frames, 4), 4);
        EXPECT_EQ(frames[0]->pkt_len, 100U);
        EXPECT_EQ((*port)->transmit(0, frames, 4).taken, 4);
    }
}

TEST_F(EthdevPortTest, StateSpeaksOfTheDevice) {
    auto port = open(port_on("net_null0"));
    ASSERT_TRUE(port);
    const auto state = (*port)->state();
    EXPECT_TRUE(state.link_up);
    EXPECT_EQ(state.driver, "net_null");
    EXPECT_EQ(state.queues_enabled, 1);
    EXPECT_TRUE(MacAddress::parse(state.mac));
    EXPECT_THAT(state.details, testing::Contains(testing::Pair("devargs", "net_null0")));
    EXPECT_EQ((*port)->wake_fd(0), -1);
}

struct Refusal {
    Port port;
    std::uint16_t mtu;
    ErrorCode code;
    const char* field;
    const char* allowed;
};

TEST_F(EthdevPortTest, Refusals) {
    const std::vector<Refusal> table{
        {port_on(""), 1500, ErrorCode::invalid_params, "/devargs", "a PCI address or a DPDK virtual device"},
        {port_on("net_nonsense0"), 1500, ErrorCode::device_failed, "/devargs", ""},
        {port_on("no such thing"), 1500, ErrorCode::device_failed, "/devargs", ""},
        {port_on("0000:7f:00.0"), 1500, ErrorCode::device_failed, "/devargs", ""},
        {port_on("net_pcap0,rx_pcap=/no/such/file.pcap"), 1500, ErrorCode::device_failed, "/devargs", ""},
        {port_on("net_af_packet0,iface=no-such-link"), 1500, ErrorCode::device_failed, "/devargs", ""},
        {port_on("net_null0,nonsense=1"), 1500, ErrorCode::device_failed, "/devargs", ""},
        {port_on("crypto_null0"), 1500, ErrorCode::invalid_params, "/devargs", ""},
        {port_on("mempool_ring"), 1500, ErrorCode::device_failed, "/devargs", ""},
        {port_on("net_ring0", 17), 1500, ErrorCode::invalid_params, "/queues", "at most 16"},
        {port_on("net_null0"), 40, ErrorCode::invalid_params, "/mtu", "46 to 65535"},
    };
    for (const auto& row : table) {
        const auto& devargs = std::get<EthdevDevice>(row.port.device).devargs;
        const auto opened = open(row.port, 1, row.mtu);
        ASSERT_FALSE(opened) << devargs;
        EXPECT_EQ(opened.error().field, row.field) << devargs << ": " << opened.error().message;
        EXPECT_EQ(opened.error().code, row.code) << devargs << ": " << opened.error().message;
        EXPECT_EQ(opened.error().allowed, row.allowed) << devargs;
        EXPECT_EQ(opened.error().object_kind, "port");
        EXPECT_EQ(opened.error().object_name, "uplink0");
    }
}

TEST_F(EthdevPortTest, AFailureHasTheDriversWords) {
    redirect_eal_log();
    const auto opened = open(port_on("net_pcap0,rx_pcap=/no/such/file.pcap"));
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, testing::HasSubstr("Couldn't open /no/such/file.pcap"));
}

TEST_F(EthdevPortTest, ADeviceHasOnePort) {
    auto first = open(port_on("net_null0", 1, "first"));
    ASSERT_TRUE(first);
    for (const char* devargs : {"net_null0", "net_null0,size=200"}) {
        const auto second = open(port_on(devargs, 1, "second"));
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, ErrorCode::in_use);
        EXPECT_EQ(second.error().message, "the device is in use by port first");
        EXPECT_EQ(second.error().field, "/devargs");
    }
    rte_mbuf* frame = nullptr;
    ASSERT_EQ((*first)->receive(0, &frame, 1), 1);  // unharmed
    rte_pktmbuf_free(frame);
}

TEST_F(EthdevPortTest, TheTableOfDevicesEnds) {
    std::vector<std::unique_ptr<PortIo>> ports;
    for (int i = 0; i < RTE_MAX_ETHPORTS; ++i) {
        auto port = open(port_on("net_null" + std::to_string(i)));
        ASSERT_TRUE(port) << port.error().message;
        ports.push_back(std::move(*port));
    }
    const auto more = open(port_on("net_null99"));
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, ErrorCode::limit);
    EXPECT_EQ(more.error().allowed, "32 devices");
    ports.pop_back();
    EXPECT_TRUE(open(port_on("net_null99")));
}

TEST_F(EthdevPortTest, ARingGivesBackWhatItTook) {
    auto port = open(port_on("net_ring0"));
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_EQ((*port)->offloads(), kOffloadMultiSegment);
    rte_mbuf* frame = test::make_frame(numbered(100));
    frame->ol_flags = RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_L4_CKSUM_GOOD;  // as a device would remark
    ASSERT_EQ((*port)->transmit(0, &frame, 1).taken, 1);
    rte_mbuf* back = nullptr;
    ASSERT_EQ((*port)->receive(0, &back, 1), 1);
    EXPECT_EQ(test::bytes_of(*back), numbered(100));
    EXPECT_EQ(back->ol_flags, 0);
    rte_pktmbuf_free(back);
}

TEST_F(EthdevPortTest, AStrippedTagIsPutBack) {
    auto port = open(port_on("net_ring0"));
    ASSERT_TRUE(port);
    rte_mbuf* frame = test::make_frame(numbered(100));
    frame->ol_flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    frame->vlan_tci = 0x6123;  // priority 3, VLAN 0x123
    ASSERT_EQ((*port)->transmit(0, &frame, 1).taken, 1);
    ASSERT_EQ((*port)->receive(0, &frame, 1), 1);
    auto wanted = numbered(100);
    wanted.insert(wanted.begin() + 12, {0x81, 0x00, 0x61, 0x23});
    EXPECT_EQ(test::bytes_of(*frame), wanted);
    EXPECT_EQ(frame->ol_flags, 0);
    rte_pktmbuf_free(frame);
}

TEST_F(EthdevPortTest, AFullQueueSaysSo) {
    auto port = open(port_on("net_ring0"));
    ASSERT_TRUE(port);
    TransmitResult result;
    std::size_t taken = 0;
    do {
        std::array<rte_mbuf*, 32> frames{};
        ASSERT_EQ(rte_pktmbuf_alloc_bulk(test::buffers(), frames.data(), 32), 0);
        result = (*port)->transmit(0, frames.data(), 32);
        taken += result.taken;
        rte_pktmbuf_free_bulk(frames.data() + result.taken, 32U - result.taken);
    } while (result.taken == 32 && taken < 8000);
    EXPECT_EQ(result.reason, DropReason::tx_queue_full);
    std::array<rte_mbuf*, 32> frames{};
    while (const auto count = (*port)->receive(0, frames.data(), 32)) {
        rte_pktmbuf_free_bulk(frames.data(), count);
        taken -= count;
    }
    EXPECT_EQ(taken, 0U);
}

TEST_F(EthdevPortTest, QueuesFollowThePlan) {
    auto port = open(port_on("net_ring0", 4), 2);
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_EQ((*port)->receive_queues(), 4);
    EXPECT_EQ((*port)->transmit_queues(), 2);
}

/// net_pcap has as many transmit queues as files, so two workers share one.
TEST_F(EthdevPortTest, WorkersMayShareATransmitQueue) {
    char folder[] = "/tmp/ethdev-port.XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    const std::string file = std::string(folder) + "/out.pcap";
    constexpr int kEach = 20'000;
    {
        auto port = open(port_on("net_pcap0,tx_pcap=" + file), 2);
        ASSERT_TRUE(port) << port.error().message;
        EXPECT_EQ((*port)->transmit_queues(), 1);
        const auto work = [&] {
            for (int i = 0; i < kEach; ++i) {
                rte_mbuf* frame = test::make_frame(numbered(100));
                ASSERT_EQ((*port)->transmit(0, &frame, 1).taken, 1);
            }
        };
        std::thread other(work);
        work();
        other.join();
    }
    Bytes recorded(24 + 2 * kEach * (16 + 100));  // pcap(5): a header, then a header and the frame for each
    std::ifstream stream(file, std::ios::binary);
    ASSERT_TRUE(stream.read(reinterpret_cast<char*>(recorded.data()), static_cast<std::streamsize>(recorded.size())));
    const auto frame = numbered(100);
    int torn = 0;
    for (auto at = recorded.begin() + 24; at != recorded.end(); at += 116) {
        torn += std::equal(frame.begin(), frame.end(), at + 16) ? 0 : 1;
    }
    EXPECT_EQ(torn, 0);
    unlink(file.c_str());
    rmdir(folder);
}

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

TEST_F(EthdevPortTest, AfPacketCarriesTaggedFramesBothWays) {
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
TEST_F(EthdevPortTest, ASharedFrameIsNotWrittenTo) {
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

TEST_F(EthdevPortTest, TakesTheAddressFromTheConfiguration) {
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

TEST_F(EthdevPortTest, AFailedOpenCanBeRepaired) {
    char folder[] = "/tmp/ethdev-port.XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    const std::string file = std::string(folder) + "/in.pcap";
    const auto port = port_on("net_pcap0,rx_pcap=" + file);
    EXPECT_FALSE(open(port));
    const std::uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
    std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(header), sizeof(header));
    const auto opened = open(port);
    EXPECT_TRUE(opened) << opened.error().message;
    unlink(file.c_str());
    rmdir(folder);
}

}  // namespace
}  // namespace bulkhead
