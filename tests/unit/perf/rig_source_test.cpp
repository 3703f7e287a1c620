// SPDX-License-Identifier: Apache-2.0
// The rig's ports: what they hand out are sound frames in fresh buffers, and they give the buffers back.
#include <array>
#include <chrono>
#include <cstdint>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "perf/rig/flow_traffic.h"
#include "perf/rig/newcomers.h"
#include "perf/rig/source.h"
#include "perf/rig/traffic.h"
#include "tests/unit/support/test_buffers.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead::rig {
namespace {

constexpr std::uint16_t kBurst = 64;
constexpr std::chrono::seconds kLongest{10};

class RigSource : public testing::Test {
  protected:
    ~RigSource() override { EXPECT_EQ(rte_mempool_in_use_count(buffers_), 0U) << "buffers leaked"; }

    std::uint16_t receive(MemoryPort& port) { return port.receive(0, frames_.data(), kBurst); }
    /// As the switch would, out of the port they came from.
    void transmit(MemoryPort& port, std::uint16_t count) {
        EXPECT_EQ(port.transmit(0, frames_.data(), count).taken, count);
    }
    static const std::uint8_t* data(const rte_mbuf* frame) { return rte_pktmbuf_mtod(frame, const std::uint8_t*); }
    static std::uint64_t source(const rte_mbuf* frame) { return load_big_endian<std::uint64_t>(data(frame) + 6) >> 16; }
    static std::uint64_t destination(const rte_mbuf* frame) {
        return load_big_endian<std::uint64_t>(data(frame)) >> 16;
    }
    /// IPv4 with a sound header checksum, and lengths that fit the frame.
    static void expect_datagram(const rte_mbuf* frame, std::size_t at) {
        ASSERT_EQ(load_big_endian<std::uint16_t>(data(frame) + at), kEtherTypeIpv4);
        const std::uint8_t* ip = data(frame) + at + 2;
        EXPECT_EQ(ip[0], 0x45);
        EXPECT_EQ(internet_checksum(ip, 20), 0);
        EXPECT_EQ(load_big_endian<std::uint16_t>(ip + 2), frame->data_len - at - 2);
        EXPECT_EQ(load_big_endian<std::uint16_t>(ip + 24), frame->data_len - at - 2 - 20);
    }

