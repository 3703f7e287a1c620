// SPDX-License-Identifier: Apache-2.0
#include "vhost/vhost_port.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <optional>
#include <utility>
#include <vector>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_vhost.h>

#include "vhost/buffer_allowance.h"
#include "vhost/guest_features.h"
#include "vhost/offload_request.h"
#include "vhost/private_headers.h"
#include "vhost/queue_guard.h"
#include "vhost/registry.h"
#include "vhost/socket_path.h"
#include "vhost/wake_set.h"

namespace bulkhead {
namespace vhost {
namespace {

constexpr int kNoDevice = -1;
constexpr std::uint16_t kBurst = 32;  ///< librte_vhost moves no more in one call
/// The largest frame: 64 KiB of IP (no jumbograms, RFC 2675) behind Ethernet and two VLAN tags.
constexpr std::uint32_t kMaxFrame = 65535 + 14 + 2 * 4;

// Rings of queue pair i, named from the guest's side (virtio 1.1, section 5.1.2).
constexpr std::uint16_t guest_receive_ring(unsigned pair) {
    return static_cast<std::uint16_t>(2 * pair);
}
constexpr std::uint16_t guest_transmit_ring(unsigned pair) {
    return static_cast<std::uint16_t>(2 * pair + 1);
}

struct ReceiveQueue {
    explicit ReceiveQueue(rte_mempool* buffers) : allowance(buffers, kMaxFrame) {}

    QueueGuard guard;
    BufferAllowance allowance;  ///< inside the guard
    // Written by the one worker of the queue, read by control.
    std::atomic<std::uint64_t> bad_offloads{0};
    std::atomic<std::uint64_t> oversized{0};
};

struct TransmitQueue {
    QueueGuard guard;
    bool stalled = false;  ///< inside the guard: the last burst met a full ring
};

void count(std::atomic<std::uint64_t>& counter) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

class VhostPort final : public PortIo, private SocketListener {
  public:
    VhostPort(const Port& port, std::uint16_t mtu, rte_mempool* buffers, std::uint16_t workers, PortEventSink sink,
              WakeSet wake)
        : device_(std::get<VhostUserDevice>(port.device)),
          queue_pairs_(port.queues),
          mtu_(mtu),
          buffers_(buffers),
          sink_(std::move(sink)),
          wake_(std::move(wake)),
          transmit_queues_(workers) {
        for (std::uint16_t queue = 0; queue < queue_pairs_; ++queue)
            receive_queues_.push_back(std::make_unique<ReceiveQueue>(buffers));
        offloads_ = kAllOffloads;
    }
    ~VhostPort() override {
        if (registered_) unregister_socket(device_.path);
    }

    Result<> open();

    std::uint16_t receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;
    TransmitResult transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;

    [[nodiscard]] int wake_fd(std::uint16_t queue) const noexcept override { return wake_.fd(queue); }
    bool arm(std::uint16_t queue) noexcept override;
    void disarm(std::uint16_t queue) noexcept override;

    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return queue_pairs_; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override {
        return static_cast<std::uint16_t>(transmit_queues_.size());
    }
    [[nodiscard]] PortState state() const override;

  private:
    bool connection_opened(int vid) override;
    void connection_closed(int vid) override;
    void device_started(int vid) override;
    void device_stopped(int vid) override;
    void ring_changed(int vid, std::uint16_t ring, bool enabled) override;
    [[nodiscard]] std::uint16_t queue_pairs() const override { return queue_pairs_; }

    [[nodiscard]] bool can_receive(std::uint16_t queue) const noexcept;
    [[nodiscard]] std::uint16_t keep_sound(ReceiveQueue& queue, rte_mbuf** frames, std::uint16_t count) const noexcept;
    TransmitResult send(TransmitQueue& queue, std::uint16_t ring, rte_mbuf** frames, std::uint16_t count) noexcept;
    std::uint16_t enqueue(TransmitQueue& queue, std::uint16_t ring, rte_mbuf** chains,
                          std::uint16_t count) const noexcept;
    [[nodiscard]] bool guest_can_finish(const rte_mbuf& frame) const noexcept;

    const VhostUserDevice device_;
    const std::uint16_t queue_pairs_;
    const std::uint16_t mtu_;
    rte_mempool* const buffers_;
    const PortEventSink sink_;
    bool registered_ = false;
    WakeSet wake_;

