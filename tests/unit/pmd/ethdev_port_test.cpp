// SPDX-License-Identifier: Apache-2.0
#include "pmd/ethdev_port.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "pmd/eal_log.h"
#include "tests/unit/pmd/support/ethdev.h"

namespace bulkhead {
namespace {

using test::EthdevPortTest;
using test::numbered;
using test::open;
using test::port_on;

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

TEST_F(EthdevPortTest, TakesAnotherMtuWhileItRuns) {
    auto port = open(port_on("net_null0"));
    ASSERT_TRUE(port);
    const auto told = [&] {
        for (const auto& [key, value] : (*port)->state().details)
            if (key == "mtu") return value;
        return std::string();
    };
    EXPECT_TRUE((*port)->set_mtu(1400));
    EXPECT_EQ(told(), "1400");
    EXPECT_TRUE((*port)->set_mtu(2026)) << "one buffer still holds the frame";
    EXPECT_FALSE((*port)->set_mtu(2027)) << "the queues were set up for frames of one buffer";
    EXPECT_EQ(told(), "2026");
    EXPECT_TRUE((*port)->check_mtu(9000)) << "opened anew it could";
    const auto refused = (*port)->check_mtu(40);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().field, "/mtu");
    EXPECT_EQ(refused.error().got, "40");
    EXPECT_EQ(refused.error().allowed, "46 to 65535");
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

TEST_F(EthdevPortTest, DevargsThatMakeTwoDevicesLeaveNone) {
    for (int round = 0; round < 2; ++round) {
        const auto both = open(port_on("net_ring0,nodeaction=first:0:CREATE,nodeaction=second:0:CREATE"));
        ASSERT_FALSE(both);
        EXPECT_EQ(both.error().message, "the devargs match 2 Ethernet devices");
        EXPECT_EQ(both.error().allowed, "devargs that match one");
        EXPECT_EQ(rte_eth_dev_count_total(), 0);
    }
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

struct Occupancy {
    std::atomic<int> inside{0}, most{0};
};

/// Stands inside the driver's transmit function, and stays a while, so that who does not wait for the lock is seen.
std::uint16_t linger(std::uint16_t, std::uint16_t, rte_mbuf**, std::uint16_t count, void* occupancy) {
    auto& seen = *static_cast<Occupancy*>(occupancy);
    const int inside = ++seen.inside;
    if (inside > seen.most) seen.most = inside;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --seen.inside;
    return count;
}

/// net_pcap has as many transmit queues as files, so two workers share one.
TEST_F(EthdevPortTest, WorkersThatShareATransmitQueueTakeTurns) {
    auto port = open(port_on("net_pcap0,tx_pcap=/dev/null"), 2);
    ASSERT_TRUE(port) << port.error().message;
    ASSERT_EQ((*port)->transmit_queues(), 1);
    std::uint16_t id = 0;
    ASSERT_EQ(rte_eth_dev_get_port_by_name("net_pcap0", &id), 0);
    Occupancy seen;
    const auto* const callback = rte_eth_add_tx_callback(id, 0, linger, &seen);
    ASSERT_NE(callback, nullptr);
    const auto work = [&] {
        for (int i = 0; i < 20; ++i) {
            rte_mbuf* frame = test::make_frame(numbered(100));
            ASSERT_EQ((*port)->transmit(0, &frame, 1).taken, 1);
        }
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_EQ(seen.most, 1);
    rte_eth_remove_tx_callback(id, 0, callback);
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
