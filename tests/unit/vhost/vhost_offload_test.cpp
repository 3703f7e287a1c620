// SPDX-License-Identifier: Apache-2.0
// Unfinished work travels with a frame from guest to guest, and only if it fits the frame.
#include <functional>

#include "tests/unit/vhost/tcp_frame.h"
#include "tests/unit/vhost/vhost_fixture.h"
#include "vswitch/packet/refused_frame.h"

namespace bulkhead::test {
namespace {

constexpr std::uint64_t kChecksum = 1ULL << 0 | 1ULL << 1;                       // CSUM, GUEST_CSUM
constexpr std::uint64_t kTso = 1ULL << 7 | 1ULL << 8 | 1ULL << 11 | 1ULL << 12;  // GUEST_ and HOST_, TSO4 and TSO6
constexpr std::uint64_t kOffloadingGuest = kPlainGuest | kChecksum | kTso;

class VhostOffloadTest : public VhostTest {};

TEST_F(VhostOffloadTest, follow_what_the_guest_negotiated) {
    const struct {
        std::uint64_t features;
        std::uint32_t offloads;
    } cases[] = {
        {kPlainGuest, kOffloadIpv4Checksum | kOffloadMultiSegment},
        {kPlainGuest | kChecksum, kOffloadIpv4Checksum | kOffloadMultiSegment | kOffloadL4Checksum},
        {kOffloadingGuest,
         kOffloadIpv4Checksum | kOffloadMultiSegment | kOffloadL4Checksum | kOffloadTso4 | kOffloadTso6},
    };
    auto port = open(VhostTest::port(VhostMode::server));
    EXPECT_EQ(port->offloads(), 0x1fU) << "work would be finished for nobody";
    long visit = 0;
    for (const auto& expected : cases) {
        FakeGuest guest = FakeGuest::connect_to(path());
        guest.start(expected.features);
        ASSERT_TRUE(events_.wait_for(PortEvent::link_up, ++visit));
        EXPECT_EQ(port->offloads(), expected.offloads);
        {
            FakeGuest leaving = std::move(guest);
        }
        ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected, visit));
    }
}

constexpr GuestOffloads kNoOffloads{.checksum = false, .tso4 = false, .tso6 = false};
constexpr GuestOffloads kNoTso{.checksum = true, .tso4 = false, .tso6 = false};

TEST_F(VhostOffloadTest, are_offered_as_the_port_says) {
    const struct {
        GuestOffloads configured;
        std::uint64_t offered;
    } cases[] = {
        {{}, kChecksum | kTso},
        {kNoTso, kChecksum},
        {{.checksum = true, .tso4 = true, .tso6 = false}, kChecksum | 1ULL << 7 | 1ULL << 11},
        {kNoOffloads, 0},
    };
    for (const auto& expected : cases) {
        Port configured = VhostTest::port(VhostMode::server);
        std::get<VhostUserDevice>(configured.device).offloads = expected.configured;
        auto port = open(configured);
        FakeGuest guest = FakeGuest::connect_to(path());
        EXPECT_EQ(guest.offered_features() & (kChecksum | kTso), expected.offered);
    }
}

TEST_F(VhostOffloadTest, that_a_guest_shall_not_have_any_more_are_finished_in_software) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kOffloadingGuest);
    port->set_guest_offloads(kNoTso);
    EXPECT_EQ(port->offloads(), kOffloadIpv4Checksum | kOffloadMultiSegment | kOffloadL4Checksum);
    port->set_guest_offloads({});
    EXPECT_EQ(port->offloads(), 0x1fU) << "it still goes by them";

    port->set_guest_offloads(kNoOffloads);
    rte_mbuf* frame = buffer(tcp4_frame(100));  // made for the guest a moment before
    frame->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
    frame->l2_len = 14, frame->l3_len = 20;
    EXPECT_EQ(port->transmit(0, &frame, 1).taken, 1) << "what was under way to it gets lost";
    guest->send(tcp4_frame(20000), request(34, 1400));
    rte_mbuf* received = receive_one(*port);
    ASSERT_NE(received, nullptr) << "it was offered TSO, and may go on with it";
    EXPECT_FALSE(is_refused(*received));
    rte_pktmbuf_free(received);

    guest.reset();
    ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected));
    wait_until_closed(*port);
    FakeGuest next = FakeGuest::connect_to(path());
    EXPECT_EQ(next.offered_features() & (kChecksum | kTso), 0U);
}