    // Written by librte_vhost's threads, read by workers and control.
    std::atomic<int> connection_{kNoDevice};  ///< the one guest we speak with
    std::atomic<int> vid_{kNoDevice};         ///< the same, once its driver has started
    std::atomic<std::uint64_t> features_{0};
    std::atomic<std::uint32_t> receive_pairs_{0};   ///< bit i: the guest's transmit ring of pair i is enabled
    std::atomic<std::uint32_t> transmit_pairs_{0};  ///< bit i: the guest's receive ring of pair i is enabled
    std::atomic<std::uint64_t> connections_{0};

    std::vector<std::unique_ptr<ReceiveQueue>> receive_queues_;
    std::vector<TransmitQueue> transmit_queues_;
};

Result<> VhostPort::open() {
    const bool server = device_.mode == VhostMode::server;
    if (auto usable = prepare_socket_path(device_); !usable) return usable;
    if (auto served = register_socket(device_.path, server, *this); !served) return served;
    registered_ = true;
    return server ? set_socket_access(device_) : Result<>{};
}

// ---- receive ----

bool VhostPort::can_receive(std::uint16_t queue) const noexcept {
    return vid_.load(std::memory_order_relaxed) != kNoDevice &&
           (receive_pairs_.load(std::memory_order_relaxed) >> queue & 1) != 0;
}

std::uint16_t VhostPort::receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    if (!can_receive(queue)) return 0;
    ReceiveQueue& self = *receive_queues_[queue];
    if (!self.guard.try_enter()) return 0;
    const int vid = vid_.load(std::memory_order_acquire);
    std::uint16_t kept = 0;
    while (vid != kNoDevice && kept < count) {
        const auto want = std::min<std::uint16_t>(kBurst, static_cast<std::uint16_t>(count - kept));
        const std::uint16_t got = rte_vhost_dequeue_burst(vid, guest_transmit_ring(queue),
                                                          self.allowance.for_burst(want), frames + kept, want);
        kept = static_cast<std::uint16_t>(kept + keep_sound(self, frames + kept, got));
        if (got < want) break;
    }
    self.guard.leave();
    return kept;
}

std::uint16_t VhostPort::keep_sound(ReceiveQueue& queue, rte_mbuf** frames, std::uint16_t count) const noexcept {
    std::uint16_t kept = 0;
    for (std::uint16_t at = 0; at < count; ++at) {
        rte_mbuf* frame = frames[at];
        if (frame->pkt_len > kMaxFrame) {
            vhost::count(queue.oversized);
            rte_pktmbuf_free(frame);
        } else if (!accept_offload_request(*frame)) {
            vhost::count(queue.bad_offloads);
            rte_pktmbuf_free(frame);
        } else {
            frames[kept++] = frame;
        }
    }
    return kept;
}

// ---- transmit ----

/// The `index`-th enabled pair, going round: bits of a mask that is not 0.
unsigned pick_pair(std::uint32_t pairs, unsigned index) noexcept {
    for (unsigned skip = index % static_cast<unsigned>(std::popcount(pairs)); skip > 0; --skip) pairs &= pairs - 1;
    return static_cast<unsigned>(std::countr_zero(pairs));
}

TransmitResult VhostPort::transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    if (vid_.load(std::memory_order_relaxed) == kNoDevice) return {0, DropReason::guest_not_ready};
    const std::uint32_t pairs = transmit_pairs_.load(std::memory_order_relaxed);
    if (pairs == 0) return {0, DropReason::guest_disabled};

