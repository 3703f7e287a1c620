// SPDX-License-Identifier: Apache-2.0
// Work left for a device, passed on to a far side that can do it and finished where it can't: judged by summing
// the whole packet as a receiver does (RFC 1071), not by computing the checksum a second time.
#include "vswitch/pipeline/finish.h"

#include <cstring>

#include <gtest/gtest.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

struct Shape {
    bool v6 = false;
    bool udp = false;
    bool vlan = false;
    std::size_t payload = 100;
    std::size_t extension = 0;  ///< bytes of an IPv6 destination-options header
};

std::string name_of(const testing::TestParamInfo<Shape>& info) {
    const Shape& shape = info.param;
    return std::string(shape.udp ? "Udp" : "Tcp") + (shape.v6 ? "6" : "4") + (shape.vlan ? "Vlan" : "") +
           (shape.extension > 0 ? "Ext" : "") + "_" + std::to_string(shape.payload);
}

struct Packet {
    Bytes bytes;
    std::uint8_t l2 = 14;
    std::uint16_t l3 = 20;
    std::uint8_t l4 = 20;
};

std::uint16_t be16(std::size_t value) {
    return rte_cpu_to_be_16(static_cast<std::uint16_t>(value));
}

std::uint16_t pseudo_sum(const Packet& packet, bool v6, std::uint8_t protocol) {
    const std::uint8_t* ip = packet.bytes.data() + packet.l2;
    std::uint32_t sum = rte_raw_cksum(ip + (v6 ? 8 : 12), v6 ? 32 : 8);
    sum += be16(protocol);
    sum += be16(packet.bytes.size() - packet.l2 - packet.l3);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

/// A frame as a guest leaves it for its device: the checksum field holds the pseudo-header's sum.
Packet build(const Shape& shape) {
    Packet packet;
    packet.l2 = shape.vlan ? 18 : 14;
    packet.l3 = static_cast<std::uint16_t>((shape.v6 ? 40 : 20) + shape.extension);
    packet.l4 = shape.udp ? 8 : 20;
    const std::size_t total = packet.l2 + packet.l3 + packet.l4 + shape.payload;
    packet.bytes = frame(2, 1, shape.vlan ? std::vector<Tag>{{10}} : std::vector<Tag>{}, total - packet.l2);
    std::uint8_t* type = packet.bytes.data() + packet.l2 - 2;
    const std::uint16_t ethertype = be16(shape.v6 ? 0x86dd : 0x0800);
    std::memcpy(type, &ethertype, 2);
    std::uint8_t* l3 = packet.bytes.data() + packet.l2;
    const std::uint8_t protocol = shape.udp ? 17 : 6;
    if (shape.v6) {
        auto* ip = new (l3) rte_ipv6_hdr{};
        ip->vtc_flow = rte_cpu_to_be_32(6U << 28);
        ip->payload_len = be16(total - packet.l2 - 40);
        ip->proto = shape.extension > 0 ? 60 : protocol;
        if (shape.extension > 0) {
            l3[40] = protocol;
            l3[41] = static_cast<std::uint8_t>(shape.extension / 8 - 1);
        }
        for (int at = 0; at < 32; ++at) l3[8 + at] = static_cast<std::uint8_t>(0x20 + at);
    } else {
        auto* ip = new (l3) rte_ipv4_hdr{};
        ip->version_ihl = 0x45;
        ip->total_length = be16(total - packet.l2);
        ip->packet_id = be16(7);
        ip->time_to_live = 64;
        ip->next_proto_id = protocol;
        ip->src_addr = 0x0a00000a;
        ip->dst_addr = 0x0b00000a;
        ip->hdr_checksum = rte_ipv4_cksum(ip);
    }
    std::uint8_t* l4 = l3 + packet.l3;
    const std::uint16_t seed = pseudo_sum(packet, shape.v6, protocol);
    if (shape.udp) {
        auto* udp = new (l4) rte_udp_hdr{};
        udp->dgram_len = be16(8 + shape.payload);
        udp->dgram_cksum = seed;
    } else {
        auto* tcp = new (l4) rte_tcp_hdr{};
        tcp->sent_seq = rte_cpu_to_be_32(1000);
        tcp->data_off = 0x50;
        tcp->tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG | RTE_TCP_CWR_FLAG;
        tcp->cksum = seed;
    }
    return packet;
}

rte_mbuf* with_flags(rte_mbuf* frame, const Packet& packet, const Shape& shape, std::uint16_t segment_size) {
    frame->ol_flags = shape.v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
    frame->ol_flags |= shape.udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
    if (segment_size > 0) frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
    frame->l2_len = packet.l2 & 0x7f;
    frame->l3_len = packet.l3 & 0x1ff;
    frame->l4_len = packet.l4;
    frame->tso_segsz = segment_size;
    return frame;
}

/// The whole sum over pseudo-header, header and payload is 0xffff where the checksum is right (RFC 1071).
bool l4_is_right(const Bytes& bytes, const Packet& like, bool v6, std::uint8_t protocol) {
    Packet packet = like;
    packet.bytes = bytes;
    std::uint32_t sum = pseudo_sum(packet, v6, protocol);
    sum += rte_raw_cksum(bytes.data() + like.l2 + like.l3, bytes.size() - like.l2 - like.l3);
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
}

/// Two pods of one segment; "far" is the port whose abilities the test sets.
struct Finish : testing::TestWithParam<Shape> {
    Finish() {
        bench.segment("blue", 1);
        const bool trunk = GetParam().vlan;
        for (const char* port : {"near", "far"}) {
            if (!trunk) {
                bench.access(port, "blue");
            } else {
                bench.trunk(port);
                bench.vlan(port, 10, "blue");
            }
        }
        bench.model.segments["blue"].mtu = 9000;
        bench.apply();
    }
    std::vector<MemoryPort::Sent> pass(const Packet& packet, std::uint16_t segment_size, std::uint32_t offloads) {
        bench["far"].set_offloads(offloads);
        bench["near"].inject(with_flags(bench["near"].make(packet.bytes), packet, GetParam(), segment_size));
        bench.run();
        return bench["far"].take();
    }
    Bench bench;
};

TEST_P(Finish, PassesWorkOnToAFarSideThatCanDoIt) {
    const Packet packet = build(GetParam());
    const auto sent = pass(packet, 0, kOffloadL4Checksum | kOffloadMultiSegment);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].bytes, packet.bytes);
    EXPECT_NE(sent[0].flags & RTE_MBUF_F_TX_L4_MASK, 0U);
}

