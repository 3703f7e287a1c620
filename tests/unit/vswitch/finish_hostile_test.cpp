// SPDX-License-Identifier: Apache-2.0
// Requests that no frame may come with are dropped, and counted where they came in or would have gone out.
#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "tests/unit/support/bench.h"
#include "vswitch/packet/refused_frame.h"
#include "vswitch/pipeline/finish.h"

namespace bulkhead::test {
namespace {

struct Hostile {
    const char* name;
    std::uint64_t flags;
    std::uint8_t l2, l4;
    std::uint16_t l3, segment_size;
};

TEST(FinishHostile, AFrameThatItsPortRefusesIsInThePortsBooks) {
    Bench bench;
    bench.segment("blue", 1);
    bench.access("near", "blue");
    bench.access("far", "blue");
    bench.apply();
    rte_mbuf* bad = bench["near"].make(frame(0xff, 1, {}, 100));
    bad->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_SEG;
    mark_refused(*bad);
    bench["near"].inject(bad);
    bench.run();
    EXPECT_TRUE(bench["far"].take().empty());
    EXPECT_EQ(bench.drops(DropReason::bad_offload), 1U);
    const auto rows = bench.vswitch().drops();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].port, "near");
    EXPECT_EQ(rows[0].drops[static_cast<std::size_t>(DropReason::bad_offload)], 1U);
}

TEST(FinishHostile, NobodyIsTrustedWithSctp) {
    rte_mbuf* frame = rte_pktmbuf_alloc(test_buffers());
    rte_pktmbuf_append(frame, 100);
    frame->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_SCTP_CKSUM;
    frame->l2_len = 14;
    frame->l3_len = 20;
    const std::uint32_t everything = kOffloadL4Checksum | kOffloadIpv4Checksum | kOffloadTso4 | kOffloadTso6;
    EXPECT_FALSE(fits(frame, everything));
    rte_mbuf* out[kMaxSegmentsOfFrame];
    EXPECT_EQ(finish(frame, everything, test_buffers(), out).reason, DropReason::bad_offload);
    rte_pktmbuf_free(frame);
}

TEST(FinishHostile, RefusesRequestsThatDoNotFitTheFrame) {
    const Hostile cases[] = {
        {"checksum beyond the frame", RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM, 14, 20, 200, 0},
        {"no network header", RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM, 14, 8, 0, 0},
        {"short network header", RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_UDP_CKSUM, 14, 8, 20, 0},
        {"no link header", RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM, 0, 20, 20, 0},
        {"segments of one byte", RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_SEG, 14, 20, 20, 1},
        {"segments of none", RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_SEG, 14, 20, 20, 0},
        {"short TCP header", RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_SEG, 14, 4, 20, 500},
        {"nothing but headers", RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_SEG, 14, 60, 40, 500},
        {"SCTP", RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_SCTP_CKSUM, 14, 12, 20, 0},
    };
    for (const Hostile& hostile : cases) {
        Bench bench;
        bench.segment("blue", 1);
        bench.access("near", "blue");
        bench.access("far", "blue");
        bench.apply();
        rte_mbuf* bad = bench["near"].make(frame(0xff, 1, {}, 100));
        bad->ol_flags = hostile.flags;
        bad->l2_len = hostile.l2 & 0x7f;
        bad->l3_len = hostile.l3 & 0x1ff;
        bad->l4_len = hostile.l4;
        bad->tso_segsz = hostile.segment_size;
        bench["near"].inject(bad);
        bench.run();
        EXPECT_TRUE(bench["far"].take().empty()) << hostile.name;
        EXPECT_EQ(bench.drops(DropReason::bad_offload), 1U) << hostile.name;
    }
}

}  // namespace
}  // namespace bulkhead::test
