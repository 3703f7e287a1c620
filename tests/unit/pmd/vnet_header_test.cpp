// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/vnet_header.h"

#include <algorithm>
#include <memory>

#include <rte_mbuf.h>

#include "tests/unit/pmd/support/frames.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

using test::build;
using test::Bytes;
using test::Datagram;

constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmp6 = 58;

struct FreeFrame {
    void operator()(rte_mbuf* frame) const { rte_pktmbuf_free(frame); }
};
using Frame = std::unique_ptr<rte_mbuf, FreeFrame>;

Frame frame_of(const Bytes& bytes, std::size_t segment = 2048) {
    return Frame(test::make_frame(bytes, segment));
}

/// The header a kernel would send with this datagram.
VnetHeader checksum_header(const Datagram& datagram) {
    return {.flags = VnetHeader::needs_csum,
            .csum_start = static_cast<std::uint16_t>(test::l4_begin(datagram)),
            .csum_offset = static_cast<std::uint16_t>(datagram.protocol == kTcp ? 16 : 6)};
}

VnetHeader segment_header(const Datagram& datagram, std::uint16_t size) {
    auto header = checksum_header(datagram);
    header.gso_type = datagram.ipv6 ? VnetHeader::gso_tcp6 : VnetHeader::gso_tcp4;
    header.gso_size = size;
    return header;
}

class VnetHeaderTest : public test::PoolCheck {};