TEST_P(Finish, FillsInTheChecksumForOneThatCanNot) {
    const Packet packet = build(GetParam());
    ASSERT_FALSE(l4_is_right(packet.bytes, packet, GetParam().v6, GetParam().udp ? 17 : 6));
    const auto sent = pass(packet, 0, kOffloadMultiSegment);
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(l4_is_right(sent[0].bytes, packet, GetParam().v6, GetParam().udp ? 17 : 6));
    EXPECT_EQ(sent[0].flags & RTE_MBUF_F_TX_L4_MASK, 0U);
}

TEST_P(Finish, CutsASuperSegment) {
    if (GetParam().udp) GTEST_SKIP() << "TCP only";
    const Packet packet = build(GetParam());
    constexpr std::uint16_t kSize = 536;
    const auto sent = pass(packet, kSize, kOffloadMultiSegment);
    const std::size_t headers = packet.l2 + packet.l3 + packet.l4;
    ASSERT_EQ(sent.size(), (GetParam().payload + kSize - 1) / kSize);
    Bytes payload;
    for (std::size_t at = 0; at < sent.size(); ++at) {
        const Bytes& bytes = sent[at].bytes;
        EXPECT_TRUE(l4_is_right(bytes, packet, GetParam().v6, 6)) << "segment " << at;
        const auto* tcp = reinterpret_cast<const rte_tcp_hdr*>(bytes.data() + packet.l2 + packet.l3);
        EXPECT_EQ(rte_be_to_cpu_32(tcp->sent_seq), 1000 + payload.size());
        const bool last = at + 1 == sent.size();
        EXPECT_EQ((tcp->tcp_flags & RTE_TCP_FIN_FLAG) != 0, last);
        EXPECT_EQ((tcp->tcp_flags & RTE_TCP_PSH_FLAG) != 0, last);
        EXPECT_EQ((tcp->tcp_flags & RTE_TCP_CWR_FLAG) != 0, at == 0);
        if (!GetParam().v6) {
            const auto* ip = reinterpret_cast<const rte_ipv4_hdr*>(bytes.data() + packet.l2);
            EXPECT_EQ(rte_raw_cksum(ip, 20), 0xffff);
            EXPECT_EQ(rte_be_to_cpu_16(ip->total_length), bytes.size() - packet.l2);
            EXPECT_EQ(rte_be_to_cpu_16(ip->packet_id), 7 + at);
        } else {
            const auto* ip = reinterpret_cast<const rte_ipv6_hdr*>(bytes.data() + packet.l2);
            EXPECT_EQ(rte_be_to_cpu_16(ip->payload_len), bytes.size() - packet.l2 - 40);
        }
        payload.insert(payload.end(), bytes.begin() + static_cast<std::ptrdiff_t>(headers), bytes.end());
    }
    EXPECT_EQ(payload, Bytes(packet.bytes.begin() + static_cast<std::ptrdiff_t>(headers), packet.bytes.end()));
    EXPECT_EQ(bench.vswitch().worker_stats(0).copies, sent.size() - 1);
}

