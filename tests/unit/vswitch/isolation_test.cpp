// SPDX-License-Identifier: Apache-2.0
// A million random and mutated frames into one segment: none may come out anywhere else. The frames carry a mark that
// only the injecting segment uses, so that a leak is seen whatever the switch did to the headers.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr int kFrames = 100'000;
#else
constexpr int kFrames = 1'000'000;
#endif
constexpr std::uint16_t kTypes[] = {0x8100, 0x88a8, 0x9100, 0x0800, 0x86dd, 0x0806};
constexpr std::uint16_t kVids[] = {0, 1, 10, 20, 30, 4094, 4095};

class Mutator {
  public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    Bytes next() {
        Bytes bytes = mac_bytes(pick(0, 3) == 0 ? 0xff : pick(0, 12));
        if (pick(0, 7) == 0) bytes = {1, 0, 0x5e, 0, 0, static_cast<std::uint8_t>(pick(0, 255))};
        if (pick(0, 15) == 0) bytes = {1, 0x80, 0xc2, 0, 0, static_cast<std::uint8_t>(pick(0, 17))};
        const Bytes source = mac_bytes(pick(0, 20) == 0 ? 0xff : pick(0, 12));
        bytes.insert(bytes.end(), source.begin(), source.end());
        for (unsigned tags = pick(0, 4); tags > 0; --tags) {
            put(bytes, kTypes[pick(0, 2)]);
            put(bytes, static_cast<std::uint16_t>(pick(0, 15) << 12 | kVids[pick(0, 6)]));
        }
        put(bytes, kTypes[pick(0, 5)]);
        const unsigned length = pick(0, 50) == 0 ? pick(0, 9300) : pick(0, 200);
        bytes.resize(bytes.size() + length, 0x5a);
        if (pick(0, 10) == 0) bytes.resize(pick(0, static_cast<unsigned>(bytes.size())));
        for (unsigned flips = pick(0, 9) == 0 ? pick(1, 4) : 0; flips > 0 && !bytes.empty(); --flips)
            bytes[pick(0, static_cast<unsigned>(std::min<std::size_t>(bytes.size(), 22) - 1))] ^=
                static_cast<std::uint8_t>(1U << pick(0, 7));
        return bytes;
    }

    unsigned pick(unsigned low, unsigned high) { return std::uniform_int_distribution(low, high)(random_); }

  private:
    static void put(Bytes& bytes, std::uint16_t value) {
        bytes.push_back(static_cast<std::uint8_t>(value >> 8));
        bytes.push_back(static_cast<std::uint8_t>(value));
    }
    std::mt19937_64 random_;
};

/// Random transmit flags too: a hostile guest's header can ask for anything.
void add_hostile_offloads(rte_mbuf* frame, Mutator& random) {
    if (random.pick(0, 4) != 0) return;
    constexpr std::uint64_t kFlags[] = {RTE_MBUF_F_TX_TCP_CKSUM, RTE_MBUF_F_TX_UDP_CKSUM, RTE_MBUF_F_TX_TCP_SEG,
                                        RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM};
    frame->ol_flags = kFlags[random.pick(0, 3)] | (random.pick(0, 1) == 0 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6);
    frame->l2_len = random.pick(0, 30) & 0x7f;
    frame->l3_len = random.pick(0, 60) & 0x1ff;
    frame->l4_len = random.pick(0, 40) & 0xff;
    frame->tso_segsz = random.pick(0, 1600) & 0xffff;
}

TEST(Isolation, NoFrameOfOneSegmentReachesAnother) {
    Bench bench;
    bench.segment("blue", 100);
    bench.segment("red", 200);
    bench.segment("green", 300);
    for (const char* port : {"b1", "b2"}) bench.access(port, "blue");
    bench.access("b3", "blue").attachments[0].tagged = TaggedFrames::carry;
    for (const char* port : {"r1", "r2"}) bench.access(port, "red");
    bench.access("g1", "green").attachments[0].tagged = TaggedFrames::carry;
    // "t" carries blue on VLAN 10 and red untagged: the place where double tagging would hop.
    bench.trunk("t").attachments.push_back({.segment = "red"});
    bench.vlan("t", 10, "blue");
    bench.vlan("t", 30, "green").keep_tag = true;
    bench.trunk("u");
    bench.vlan("u", 10, "red");
    bench.vlan("u", 20, "blue").keep_tag = true;
    bench.apply();
    for (const char* port : {"b1", "b2", "b3", "t", "u"}) bench[port].set_offloads(0);

    // Red speaks first, with the MACs that blue will use.
    for (unsigned station = 0; station < 12; ++station) bench.pass("r1", frame(0xff, station));
    for (const char* port : {"r1", "r2", "t", "u"}) (void)bench[port].take();

    Mutator random(20'231'123);
    const auto vid_of = [](const Bytes& bytes) { return (bytes.at(14) << 8 | bytes.at(15)) & 0xfff; };
    const auto is_tagged = [](const Bytes& bytes) { return bytes.size() >= 16 && bytes[12] == 0x81 && bytes[13] == 0; };
    for (int count = 0; count < kFrames; count += 32) {
        for (int burst = 0; burst < 32; ++burst) {
            const char* ports[] = {"b1", "b2", "b3"};
            MemoryPort& port = bench[ports[random.pick(0, 2)]];
            rte_mbuf* next = port.make(random.next());
            add_hostile_offloads(next, random);
            port.inject(next);
        }
        bench.run();
        for (const char* port : {"r1", "r2", "g1"}) ASSERT_TRUE(bench[port].take().empty()) << port;
        for (const Bytes& bytes : bench["t"].take_bytes()) {
            ASSERT_TRUE(is_tagged(bytes)) << "blue came out of t as red";
            ASSERT_EQ(vid_of(bytes), 10);
        }
        for (const Bytes& bytes : bench["u"].take_bytes()) {
            ASSERT_TRUE(is_tagged(bytes));
            ASSERT_EQ(vid_of(bytes), 20) << "blue came out of u as red";
        }
        for (const char* port : {"b1", "b2", "b3"}) (void)bench[port].take();
    }
    EXPECT_GE(bench.vswitch().segment_stats("blue").rx_packets + bench.drops(DropReason::truncated) +
                  bench.drops(DropReason::source_invalid) + bench.drops(DropReason::reserved_multicast),
              static_cast<std::uint64_t>(kFrames) / 2);
    EXPECT_GT(bench.vswitch().segment_stats("blue").tx_packets, static_cast<std::uint64_t>(kFrames) / 10);
}

}  // namespace
}  // namespace bulkhead::test
