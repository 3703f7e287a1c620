// SPDX-License-Identifier: Apache-2.0
// A flooded frame gets a tag in front of a payload that others share, and keeps its pending work doable.
#include <algorithm>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "tests/unit/support/frames.h"
#include "tests/unit/support/test_buffers.h"
#include "vswitch/packet/vlan.h"

namespace bulkhead::test {
namespace {

constexpr std::uint16_t kHeaders = 14 + 20 + 20;

Bytes read(const rte_mbuf* mbuf) {
    Bytes bytes(mbuf->pkt_len);
    const auto* at = static_cast<const std::uint8_t*>(rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, bytes.data()));
    if (at != bytes.data()) std::copy_n(at, bytes.size(), bytes.data());
    return bytes;
}

struct TaggedCopy : testing::Test {
    TaggedCopy() : before(rte_mempool_avail_count(test_buffers())) {}
    ~TaggedCopy() override { EXPECT_EQ(rte_mempool_avail_count(test_buffers()), before); }

    /// The bytes in buffers of `split` bytes each, held by two.
    static rte_mbuf* shared(const Bytes& bytes, std::size_t split, std::uint64_t flags) {
        rte_mbuf* head = nullptr;
        for (std::size_t at = 0; at < bytes.size(); at += split) {
            const std::size_t length = std::min(split, bytes.size() - at);
            rte_mbuf* part = rte_pktmbuf_alloc(test_buffers());
            std::copy_n(bytes.data() + at, length,
                        reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(part, static_cast<std::uint16_t>(length))));
            if (head == nullptr)
                head = part;
            else
                rte_pktmbuf_chain(head, part);
        }
        head->ol_flags = flags;
        head->l2_len = 14;
        head->l3_len = 20;
        head->l4_len = 20;
        head->tso_segsz = 1000;
        rte_pktmbuf_refcnt_update(head, 1);
        return head;
    }

    struct Case {
        std::size_t size, split;
        std::uint64_t flags;
        std::uint16_t first;     ///< bytes of the copy's first buffer
        std::uint16_t segments;  ///< of the copy
    };
    static void expect(const Case& expected) {
        const Bytes bytes = frame(0xff, 1, {}, expected.size - 14);
        rte_mbuf* original = shared(bytes, expected.split, expected.flags);
        rte_mbuf* copy = tagged_copy(original, 10, test_buffers());
        ASSERT_NE(copy, nullptr);
        EXPECT_EQ(read(copy), frame(0xff, 1, {{10}}, expected.size - 14));
        EXPECT_EQ(copy->data_len, expected.first);
        EXPECT_EQ(copy->nb_segs, expected.segments);
        EXPECT_EQ(rte_mbuf_check(copy, 1, nullptr), 0);
        EXPECT_EQ(copy->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK, expected.flags);
        if (expected.flags != 0) {
            EXPECT_EQ(copy->l2_len, 18);
            EXPECT_EQ(copy->l3_len, 20);
            EXPECT_EQ(copy->tso_segsz, 1000);
        }
        EXPECT_EQ(read(original), bytes);
        rte_pktmbuf_free(copy);
        rte_pktmbuf_free(original);
        rte_pktmbuf_free(original);
    }

    unsigned before;
};

constexpr std::uint64_t kSegmented = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_IPV4;
constexpr std::uint64_t kChecksum = RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4;

TEST_F(TaggedCopy, SharesAllButTheAddressesOfAWholeFrame) {
    expect({.size = 500, .split = 500, .flags = 0, .first = 16, .segments = 2});
    expect({.size = 500, .split = 200, .flags = 0, .first = 16, .segments = 4});
}

TEST_F(TaggedCopy, HasAllHeadersOfPendingWorkInItsFirstBuffer) {
    expect({.size = 5000, .split = 1900, .flags = kSegmented, .first = kHeaders + 4, .segments = 4});
    expect({.size = 500, .split = 500, .flags = kChecksum, .first = 14 + 20 + 8 + 4, .segments = 2});
}

TEST_F(TaggedCopy, HasNoEmptyBufferWhereTheHeadersEndWithOne) {
    expect({.size = 500, .split = kHeaders, .flags = kSegmented, .first = kHeaders + 4, .segments = 10});
    expect({.size = kHeaders, .split = 500, .flags = kSegmented, .first = kHeaders + 4, .segments = 1});
}

}  // namespace
}  // namespace bulkhead::test