TEST_F(VnetHeaderTest, ChecksumRequestsBecomeFlagsAndComeBack) {
    const std::vector<Datagram> table{
        {},
        {.vlans = 1},
        {.vlans = 2, .ipv6 = true},
        {.ipv6 = true},
        {.protocol = kUdp},
        {.ipv6 = true, .protocol = kUdp},
        {.ip_options = 40},
        {.vlans = 2, .ip_options = 20},
        {.ipv6 = true, .ip_options = 8},
        {.vlans = 1, .ipv6 = true, .protocol = kUdp, .ip_options = 64},
        {.payload = 0},
        {.protocol = kUdp, .payload = 9000},
    };
    for (const auto& datagram : table) {
        const auto frame = frame_of(build(datagram));
        const auto header = checksum_header(datagram);
        ASSERT_TRUE(apply_vnet_header(header, *frame));
        const bool tcp = datagram.protocol == kTcp;
        EXPECT_EQ(frame->ol_flags, (tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM) |
                                       (datagram.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
        EXPECT_EQ(frame->l2_len, 14 + 4 * datagram.vlans);
        EXPECT_EQ(frame->l2_len + frame->l3_len, test::l4_begin(datagram));
        EXPECT_EQ(frame->l4_len, tcp ? 20 : 8);

        const auto back = build_vnet_header(*frame);
        EXPECT_EQ(back.flags, header.flags);
        EXPECT_EQ(back.csum_start, header.csum_start);
        EXPECT_EQ(back.csum_offset, header.csum_offset);
        EXPECT_EQ(back.gso_type, VnetHeader::gso_none);
    }
}

TEST_F(VnetHeaderTest, SegmentationRequestsBecomeFlagsAndComeBack) {
    for (const auto& datagram : {Datagram{.payload = 60000}, Datagram{.vlans = 1, .ipv6 = true, .payload = 60000},
                                 Datagram{.ip_options = 12, .payload = 3000}, Datagram{.payload = 10}}) {
        const auto frame = frame_of(build(datagram));
        const auto header = segment_header(datagram, 1448);
        ASSERT_TRUE(apply_vnet_header(header, *frame));
        EXPECT_EQ(frame->ol_flags, RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM |
                                       (datagram.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4));
        EXPECT_EQ(frame->tso_segsz, 1448);
        EXPECT_EQ(frame->l4_len, 20);

        const auto back = build_vnet_header(*frame);
        EXPECT_EQ(back.gso_type, header.gso_type);
        EXPECT_EQ(back.gso_size, 1448);
        EXPECT_EQ(back.hdr_len, test::l4_begin(datagram) + 20);
        EXPECT_EQ(back.csum_start, header.csum_start);
        EXPECT_EQ(back.csum_offset, 16);
        EXPECT_EQ(back.flags, VnetHeader::needs_csum);
    }
}

TEST_F(VnetHeaderTest, CongestionWindowReducedGoesAlong) {
    const Datagram datagram{.payload = 5000};
    auto bytes = build(datagram);
    bytes[test::l4_begin(datagram) + 13] |= 0x80;
    const auto frame = frame_of(bytes);
    auto header = segment_header(datagram, 1000);
    header.gso_type |= VnetHeader::gso_ecn;
    ASSERT_TRUE(apply_vnet_header(header, *frame));
    EXPECT_EQ(build_vnet_header(*frame).gso_type, VnetHeader::gso_tcp4 | VnetHeader::gso_ecn);
}

TEST_F(VnetHeaderTest, WholeFramesHaveNoFlags) {
    const auto frame = frame_of(build({}));
    ASSERT_TRUE(apply_vnet_header({}, *frame));
    EXPECT_EQ(frame->ol_flags, 0);
    ASSERT_TRUE(apply_vnet_header({.flags = VnetHeader::data_valid}, *frame));
    EXPECT_EQ(frame->ol_flags, 0);
    const auto header = build_vnet_header(*frame);
    EXPECT_EQ(header.flags, 0);
    EXPECT_EQ(header.gso_type, VnetHeader::gso_none);
}

TEST_F(VnetHeaderTest, ChecksumsThatNoFlagDescribesAreFinishedHere) {
    // ICMPv6: its checksum field is 2 bytes in.
    const Datagram icmp{.ipv6 = true, .protocol = kIcmp6, .payload = 61};
    const auto l4 = static_cast<std::uint16_t>(test::l4_begin(icmp));
    auto bytes = build(icmp);
    std::swap_ranges(bytes.begin() + l4 + 2, bytes.begin() + l4 + 4,
                     bytes.begin() + l4 + 6);  // where the builder put the sum
    const auto frame = frame_of(bytes, 100);
    ASSERT_TRUE(apply_vnet_header({.flags = VnetHeader::needs_csum, .csum_start = l4, .csum_offset = 2}, *frame));
    EXPECT_EQ(frame->ol_flags, 0);
    EXPECT_TRUE(test::l4_checksum_good(test::bytes_of(*frame), icmp));
}

TEST_F(VnetHeaderTest, ChecksumsOfUnknownProtocolsOverThreeTagsAreFinishedHere) {
    const Datagram datagram{.vlans = 3, .protocol = kUdp, .payload = 3000};
    const auto frame = frame_of(build(datagram));
    ASSERT_TRUE(apply_vnet_header(checksum_header(datagram), *frame));
    EXPECT_EQ(frame->ol_flags, 0);
    EXPECT_TRUE(test::l4_checksum_good(test::bytes_of(*frame), datagram));
}

/// A header, or a frame, that lies. Each must be refused, and none may be read or written outside.
struct Hostile {
    const char* name;
    Datagram datagram;
    void (*twist)(VnetHeader& header, Bytes& bytes);
    std::size_t segment = 65536;
};

TEST_F(VnetHeaderTest, RefusesHostileHeaders) {
    const Datagram tcp4{.payload = 4000}, tcp6{.ipv6 = true, .payload = 4000}, udp{.protocol = kUdp, .payload = 4000};
    const std::vector<Hostile> table{
        {"GSO without checksum", tcp4, [](VnetHeader& h, Bytes&) { h.flags = 0; }},
        {"GSO of size 0", tcp4, [](VnetHeader& h, Bytes&) { h.gso_size = 0; }},
        {"GSO of one byte", tcp4, [](VnetHeader& h, Bytes&) { h.gso_size = 1; }},
        {"GSO below every MSS", tcp4, [](VnetHeader& h, Bytes&) { h.gso_size = kMinSegmentBytes - 1; }},
        {"IPv6 GSO of an IPv4 frame", tcp4, [](VnetHeader& h, Bytes&) { h.gso_type = VnetHeader::gso_tcp6; }},
        {"IPv4 GSO of an IPv6 frame", tcp6, [](VnetHeader& h, Bytes&) { h.gso_type = VnetHeader::gso_tcp4; }},
        {"UDP GSO, never offered", udp, [](VnetHeader& h, Bytes&) { h.gso_type = VnetHeader::gso_udp; }},
        {"TCP GSO of UDP", udp, [](VnetHeader& h, Bytes&) { h.gso_type = VnetHeader::gso_tcp4; }},
        {"GSO type ECN alone", tcp4, [](VnetHeader& h, Bytes&) { h.gso_type = VnetHeader::gso_ecn; }},
        {"unknown GSO type", tcp4, [](VnetHeader& h, Bytes&) { h.gso_type = 77; }},
        {"checksum start outside", tcp4, [](VnetHeader& h, Bytes&) { h.csum_start = 60000; }},
        {"checksum start at the end", tcp4,
         [](VnetHeader& h, Bytes& b) { h.csum_start = static_cast<std::uint16_t>(b.size()); }},
        {"checksum offset outside", tcp4, [](VnetHeader& h, Bytes&) { h.csum_offset = 65535; }},
        {"start and offset overflow", tcp4, [](VnetHeader& h, Bytes&) { h.csum_start = 65535, h.csum_offset = 65535; }},
        {"checksum inside Ethernet", tcp4,
         [](VnetHeader& h, Bytes&) { h.gso_type = 0, h.csum_start = 0, h.csum_offset = 0; }},
        {"GSO with the start elsewhere", tcp4, [](VnetHeader& h, Bytes&) { h.csum_start += 2; }},
        {"GSO with the field elsewhere", tcp4, [](VnetHeader& h, Bytes&) { h.csum_offset = 14; }},
        {"GSO of a frame that is not IP", tcp4, [](VnetHeader&, Bytes& b) { b[12] = 0x88, b[13] = 0xb5; }},
        {"GSO with IPv4 version 6", tcp4, [](VnetHeader&, Bytes& b) { b[14] = 0x65; }},
        {"GSO with a header length of 4 words", tcp4, [](VnetHeader& h, Bytes& b) { b[14] = 0x44, h.csum_start = 30; }},
        {"GSO of a fragment", tcp4, [](VnetHeader&, Bytes& b) { b[20] = 0x20; }},
        {"IPv4 length beyond the frame", tcp4, [](VnetHeader&, Bytes& b) { b[16] = 0xff; }},
        {"IPv4 length below its header", tcp4, [](VnetHeader&, Bytes& b) { b[16] = 0, b[17] = 10; }},
        {"IPv4 length below the TCP header", tcp4, [](VnetHeader&, Bytes& b) { b[16] = 0, b[17] = 30; }},
        {"IPv6 length beyond the frame", tcp6, [](VnetHeader&, Bytes& b) { b[18] = 0xff; }},
        {"IPv6 jumbogram", tcp6, [](VnetHeader&, Bytes& b) { b[18] = 0, b[19] = 0; }},
        {"TCP header length 0", tcp4, [](VnetHeader&, Bytes& b) { b[46] = 0; }},
        {"TCP header beyond the frame", tcp4,
         [](VnetHeader&, Bytes& b) { b.resize(60), b[16] = 0, b[17] = 46, b[46] = 0xf0; }},
        {"GSO without payload", {.payload = 0}, [](VnetHeader&, Bytes&) {}},
        {"headers beyond the first segment", tcp4, [](VnetHeader&, Bytes&) {}, 40},
        {"cut inside Ethernet", tcp4, [](VnetHeader&, Bytes& b) { b.resize(10); }},
        {"cut inside IPv4", tcp4, [](VnetHeader&, Bytes& b) { b.resize(20); }},
        {"cut inside TCP", tcp4, [](VnetHeader&, Bytes& b) { b.resize(40); }},
        {"extension headers without end", tcp6,
         [](VnetHeader& h, Bytes& b) {
             b[20] = 0;
             for (std::size_t i = 54; i + 8 < 200; i += 8) b[i] = 0, b[i + 1] = 0;
             h.csum_start = 54 + 9 * 8;
         }},
        {"extension header that reaches outside", tcp6,
         [](VnetHeader& h, Bytes& b) { b[20] = 0, b[54] = 6, b[55] = 255, h.csum_start = 54 + 2048; }},
    };
    for (const auto& row : table) {
        auto bytes = build(row.datagram);
        auto header = segment_header(row.datagram, 1000);
        row.twist(header, bytes);
        Bytes tight(bytes.begin(), bytes.begin() + static_cast<long>(std::min(row.segment, bytes.size())));
        rte_mbuf frame{};  // in memory that ends with the frame, so that a sanitizer sees who reads on
        frame.buf_addr = tight.data();
        frame.nb_segs = 1;
        frame.data_len = static_cast<std::uint16_t>(tight.size());
        frame.pkt_len = static_cast<std::uint32_t>(bytes.size());
        EXPECT_FALSE(apply_vnet_header(header, frame)) << row.name;
        EXPECT_EQ(frame.ol_flags, 0) << row.name;
    }
}

TEST_F(VnetHeaderTest, APendingIpv4ChecksumIsSetInACopy) {
    for (const auto& datagram : {Datagram{}, Datagram{.vlans = 1, .ip_options = 40}}) {
        auto bytes = build(datagram);
        const std::size_t field = 14 + 4 * static_cast<std::size_t>(datagram.vlans) + 10;
        const Bytes good(bytes.begin() + static_cast<long>(field), bytes.begin() + static_cast<long>(field) + 2);
        bytes[field] = 0xaa;
        const auto frame = frame_of(bytes);
        unsigned char copy[kMaxFinishedHeaders];
        EXPECT_EQ(finish_ipv4_header(*frame, copy), 0);  // nothing pending

        frame->ol_flags = RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4;
        frame->l2_len = static_cast<std::uint8_t>(14 + 4 * datagram.vlans) & 0x7f;
        frame->l3_len = static_cast<std::uint16_t>(20 + datagram.ip_options) & 0x1ff;
        EXPECT_EQ(finish_ipv4_header(*frame, copy), test::l4_begin(datagram));
        EXPECT_EQ(Bytes(copy + field, copy + field + 2), good);
        EXPECT_EQ(test::bytes_of(*frame), bytes);
    }
}

TEST_F(VnetHeaderTest, APendingIpv4ChecksumWithLyingLengthsIsLeft) {
    const auto frame = frame_of(Bytes(40));
    unsigned char copy[kMaxFinishedHeaders];
    frame->ol_flags = RTE_MBUF_F_TX_IP_CKSUM;
    frame->l2_len = 14;
    for (const int l3 : {0, 19, 27, 300}) {
        frame->l3_len = static_cast<std::uint16_t>(l3) & 0x1ff;
        EXPECT_EQ(finish_ipv4_header(*frame, copy), 0) << l3;
    }
}

}  // namespace
}  // namespace bulkhead