    rte_mempool* buffers_ = test::test_buffers();
    std::array<rte_mbuf*, kBurst> frames_{};
};

TEST_F(RigSource, IsSilentUntilItIsToldToTalk) {
    TrafficSource port(1, buffers_, StationTraffic<false>(0, 1, {.stations = 100}));
    EXPECT_EQ(receive(port), 0);
    port.talk();
    ASSERT_EQ(receive(port), kBurst);
    transmit(port, kBurst);
    EXPECT_EQ(port.received(), kBurst);
    EXPECT_EQ(port.transmitted(0), kBurst);
}

TEST_F(RigSource, HandsOutUntaggedFrames) {
    TrafficSource port(1, buffers_, StationTraffic<false>(0, 1, {.stations = 500'000}));
    StationTraffic<false> expected(0, 1, {.stations = 500'000});
    port.talk();
    ASSERT_EQ(receive(port), kBurst);
    for (const rte_mbuf* frame : frames_) {
        const Header header = expected.next();
        EXPECT_EQ(source(frame), header.source);
        EXPECT_EQ(destination(frame), header.destination);
        EXPECT_EQ(frame->data_len, 60);
        EXPECT_EQ(frame->pkt_len, 60U);
        EXPECT_EQ(frame->nb_segs, 1);
        EXPECT_EQ(frame->ol_flags, 0U);
        EXPECT_EQ(rte_mbuf_refcnt_read(frame), 1);
        expect_datagram(frame, kMacPair);
    }
    transmit(port, kBurst);
}

TEST_F(RigSource, HandsOutFramesOfFlows) {
    constexpr std::uint32_t kConnections = 100'000;
    TrafficSource port(1, buffers_, ConnectionTraffic(0, 1, kConnections));
    ConnectionTraffic expected(0, 1, kConnections);
    port.talk();
    ASSERT_EQ(receive(port), kBurst);
    for (const rte_mbuf* frame : frames_) {
        const FlowHeader header = expected.next();
        EXPECT_EQ(source(frame), header.ethernet.source);
        EXPECT_EQ(destination(frame), header.ethernet.destination);
        const std::uint8_t* ip = data(frame) + kEthernetHeader;
        EXPECT_EQ(load_big_endian<std::uint32_t>(ip + 12), header.source);
        EXPECT_EQ(load_big_endian<std::uint32_t>(ip + 16), header.destination);
        EXPECT_EQ(load_big_endian<std::uint16_t>(ip + 20), header.source_port);
        EXPECT_EQ(load_big_endian<std::uint16_t>(ip + 22), header.port);
        expect_datagram(frame, kMacPair);
    }
    transmit(port, kBurst);
}

TEST_F(RigSource, HandsOutTaggedFrames) {
    TrafficSource port(1, buffers_, StationTraffic<true>(0, 1, {.segments = 1000, .stations = 32}));
    StationTraffic<true> expected(0, 1, {.segments = 1000, .stations = 32});
    port.talk();
    ASSERT_EQ(receive(port), kBurst);
    for (const rte_mbuf* frame : frames_) {
        const Header header = expected.next();
        EXPECT_EQ(source(frame), header.source);
        EXPECT_EQ(frame->data_len, 64);
        EXPECT_EQ(load_big_endian<std::uint16_t>(data(frame) + kMacPair), kEtherTypeVlan);
        EXPECT_EQ(load_big_endian<std::uint16_t>(data(frame) + kMacPair + 2), header.vlan);
        expect_datagram(frame, kMacPair + kVlanTag);
    }
    transmit(port, kBurst);
}

TEST_F(RigSource, IntroducesEveryStationOnceAndFallsSilent) {
    TrafficSource port(1, buffers_, StationTraffic<false>(0, 1, {.stations = 100}));
    for (int round = 0; round < 2; ++round) {
        port.introduce();
        std::set<std::uint64_t> sources;
        while (const std::uint16_t count = receive(port)) {
            for (std::uint16_t at = 0; at < count; ++at) EXPECT_TRUE(sources.insert(source(frames_[at])).second);
            transmit(port, count);
        }
        EXPECT_TRUE(port.wait_until_introduced(kLongest));
        EXPECT_EQ(sources.size(), 100U);
        EXPECT_EQ(receive(port), 0);
    }
}

TEST_F(RigSource, GivesNothingWhenThereAreNoBuffers) {
    TrafficSource port(1, buffers_, StationTraffic<false>(0, 1, {.stations = 100}));
    port.talk();
    std::vector<rte_mbuf*> all(rte_mempool_avail_count(buffers_));
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(buffers_, all.data(), static_cast<unsigned>(all.size())), 0);
    EXPECT_EQ(receive(port), 0);
    rte_pktmbuf_free_bulk(all.data(), static_cast<unsigned>(all.size()));
}

TEST_F(RigSource, NewcomersComeOnceEachAndNotTooFast) {
    Newcomers port(1, buffers_, 2, 0, 10);
    EXPECT_EQ(receive(port), 0);
    constexpr Parade kParade{.first = 1000, .count = 5000};
    port.start(kParade);
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::uint64_t> sources;
    while (sources.size() < kParade.count && std::chrono::steady_clock::now() - begin < kLongest) {
        const std::uint16_t count = receive(port);
        for (std::uint16_t at = 0; at < count; ++at) {
            sources.push_back(source(frames_[at]));
            EXPECT_LT(destination(frames_[at]), station_mac(0, 0, 10));
        }
        transmit(port, count);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    ASSERT_EQ(sources.size(), kParade.count);
    for (std::uint32_t at = 0; at < kParade.count; ++at) ASSERT_EQ(sources[at], station_mac(2, 0, kParade.first + at));
    // A million a second; the TSC's frequency may be known to within a hundredth only.
    EXPECT_GT(took.count(), 0.99 * kParade.count / Newcomers::kPerSecond);
    EXPECT_EQ(receive(port), 0);
    EXPECT_TRUE(port.wait_until_over(kLongest));
}

}  // namespace
}  // namespace bulkhead::rig
