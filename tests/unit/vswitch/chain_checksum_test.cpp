// SPDX-License-Identifier: Apache-2.0
#include "vswitch/packet/chain_checksum.h"

#include <cstdint>
#include <initializer_list>

#include <gtest/gtest.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include "tests/unit/support/test_buffers.h"

namespace bulkhead::test {
namespace {

/// `octets` of 0xff, which carry wherever they are added, in buffers of those lengths and then 100.
rte_mbuf* chain(std::uint32_t octets, std::uint16_t first, std::uint16_t second) {
    rte_mbuf* const frame = rte_pktmbuf_alloc(test_buffers());
    rte_mbuf* last = frame;
    std::uint16_t room = first;
    for (std::uint32_t at = 0; at < octets; ++at) {
        if (last->data_len == room) {
            room = frame->nb_segs == 1 ? second : 100;
            last->next = rte_pktmbuf_alloc(test_buffers());
            last = last->next;
            ++frame->nb_segs;
        }
        *rte_pktmbuf_mtod_offset(last, std::uint8_t*, last->data_len) = static_cast<std::uint8_t>(0xff - at % 3);
        ++last->data_len;
        ++frame->pkt_len;
    }
    return frame;
}

TEST(ChainChecksum, IsThatOfTheOctetsHoweverTheyLie) {
    constexpr std::uint32_t kOctets = 400;
    rte_mbuf* const whole = chain(kOctets, kOctets, 1);
    ASSERT_EQ(whole->nb_segs, 1);
    for (const std::uint32_t offset : {0U, 1U, 34U, 60U}) {
        const std::uint16_t wanted =
            rte_raw_cksum(rte_pktmbuf_mtod_offset(whole, const void*, offset), kOctets - offset - 3);
        for (const std::uint16_t first : std::initializer_list<std::uint16_t>{34, 35, 60, 61, 399})
            for (const std::uint16_t second : std::initializer_list<std::uint16_t>{1, 2, 33, 100}) {
                rte_mbuf* const parts = chain(kOctets, first, second);
                std::uint16_t sum = 0;
                EXPECT_TRUE(chain_checksum(parts, offset, kOctets - offset - 3, sum));
                EXPECT_EQ(sum, wanted) << "from " << offset << ", buffers of " << first << " and " << second;
                rte_pktmbuf_free(parts);
            }
    }
    rte_pktmbuf_free(whole);
}

TEST(ChainChecksum, OfMoreThanThereIsIsRefused) {
    rte_mbuf* const frame = chain(200, 51, 50);
    std::uint16_t sum = 0;
    EXPECT_TRUE(chain_checksum(frame, 51, 149, sum));
    EXPECT_FALSE(chain_checksum(frame, 51, 150, sum));
    EXPECT_FALSE(chain_checksum(frame, 201, 0, sum));
    rte_pktmbuf_free(frame);
}

}  // namespace
}  // namespace bulkhead::test