TEST_P(Finish, LeavesSharedFramesAlone) {
    const Packet packet = build(GetParam());
    if (GetParam().vlan) {
        bench.trunk("other");
        bench.vlan("other", 10, "blue");
    } else {
        bench.access("other", "blue");
    }
    bench.apply();
    bench["other"].set_offloads(kOffloadL4Checksum | kOffloadMultiSegment);
    Packet broadcast = packet;
    std::fill_n(broadcast.bytes.begin(), 6, 0xff);
    const auto finished = pass(broadcast, 0, 0);
    const auto passed_on = bench["other"].take();
    ASSERT_EQ(passed_on.size(), 1U);
    EXPECT_EQ(passed_on[0].bytes, broadcast.bytes);
    if (GetParam().payload > 2000) {
        EXPECT_TRUE(finished.empty()) << "longer than one buffer, to a device without scatter";
        return;
    }
    ASSERT_EQ(finished.size(), 1U);
    EXPECT_TRUE(l4_is_right(finished[0].bytes, packet, GetParam().v6, GetParam().udp ? 17 : 6));
}

INSTANTIATE_TEST_SUITE_P(Shapes, Finish,
                         testing::Values(Shape{}, Shape{.v6 = true}, Shape{.udp = true}, Shape{.v6 = true, .udp = true},
                                         Shape{.vlan = true}, Shape{.v6 = true, .vlan = true}, Shape{.payload = 1},
                                         Shape{.payload = 5000}, Shape{.v6 = true, .payload = 5001},
                                         Shape{.v6 = true, .vlan = true, .payload = 7000},
                                         Shape{.v6 = true, .payload = 3000, .extension = 16},
                                         Shape{.udp = true, .payload = 8000}),
                         name_of);

TEST(FinishSmall, SegmentsAreCutAsLongAsTheyAreNotTooMany) {
    for (const std::size_t segments : {std::size_t{2}, std::size_t{kMaxSegmentsOfFrame}, kMaxSegmentsOfFrame + 1UL}) {
        const Shape shape{.payload = segments * kMinSegmentBytes};
        const Packet packet = build(shape);
        rte_mbuf* whole = MemoryPort(test_buffers()).make(packet.bytes);
        rte_mbuf* out[kMaxSegmentsOfFrame];
        with_flags(whole, packet, shape, kMinSegmentBytes);
        const Finished made = finish(whole, kOffloadMultiSegment, test_buffers(), out);
        const bool fit = segments <= kMaxSegmentsOfFrame;
        EXPECT_EQ(made.count, fit ? segments : 0U);
        EXPECT_EQ(made.reason, fit ? DropReason::none : DropReason::bad_offload);
        for (std::uint16_t at = 0; at < made.count; ++at) {
            EXPECT_EQ(out[at]->pkt_len, 54U + kMinSegmentBytes);
            rte_pktmbuf_free(out[at]);
        }
        if (!fit) rte_pktmbuf_free(whole);
    }
}

}  // namespace
}  // namespace bulkhead::test
