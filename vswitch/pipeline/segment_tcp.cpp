// SPDX-License-Identifier: Apache-2.0
#include "vswitch/pipeline/segment_tcp.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>

#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "vswitch/packet/vlan.h"
#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

/// RTE_ETH_TX_OFFLOAD_TCP_TSO: librte_gso borrows the bit from ethdev, whose header the switch does not include.
constexpr std::uint32_t kGsoTcp = 1U << 5;

std::uint16_t fold(std::uint64_t sum) noexcept {
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(sum);
}

/// RFC 9293, section 3.1 and RFC 8200, section 8.1: addresses, protocol and TCP length. With extension headers the
/// length in the IPv6 header is not the TCP length, so rte_ipv6_phdr_cksum() would be wrong.
std::uint16_t pseudo_header_sum(const std::uint8_t* ip, bool v6, std::uint32_t tcp_length) noexcept {
    const auto* addresses = ip + (v6 ? offsetof(rte_ipv6_hdr, src_addr) : offsetof(rte_ipv4_hdr, src_addr));
    const std::uint64_t sum = rte_raw_cksum(addresses, v6 ? 32 : 8);
    return fold(sum + rte_cpu_to_be_16(IPPROTO_TCP) + rte_cpu_to_be_16(static_cast<std::uint16_t>(tcp_length)));
}

/// A copy of a frame that needs no cutting: one segment's worth. librte_gso makes none.
int copy_whole(const rte_mbuf* frame, rte_mempool* buffers, rte_mbuf** out) noexcept {
    out[0] = rte_pktmbuf_copy(frame, buffers, 0, UINT32_MAX);
    return out[0] == nullptr ? -ENOMEM : 1;
}

/// What librte_gso leaves to its caller: checksums; and what it does not know: CWR goes with the first segment (RFC
/// 3168, 6.1.2).
void complete_headers(rte_mbuf* segment, const rte_mbuf* frame, bool first) noexcept {
    const bool v6 = (frame->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
    segment->l2_len = frame->l2_len;
    segment->l3_len = frame->l3_len;
    segment->l4_len = frame->l4_len;
    segment->tso_segsz = 0;
    segment->ol_flags = (v6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) | RTE_MBUF_F_TX_TCP_CKSUM;
    auto* ip = rte_pktmbuf_mtod_offset(segment, std::uint8_t*, segment->l2_len);
    auto* tcp = reinterpret_cast<rte_tcp_hdr*>(ip + segment->l3_len);
    if (!first) tcp->tcp_flags &= static_cast<std::uint8_t>(~RTE_TCP_CWR_FLAG);
    if (!v6) {
        auto* header = reinterpret_cast<rte_ipv4_hdr*>(ip);
        header->hdr_checksum = 0;
        header->hdr_checksum = static_cast<std::uint16_t>(~rte_raw_cksum(header, segment->l3_len));
    }
    tcp->cksum = pseudo_header_sum(ip, v6, segment->pkt_len - segment->l2_len - segment->l3_len);
}

int segment_ipv4(rte_mbuf* frame, std::uint16_t headers, rte_mempool* buffers, rte_mbuf** out) noexcept {
    rte_gso_ctx context{};
    context.direct_pool = buffers;
    context.indirect_pool = buffers;
    context.gso_types = kGsoTcp;
    context.gso_size = static_cast<std::uint16_t>(headers + frame->tso_segsz);
    const std::uint64_t flags = frame->ol_flags;
    const int made = rte_gso_segment(frame, &context, out, kMaxSegmentsOfFrame);
    frame->ol_flags = flags;  // the library clears TCP_SEG on its input, which other ports may still share
    return made;
}

int segment_ipv6(const rte_mbuf* frame, std::uint16_t headers, rte_mempool* buffers, rte_mbuf** out) noexcept {
    int made = 0;
    std::uint32_t sequence = 0;
    for (std::uint32_t at = headers; at < frame->pkt_len; at += frame->tso_segsz, ++made) {
        const std::uint32_t payload = std::min<std::uint32_t>(frame->tso_segsz, frame->pkt_len - at);
        rte_mbuf* segment = rte_pktmbuf_copy(frame, buffers, 0, headers);
        rte_mbuf* data = segment == nullptr ? nullptr : rte_pktmbuf_copy(frame, buffers, at, payload);
        if (data == nullptr || rte_pktmbuf_chain(segment, data) != 0) {
            rte_pktmbuf_free(segment);
            rte_pktmbuf_free(data);
            for (int done = 0; done < made; ++done) rte_pktmbuf_free(out[done]);
            return -ENOMEM;
        }
        auto* ip = rte_pktmbuf_mtod_offset(segment, rte_ipv6_hdr*, frame->l2_len);
        auto* tcp = rte_pktmbuf_mtod_offset(segment, rte_tcp_hdr*, frame->l2_len + frame->l3_len);
        if (made == 0) sequence = rte_be_to_cpu_32(tcp->sent_seq);
        ip->payload_len = rte_cpu_to_be_16(static_cast<std::uint16_t>(segment->pkt_len - frame->l2_len - sizeof *ip));
        tcp->sent_seq = rte_cpu_to_be_32(sequence + (at - headers));
        const bool last = at + payload == frame->pkt_len;
        if (!last) tcp->tcp_flags &= static_cast<std::uint8_t>(~(RTE_TCP_FIN_FLAG | RTE_TCP_PSH_FLAG));
        out[made] = segment;
    }
    return made;
}

}  // namespace

Finished segment_tcp(rte_mbuf* frame, rte_mempool* buffers, rte_mbuf** out) noexcept {
    const auto headers = static_cast<std::uint16_t>(frame->l2_len + frame->l3_len + frame->l4_len);
    const std::uint32_t payload = frame->pkt_len - headers;
    const bool sound = frame->l4_len >= sizeof(rte_tcp_hdr) && frame->tso_segsz >= kMinSegmentBytes && payload > 0 &&
                       (payload + frame->tso_segsz - 1) / frame->tso_segsz <= kMaxSegmentsOfFrame;
    if (!sound) return {0, DropReason::bad_offload};
    // Both ways read the headers from the first buffer and librte_gso refers to the payload where it lies.
    rte_mbuf* source = frame->data_len >= headers ? frame : rte_pktmbuf_copy(frame, buffers, 0, UINT32_MAX);
    if (source == nullptr) return {0, DropReason::no_buffer};
    const bool v6 = (frame->ol_flags & RTE_MBUF_F_TX_IPV6) != 0;
    int made = 0;
    if (payload <= frame->tso_segsz)
        made = copy_whole(source, buffers, out);
    else
        made = v6 ? segment_ipv6(source, headers, buffers, out) : segment_ipv4(source, headers, buffers, out);
    for (int at = 0; at < made; ++at) complete_headers(out[at], source, at == 0);
    if (source != frame) rte_pktmbuf_free(source);
    if (made <= 0) return {0, made == -ENOMEM ? DropReason::no_buffer : DropReason::bad_offload};
    return {static_cast<std::uint16_t>(made), DropReason::none};
}

}  // namespace bulkhead