/// QEMU hangs up, at every attempt, where its guest goes by a feature that is offered no more.
TEST_F(VhostOffloadTest, are_all_offered_to_a_guest_that_hung_up_on_less) {
    Port configured = VhostTest::port(VhostMode::server);
    std::get<VhostUserDevice>(configured.device).offloads = kNoOffloads;
    auto port = open(configured);
    const auto offered = [&] {
        wait_until_closed(*port);
        return FakeGuest::connect_to(path()).offered_features() & (kChecksum | kTso);
    };
    EXPECT_EQ(offered(), 0U);
    EXPECT_EQ(offered(), kChecksum | kTso);
    wait_until_closed(*port);
    {
        FakeGuest guest = FakeGuest::connect_to(path());
        guest.start(kOffloadingGuest);
        ASSERT_TRUE(events_.wait_for(PortEvent::link_up));
        EXPECT_EQ(port->offloads(), kOffloadIpv4Checksum | kOffloadMultiSegment) << "software finishes for it";
    }
    ASSERT_TRUE(events_.wait_for(PortEvent::guest_disconnected));
    EXPECT_EQ(offered(), 0U) << "one that has chosen";
}

struct Request {
    const char* name;
    Frame frame;
    NetHeader header;
    std::uint64_t flags;
    std::uint16_t l2, l3, l4;
};

TEST_F(VhostOffloadTest, reach_the_switch_as_transmit_flags_and_the_next_guest_as_they_came) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kOffloadingGuest);
    constexpr std::uint64_t kSegmented = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
    const Request requests[] = {
        {"checksum", tcp4_frame(100), request(34), RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4, 14, 20, 0},
        {"checksum behind a VLAN tag", tcp4_frame(100, true), request(38), RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4,
         18, 20, 0},
        {"checksum over IPv6", tcp6_frame(100), request(54), RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV6, 14, 40, 0},
        {"TSO", tcp4_frame(20000), request(34, 1400), kSegmented | RTE_MBUF_F_TX_IPV4, 14, 20, 20},
        {"TSO behind a VLAN tag", tcp4_frame(20000, true), request(38, 1400), kSegmented | RTE_MBUF_F_TX_IPV4, 18, 20,
         20},
        {"TSO over IPv6", tcp6_frame(60000), request(54, 1380, kGsoTcp6), kSegmented | RTE_MBUF_F_TX_IPV6, 14, 40, 20},
    };
    for (const Request& expected : requests) {
        SCOPED_TRACE(expected.name);
        guest->send(expected.frame, expected.header);
        rte_mbuf* frame = receive_one(*port);
        ASSERT_NE(frame, nullptr);
        EXPECT_EQ(frame->ol_flags, expected.flags);
        EXPECT_EQ(frame->l2_len, expected.l2);
        EXPECT_EQ(frame->l3_len, expected.l3);
        EXPECT_EQ(frame->l4_len, expected.l4);
        EXPECT_EQ(frame->tso_segsz, expected.header.gso_size);

        ASSERT_EQ(port->transmit(0, &frame, 1).taken, 1);
        const auto delivered = guest->receive();
        ASSERT_TRUE(delivered);
        EXPECT_EQ(delivered->frame, expected.frame) << "the pseudo-header sum included";
        EXPECT_EQ(delivered->header.flags, kNeedsChecksum);
        EXPECT_EQ(delivered->header.csum_start, expected.header.csum_start);
        EXPECT_EQ(delivered->header.csum_offset, 16);
        EXPECT_EQ(delivered->header.gso_type, expected.header.gso_type);
        EXPECT_EQ(delivered->header.gso_size, expected.header.gso_size);
        EXPECT_EQ(delivered->header.hdr_len, expected.header.hdr_len);
    }
}