    TransmitQueue& self = transmit_queues_[queue];
    const std::uint16_t ring = guest_receive_ring(pick_pair(pairs, queue));
    TransmitResult result;
    self.guard.enter();
    while (result.taken < count && result.reason == DropReason::none) {
        const auto want = std::min<std::uint16_t>(kBurst, static_cast<std::uint16_t>(count - result.taken));
        const TransmitResult sent = send(self, ring, frames + result.taken, want);
        result.taken = static_cast<std::uint16_t>(result.taken + sent.taken);
        result.reason = sent.reason;
    }
    self.guard.leave();
    return result;
}

TransmitResult VhostPort::send(TransmitQueue& queue, std::uint16_t ring, rte_mbuf** frames,
                               std::uint16_t count) noexcept {
    rte_mbuf* chains[kBurst];
    std::uint16_t ready = 0;
    TransmitResult result;
    for (; ready < count; ++ready) {
        rte_mbuf* frame = frames[ready];
        chains[ready] = frame;
        if (!guest_can_finish(*frame)) {
            result.reason = DropReason::guest_not_ready;  // the guest is not the one that offloads() spoke of
            break;
        }
        if (!needs_private_headers(*frame)) continue;
        chains[ready] = with_private_headers(frame, buffers_);
        if (chains[ready] == nullptr) {
            result.reason = DropReason::no_buffer;
            break;
        }
    }
    result.taken = enqueue(queue, ring, chains, ready);
    for (std::uint16_t at = 0; at < ready; ++at) {
        const bool taken = at < result.taken;
        if (chains[at] == frames[at]) {
            if (taken) rte_pktmbuf_free(frames[at]);
        } else if (taken) {
            release_delivered(chains[at], frames[at]);
        } else {
            restore_undelivered(chains[at], frames[at]);
        }
    }
    if (result.taken < ready) result.reason = DropReason::guest_queue_full;
    return result;
}

std::uint16_t VhostPort::enqueue(TransmitQueue& queue, std::uint16_t ring, rte_mbuf** chains,
                                 std::uint16_t count) const noexcept {
    constexpr std::uint64_t kPatiencePerSecond = 500'000;  // 2 µs: a guest that is polling refills within it
    std::uint64_t give_up = 0;
    std::uint16_t taken = 0;
    while (taken < count) {
        // Read each time: the guest may leave while we wait for it. Inside the guard what we read stays valid.
        const int vid = vid_.load(std::memory_order_acquire);
        if (vid == kNoDevice) break;
        const std::uint16_t sent =
            rte_vhost_enqueue_burst(vid, ring, chains + taken, static_cast<std::uint16_t>(count - taken));
        taken = static_cast<std::uint16_t>(taken + sent);
        if (sent != 0) queue.stalled = false;
        if (taken == count || queue.stalled) break;
        const std::uint64_t now = rte_rdtsc();
        if (give_up == 0) give_up = now + rte_get_tsc_hz() / kPatiencePerSecond;
        if (now > give_up) {
            queue.stalled = true;  // a guest that has stopped costs the worker this wait once, not every burst
            break;
        }
        rte_pause();
    }
    return taken;
}

bool VhostPort::guest_can_finish(const rte_mbuf& frame) const noexcept {
    const std::uint64_t flags = frame.ol_flags;
    if ((flags & (RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)) == 0) return true;
    std::uint32_t needed = kOffloadL4Checksum;
    if ((flags & RTE_MBUF_F_TX_TCP_SEG) != 0) needed |= (flags & RTE_MBUF_F_TX_IPV4) != 0 ? kOffloadTso4 : kOffloadTso6;
    return (needed & ~offloads()) == 0;
}

// ---- idling ----

bool VhostPort::arm(std::uint16_t queue) noexcept {
    if (!can_receive(queue)) return true;  // the bell rings when that changes
    ReceiveQueue& self = *receive_queues_[queue];
    if (!self.guard.try_enter()) return false;
    const int vid = vid_.load(std::memory_order_acquire);
    bool idle = true;
    if (vid != kNoDevice) {
        const std::uint16_t ring = guest_transmit_ring(queue);
        rte_vhost_enable_guest_notification(vid, ring, 1);
        rte_mb();  // the guest must see the request before we look at its ring, or both of us would wait
        idle = rte_vhost_rx_queue_count(vid, ring) == 0;
    }
    self.guard.leave();
    return idle;
}

void VhostPort::disarm(std::uint16_t queue) noexcept {
    wake_.consume(queue);
    if (!can_receive(queue)) return;
    ReceiveQueue& self = *receive_queues_[queue];
    if (!self.guard.try_enter()) return;
    if (const int vid = vid_.load(std::memory_order_acquire); vid != kNoDevice)
        rte_vhost_enable_guest_notification(vid, guest_transmit_ring(queue), 0);
    self.guard.leave();
}

// ---- what librte_vhost tells ----

bool VhostPort::connection_opened(int vid) {
    int none = kNoDevice;
    if (!connection_.compare_exchange_strong(none, vid)) return false;
    receive_pairs_ = 0;
    transmit_pairs_ = 0;
    connections_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void VhostPort::connection_closed(int vid) {
    if (connection_.load() != vid) return;
    receive_pairs_ = 0;
    transmit_pairs_ = 0;
    for (std::uint16_t queue = 0; queue < queue_pairs_; ++queue) wake_.forget(queue);
    connection_.store(kNoDevice);
}

void VhostPort::device_started(int vid) {
    std::uint64_t features = 0;
    rte_vhost_get_negotiated_features(vid, &features);
    features_ = features;
    offloads_ = offloads_of(features);  // before vid_: no frame may reach this guest that it can't finish
    vid_.store(vid, std::memory_order_release);
    wake_.ring();
    if (!sink_) return;
    sink_(PortEvent::guest_connected);
    sink_(PortEvent::link_up);
}

void VhostPort::device_stopped(int vid) {
    if (vid_.load() != vid) return;
    vid_ = kNoDevice;
    for (const auto& queue : receive_queues_) queue->guard.pass();
    for (TransmitQueue& queue : transmit_queues_) queue.guard.pass();
    offloads_ = kAllOffloads;
    features_ = 0;
    wake_.ring();
    if (!sink_) return;
    sink_(PortEvent::link_down);
    sink_(PortEvent::guest_disconnected);
}

void VhostPort::ring_changed(int vid, std::uint16_t ring, bool enabled) {
    const auto pair = static_cast<std::uint16_t>(ring / 2);
    if (connection_.load() != vid || pair >= queue_pairs_) return;
    const std::uint32_t bit = 1U << pair;
    const bool guest_transmits = ring % 2 == 1;
    std::atomic<std::uint32_t>& pairs = guest_transmits ? receive_pairs_ : transmit_pairs_;
    if (guest_transmits) {
        rte_vhost_vring vring{};
        if (enabled && rte_vhost_get_vhost_vring(vid, ring, &vring) == 0) {
            wake_.watch(pair, vring.kickfd);
        } else {
            wake_.forget(pair);
        }
    }
    if (enabled) {
        pairs |= bit;
    } else {
        pairs &= ~bit;
    }
    wake_.ring();
}

// ---- control ----

PortState VhostPort::state() const {
    PortState state;
    state.driver = "vhost-user";
    state.guest_connected = vid_.load() != kNoDevice;
    state.link_up = state.guest_connected;
    state.features = features_.load();
    if (state.guest_connected) state.queues_enabled = static_cast<std::uint16_t>(std::popcount(receive_pairs_.load()));
    std::uint64_t bad_offloads = 0;
    std::uint64_t oversized = 0;
    for (const auto& queue : receive_queues_) {
        bad_offloads += queue->bad_offloads.load(std::memory_order_relaxed);
        oversized += queue->oversized.load(std::memory_order_relaxed);
    }
    state.details = {
        {"path", device_.path},
        {"mode", device_.mode == VhostMode::server ? "server" : "client"},
        {"mtu", std::to_string(mtu_)},
        {"socket", connection_.load() != kNoDevice ? "connected" : "waiting"},
        {"connections", std::to_string(connections_.load(std::memory_order_relaxed))},
        {"dropped_bad_offload", std::to_string(bad_offloads)},
        {"dropped_oversized", std::to_string(oversized)},
    };
    return state;
}

}  // namespace
}  // namespace vhost

Result<std::unique_ptr<PortIo>> open_vhost_port(const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                                std::uint16_t workers, PortEventSink sink) {
    const auto* device = std::get_if<VhostUserDevice>(&port.device);
    if (device == nullptr) return invalid("/type", "not a vhost-user port", {}, "vhost-user");
    if (port.queues < 1 || port.queues > kMaxQueues)
        return invalid("/queues", "number of queues out of range", std::to_string(port.queues),
                       "1 to " + std::to_string(kMaxQueues));
    if (!vhost::BufferAllowance::available())
        return failure({.code = ErrorCode::limit,
                        .message = "DPDK has no place for another kind of buffer pool",
                        .field = {},
                        .got = {},
                        .allowed = {},
                        .object_kind = {},
                        .object_name = {}});
    auto wake = vhost::WakeSet::create(port.queues);
    if (!wake) return std::unexpected(wake.error());
    auto opened = std::make_unique<vhost::VhostPort>(port, mtu, buffers, std::max<std::uint16_t>(workers, 1),
                                                     std::move(sink), *std::move(wake));
    if (auto result = opened->open(); !result) return std::unexpected(result.error());
    return opened;
}

}  // namespace bulkhead
