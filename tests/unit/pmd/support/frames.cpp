// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/pmd/support/frames.h"

#include <algorithm>
#include <cstring>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

namespace bulkhead::test {
namespace {

void put16(Bytes& bytes, std::size_t at, std::uint16_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}

std::size_t l2_bytes(const Datagram& d) {
    return 14 + 4 * static_cast<std::size_t>(d.vlans);
}
std::size_t l3_bytes(const Datagram& d) {
    return (d.ipv6 ? 40U : 20U) + static_cast<std::size_t>(d.ip_options);
}
std::size_t l4_bytes(const Datagram& d) {
    return d.protocol == IPPROTO_TCP ? 20 : 8;
}
std::size_t checksum_field(const Datagram& d) {
    return l4_begin(d) + (d.protocol == IPPROTO_TCP ? 16 : 6);
}

void put_l2(Bytes& bytes, const Datagram& d) {
    const std::uint8_t addresses[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    std::copy_n(addresses, 12, bytes.begin());
    for (int i = 0; i < d.vlans; ++i) put16(bytes, 12 + 4 * static_cast<std::size_t>(i), 0x8100);
    const std::uint16_t type = d.ipv6 ? 0x86dd : 0x0800;
    put16(bytes, l2_bytes(d) - 2, d.ether_type != 0 ? d.ether_type : type);
}

void put_ipv4(Bytes& bytes, const Datagram& d) {
    const auto at = l2_bytes(d);
    bytes[at] = static_cast<std::uint8_t>(0x40 + l3_bytes(d) / 4);
    put16(bytes, at + 2, static_cast<std::uint16_t>(bytes.size() - at));
    bytes[at + 8] = 64;
    bytes[at + 9] = d.protocol;
    bytes[at + 12] = bytes[at + 16] = 10;
    bytes[at + 15] = 1;
    bytes[at + 19] = 2;
    std::fill_n(bytes.begin() + static_cast<long>(at) + 20, d.ip_options, std::uint8_t{1});  // no operation
    const auto sum = static_cast<std::uint16_t>(~rte_raw_cksum(&bytes[at], l3_bytes(d)));
    std::memcpy(&bytes[at + 10], &sum, 2);
}

void put_ipv6(Bytes& bytes, const Datagram& d) {
    const auto at = l2_bytes(d);
    bytes[at] = 0x60;
    put16(bytes, at + 4, static_cast<std::uint16_t>(bytes.size() - at - 40));
    bytes[at + 6] = d.ip_options != 0 ? 0 : d.protocol;
    bytes[at + 7] = 64;
    bytes[at + 8] = bytes[at + 24] = 0xfd;
    bytes[at + 23] = 1;
    bytes[at + 39] = 2;
    if (d.ip_options == 0) return;
    bytes[at + 40] = d.protocol;
    bytes[at + 41] = static_cast<std::uint8_t>(d.ip_options / 8 - 1);
}

std::uint16_t pseudo_sum(const Bytes& bytes, const Datagram& d) {
    const auto at = l2_bytes(d);
    const std::size_t length = bytes.size() - l4_begin(d);
    Bytes pseudo(bytes.begin() + static_cast<long>(at) + (d.ipv6 ? 8 : 12),
                 bytes.begin() + static_cast<long>(at) + (d.ipv6 ? 40 : 20));
    pseudo.insert(pseudo.end(),
                  {0, d.protocol, static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)});
    return rte_raw_cksum(pseudo.data(), pseudo.size());
}

}  // namespace

rte_mempool* buffers() {
    static rte_mempool* const pool =
        rte_pktmbuf_pool_create("test", 8191, 0, 0, RTE_PKTMBUF_HEADROOM + 2048, SOCKET_ID_ANY);
    return pool;
}

rte_mbuf* make_frame(const Bytes& bytes, std::size_t segment) {
    rte_mbuf* const head = rte_pktmbuf_alloc(buffers());
    std::size_t done = std::min(segment, bytes.size());
    std::memcpy(rte_pktmbuf_append(head, static_cast<std::uint16_t>(done)), bytes.data(), done);
    while (done < bytes.size()) {
        rte_mbuf* const next = rte_pktmbuf_alloc(buffers());
        const auto size = std::min(segment, bytes.size() - done);
        std::memcpy(rte_pktmbuf_append(next, static_cast<std::uint16_t>(size)), bytes.data() + done, size);
        rte_pktmbuf_chain(head, next);
        done += size;
    }
    return head;
}

Bytes bytes_of(const rte_mbuf& frame) {
    Bytes bytes;
    for (const rte_mbuf* segment = &frame; segment != nullptr; segment = segment->next) {
        const auto* data = rte_pktmbuf_mtod(segment, const std::uint8_t*);
        bytes.insert(bytes.end(), data, data + segment->data_len);
    }
    EXPECT_EQ(bytes.size(), frame.pkt_len);
    return bytes;
}

std::size_t l4_begin(const Datagram& d) {
    return l2_bytes(d) + l3_bytes(d);
}

Bytes build(const Datagram& d) {
    Bytes bytes(l4_begin(d) + l4_bytes(d) + d.payload);
    put_l2(bytes, d);
    if (d.ipv6) {
        put_ipv6(bytes, d);
    } else {
        put_ipv4(bytes, d);
    }
    const auto l4 = l4_begin(d);
    put16(bytes, l4, 1000);
    put16(bytes, l4 + 2, 2000);
    if (d.protocol == IPPROTO_TCP) bytes[l4 + 12] = 0x50;
    if (d.protocol == IPPROTO_UDP) put16(bytes, l4 + 4, static_cast<std::uint16_t>(bytes.size() - l4));
    for (std::size_t i = 0; i < d.payload; ++i) bytes[l4 + l4_bytes(d) + i] = static_cast<std::uint8_t>(i);
    const auto sum = pseudo_sum(bytes, d);
    std::memcpy(&bytes[checksum_field(d)], &sum, 2);
    return bytes;
}

bool l4_checksum_good(const Bytes& frame, const Datagram& d) {
    const auto l4 = l4_begin(d);
    const std::uint32_t sum = std::uint32_t{pseudo_sum(frame, d)} + rte_raw_cksum(&frame[l4], frame.size() - l4);
    return ((sum & 0xffff) + (sum >> 16)) == 0xffff;
}

void PoolCheck::SetUp() {
    before_ = rte_mempool_in_use_count(buffers());
}
void PoolCheck::TearDown() {
    EXPECT_EQ(rte_mempool_in_use_count(buffers()), before_) << "buffers were left behind";
}

}  // namespace bulkhead::test