TEST_F(VhostOffloadTest, that_dont_fit_the_frame_cost_the_guest_the_frame) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kOffloadingGuest);
    const struct {
        const char* name;
        std::function<void(Frame&, NetHeader&)> spoil;
    } cases[] = {
        {"segmentation without checksum", [](Frame&, NetHeader& header) { header.flags = 0; }},
        {"segments of one byte", [](Frame&, NetHeader& header) { header.gso_size = 1; }},
        {"IP header of 16 bytes",
         [](Frame& frame, NetHeader& header) {
             frame[14] = 0x44;
             header.csum_start = 30;
         }},
        {"SCTP, whose checksum is no sum",
         [](Frame& frame, NetHeader& header) {
             frame[14 + 9] = IPPROTO_SCTP;
             header.gso_type = 0, header.gso_size = 0, header.csum_offset = 8;
         }},
        {"TCP header of 16 bytes", [](Frame& frame, NetHeader&) { frame[34 + 12] = 4 << 4; }},
        {"IP length beyond the frame", [](Frame& frame, NetHeader&) { frame[16] = 0xff; }},
        {"IP length short of the frame", [](Frame& frame, NetHeader&) { frame[17] = 41, frame[16] = 0; }},
        {"nothing to segment",
         [](Frame& frame, NetHeader&) {
             frame.resize(kTcp4Headers);
             frame[16] = 0, frame[17] = 40;
         }},
    };
    for (const auto& hostile : cases) {
        SCOPED_TRACE(hostile.name);
        Frame frame = tcp4_frame(3000);
        NetHeader header = request(34, 1400);
        hostile.spoil(frame, header);
        guest->send(frame, header);
        guest->send(frame_of(60));
        rte_mbuf* received[2];
        ASSERT_EQ(port->receive(0, received, 2), 2);
        EXPECT_TRUE(is_refused(*received[0]));
        EXPECT_EQ(received[0]->pkt_len, frame.size()) << "as it was received";
        EXPECT_FALSE(is_refused(*received[1])) << "the plain frame behind it";
        rte_pktmbuf_free_bulk(received, 2);
    }
}

TEST_F(VhostOffloadTest, leave_a_shared_frame_as_it_is) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kOffloadingGuest);
    for (const std::uint16_t segment : std::initializer_list<std::uint16_t>{0, 500}) {
        Frame bytes = tcp4_frame(1200);
        header_at<rte_ipv4_hdr>(bytes, 14)->hdr_checksum = 0;
        header_at<rte_tcp_hdr>(bytes, 34)->cksum = 0x1234;  // not what librte_vhost would write
        rte_mbuf* frame = buffer(bytes);
        frame->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
        if (segment != 0) frame->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
        frame->l2_len = 14;
        frame->l3_len = 20;
        frame->l4_len = 20;
        frame->tso_segsz = segment;
        rte_mbuf_refcnt_update(frame, 1);

        ASSERT_EQ(port->transmit(0, &frame, 1).taken, 1);
        EXPECT_EQ(bytes_of(frame), bytes);
        EXPECT_EQ(rte_mbuf_refcnt_read(frame), 1);
        const auto delivered = guest->receive();
        ASSERT_TRUE(delivered);
        Frame summed = bytes;
        header_at<rte_ipv4_hdr>(summed, 14)->hdr_checksum = rte_ipv4_cksum(header_at<rte_ipv4_hdr>(summed, 14));
        EXPECT_EQ(delivered->frame, summed);
        EXPECT_EQ(delivered->header.gso_size, segment);
        rte_pktmbuf_free(frame);
    }
}

