// SPDX-License-Identifier: Apache-2.0
// Two vhost-user ports and a wire between them: what goes in at one comes out at the other. The smallest thing that
// real guests can talk through, to try vhost/ without the switch. It sleeps when idle and finishes what a side cannot,
// as the switch does (IPv4 only).
//
// vhost_bridge PATH PATH      (client mode; ends on SIGTERM and prints frame counts)
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <memory>
#include <poll.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include "vhost/vhost_port.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kBurst = 32;
constexpr std::uint16_t kMaxSegments = 1024;

std::atomic<bool> stop = false;

struct Counts {
    unsigned long received = 0, super_segments = 0, checksum_requests = 0, finished = 0, refused = 0, sleeps = 0;
};

rte_mempool* make_pool(const char* name, std::uint16_t room) {
    rte_mempool* pool = rte_pktmbuf_pool_create(name, 16383, 0, 0, room, SOCKET_ID_ANY);
    if (pool == nullptr) std::exit(1);
    return pool;
}

/// Sums what the sender left to the device, into the frame.
void finish_checksums(rte_mbuf* frame) {
    auto* ip = rte_pktmbuf_mtod_offset(frame, rte_ipv4_hdr*, frame->l2_len);
    ip->hdr_checksum = 0;
    ip->hdr_checksum = rte_ipv4_cksum(ip);
    const auto l4 = static_cast<std::uint16_t>(frame->l2_len + frame->l3_len);
    const bool udp = (frame->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_UDP_CKSUM;
    auto* sum = rte_pktmbuf_mtod_offset(frame, rte_be16_t*, l4 + (udp ? 6 : 16));
    *sum = 0;
    std::uint16_t raw = 0;
    rte_raw_cksum_mbuf(frame, l4, frame->pkt_len - l4, &raw);
    *sum = static_cast<rte_be16_t>(~__rte_raw_cksum_reduce(std::uint32_t{raw} + rte_ipv4_phdr_cksum(ip, 0)));
    frame->ol_flags = 0;
}

class Wire {
  public:
    Wire(PortIo& from, PortIo& to, rte_mempool* direct, rte_mempool* indirect) : from_(from), to_(to) {
        gso_.direct_pool = direct;
        gso_.indirect_pool = indirect;
        gso_.gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO;
    }

    /// Moves one burst. Whether there was anything.
    bool turn() {
        std::array<rte_mbuf*, kBurst> frames;
        const std::uint16_t count = from_.receive(0, frames.data(), kBurst);
        for (std::uint16_t at = 0; at < count; ++at) deliver(frames[at]);
        return count != 0;
    }
    PortIo& source() { return from_; }
    Counts counts;

  private:
    void deliver(rte_mbuf* frame) {
        ++counts.received;
        const bool super_segment = (frame->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
        if (super_segment) ++counts.super_segments;
        if (frame->ol_flags != 0) ++counts.checksum_requests;
        const std::uint32_t offloads = to_.offloads();
        if (super_segment && (offloads & kOffloadTso4) == 0) return segment(frame);
        if (frame->ol_flags != 0 && (offloads & kOffloadL4Checksum) == 0) finish(frame);
        send(frame);
    }
    void segment(rte_mbuf* frame) {
        std::array<rte_mbuf*, kMaxSegments> segments;
        gso_.gso_size = static_cast<std::uint16_t>(frame->l2_len + frame->l3_len + frame->l4_len + frame->tso_segsz);
        const int count = rte_gso_segment(frame, &gso_, segments.data(), kMaxSegments);
        for (int at = 0; at < count; ++at) {
            if ((to_.offloads() & kOffloadL4Checksum) == 0) finish(segments[static_cast<std::size_t>(at)]);
            send(segments[static_cast<std::size_t>(at)]);
        }
        rte_pktmbuf_free(frame);
    }
    void finish(rte_mbuf* frame) {
        ++counts.finished;
        finish_checksums(frame);
    }
    void send(rte_mbuf* frame) {
        for (int attempt = 0; attempt < 1000; ++attempt)
            if (to_.transmit(0, &frame, 1).taken == 1) return;
        ++counts.refused;
        rte_pktmbuf_free(frame);
    }

    PortIo& from_;
    PortIo& to_;
    rte_gso_ctx gso_{};
};

void sleep_until_needed(std::array<Wire, 2>& wires) {
    std::array<pollfd, 2> waiting{};
    bool idle = true;
    for (std::size_t at = 0; at < wires.size(); ++at) {
        waiting[at] = {.fd = wires[at].source().wake_fd(0), .events = POLLIN, .revents = 0};
        idle = wires[at].source().arm(0) && idle;
    }
    if (idle) {
        ++wires[0].counts.sleeps;
        poll(waiting.data(), waiting.size(), 1000);
    }
    for (Wire& wire : wires) wire.source().disarm(0);
}

std::unique_ptr<PortIo> open_or_exit(const char* path, rte_mempool* pool) {
    const Port port{
        .owner = {},
        .name = path,
        .device =
            VhostUserDevice{
                .path = path, .mode = VhostMode::client, .owner_uid = {}, .owner_gid = {}, .socket_mode = {}},
        .queues = 1,
        .mtu = {},
        .attachments = {},
        .workers = {}};
    auto opened = open_vhost_port(port, 1500, pool, 1, {});
    if (!opened) {
        std::fprintf(stderr, "%s: %s\n", path, opened.error().message.c_str());
        std::exit(1);
    }
    return *std::move(opened);
}

int run(const char* first, const char* second) {
    rte_mempool* pool = make_pool("frames", RTE_MBUF_DEFAULT_BUF_SIZE);
    rte_mempool* indirect = make_pool("indirect", 0);
    const auto a = open_or_exit(first, pool);
    const auto b = open_or_exit(second, pool);
    std::array<Wire, 2> wires{Wire(*a, *b, pool, indirect), Wire(*b, *a, pool, indirect)};
    std::puts("bridging");
    std::fflush(stdout);
    while (!stop) {
        const bool there = wires[0].turn();
        const bool back = wires[1].turn();
        if (!there && !back) sleep_until_needed(wires);
    }
    for (Wire& wire : wires)
        std::printf("received %lu super_segments %lu checksum_requests %lu finished %lu refused %lu sleeps %lu\n",
                    wire.counts.received, wire.counts.super_segments, wire.counts.checksum_requests,
                    wire.counts.finished, wire.counts.refused, wire.counts.sleeps);
    return 0;
}

}  // namespace
}  // namespace bulkhead

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: vhost_bridge PATH PATH\n");
        return 2;
    }
    std::array<const char*, 9> eal{"vhost_bridge", "--no-huge", "--no-shconf",      "--no-pci",     "--no-telemetry",
                                   "-m",           "192",       "--lcores=0@(0-1)", "--log-level=4"};
    std::array<char*, 9> arguments;
    for (std::size_t at = 0; at < eal.size(); ++at) arguments[at] = const_cast<char*>(eal[at]);
    if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) return 1;
    for (const int signal : {SIGTERM, SIGINT}) std::signal(signal, [](int) { bulkhead::stop = true; });
    return bulkhead::run(argv[1], argv[2]);
}