TEST_F(VhostOffloadTest, behind_extension_headers_keep_their_pseudo_header_sum) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kOffloadingGuest);
    Frame bytes = tcp6_frame(100);
    const std::uint8_t options[8] = {IPPROTO_TCP, 0, 1, 4, 0, 0, 0, 0};  // RFC 8200, section 4.6, padded
    bytes.insert(bytes.begin() + 54, options, options + 8);
    auto* ip = header_at<rte_ipv6_hdr>(bytes, 14);
    ip->proto = IPPROTO_DSTOPTS;
    ip->payload_len = rte_cpu_to_be_16(8 + 20 + 100);
    rte_mbuf* frame = buffer(bytes);
    frame->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV6;
    frame->l2_len = 14;
    frame->l3_len = 48;
    ASSERT_EQ(port->transmit(0, &frame, 1).taken, 1);
    const auto delivered = guest->receive();
    ASSERT_TRUE(delivered);
    EXPECT_EQ(delivered->frame, bytes);
    EXPECT_EQ(delivered->header.flags, kNeedsChecksum);
    EXPECT_EQ(delivered->header.csum_start, 62);
    EXPECT_EQ(delivered->header.csum_offset, 16);
}

TEST_F(VhostOffloadTest, whose_headers_are_torn_cost_only_their_own_frame) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kOffloadingGuest);
    const Frame whole = tcp4_frame(1200);
    rte_mbuf* torn = buffer(Frame(whole.begin(), whole.begin() + 16));
    rte_pktmbuf_chain(torn, buffer(Frame(whole.begin() + 16, whole.end())));
    torn->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_SEG;
    torn->l2_len = 14;
    torn->l3_len = 20;
    torn->l4_len = 20;
    torn->tso_segsz = 500;
    rte_mbuf* frames[3] = {buffer(frame_of(60)), torn, buffer(frame_of(61))};
    const TransmitResult sent = port->transmit(0, frames, 3);
    EXPECT_EQ(sent.taken, 1);
    EXPECT_EQ(sent.reason, DropReason::tx_error) << "any other reason would cost the frame behind it";
    rte_pktmbuf_free(torn);
    EXPECT_EQ(port->transmit(0, frames + 2, 1).taken, 1);
}

TEST_F(VhostOffloadTest, come_back_with_a_frame_that_a_full_guest_left) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kOffloadingGuest, 1);
    for (const bool shared : {false, true}) {
        guest->send(tcp4_frame(5000), request(34, 1400));
        guest->send(tcp4_frame(5000), request(34, 1400));
        rte_mbuf* frames[2];
        ASSERT_EQ(port->receive(0, frames, 2), 2);
        if (shared)
            for (rte_mbuf* frame : frames)
                for (rte_mbuf* segment = frame; segment != nullptr; segment = segment->next)
                    rte_mbuf_refcnt_update(segment, 1);
        EXPECT_EQ(port->transmit(0, frames, 2).taken, 1);
        EXPECT_EQ(frames[1]->pkt_len, kTcp4Headers + 5000);
        EXPECT_EQ(bytes_of(frames[1]), tcp4_frame(5000));
        EXPECT_EQ(rte_mbuf_check(frames[1], 1, nullptr), 0);
        guest->give_buffers(1);
        ASSERT_EQ(port->transmit(0, frames + 1, 1).taken, 1);
        while (guest->receive()) {
        }
        guest->give_buffers(1);
        if (shared)
            for (rte_mbuf* frame : frames) rte_pktmbuf_free(frame);
    }
}

TEST_F(VhostOffloadTest, are_not_pushed_on_a_guest_that_cannot) {
    std::optional<FakeGuest> guest;
    auto port = open_with_guest(guest, kPlainGuest | kChecksum);
    rte_mbuf* frame = buffer(tcp4_frame(1200));
    frame->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_SEG;
    EXPECT_EQ(port->transmit(0, &frame, 1).taken, 0);
    EXPECT_FALSE(guest->receive());
    rte_pktmbuf_free(frame);
}

}  // namespace
}  // namespace bulkhead::test
