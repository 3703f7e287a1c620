// SPDX-License-Identifier: Apache-2.0
#include "vhost/vhost_port.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

#include <rte_pause.h>
#include <rte_vhost.h>
#include <spdlog/spdlog.h>

#include "vhost/socket_path.h"
#include "vhost/vhost_port_impl.h"

namespace bulkhead {
namespace vhost {

Result<> VhostPort::open() {
    if (auto usable = prepare_socket_path(device_, relay_->place(device_.path)); !usable) return usable;
    auto served = relay_->add({.device = device_, .queue_pairs = queue_pairs_}, *this);
    is_served_ = served.has_value();
    return served;
}

// ---- what the relay and librte_vhost tell ----

void VhostPort::guest_came() {
    receive_pairs_ = 0;
    transmit_pairs_ = 0;
    memory_.reset();
    {
        const std::lock_guard lock(mutex_);
        is_withdrawn_ = false;
    }
    connections_.fetch_add(1, std::memory_order_relaxed);
    has_guest_ = true;
}

void VhostPort::guest_left(const std::string& why) {
    receive_pairs_ = 0;
    transmit_pairs_ = 0;
    for (std::uint16_t queue = 0; queue < queue_pairs_; ++queue) wake_.forget(queue);
    has_guest_ = false;
    {
        const std::lock_guard lock(mutex_);
        why_left_ = why;
    }
    if (const auto times = left_log_.pass(std::chrono::steady_clock::now()))
        spdlog::info("vhost-user {}: the guest's connection was closed: {} (times: {})", device_.path, why, *times);
}

std::uint64_t VhostPort::refused_features(bool wants_more) const {
    const std::lock_guard lock(mutex_);
    return vhost::refused_features(queue_pairs_, device_.packed, wants_more ? GuestOffloads{} : guest_offloads_);
}

void VhostPort::guest_refused() {
    if (const auto times = refused_log_.pass(std::chrono::steady_clock::now()))
        spdlog::warn("vhost-user {}: a second connection beside the guest's is closed (times: {})", device_.path,
                     *times);
}

void VhostPort::device_started(int vid) {
    std::uint64_t features = 0;
    rte_vhost_get_negotiated_features(vid, &features);
    {
        const std::lock_guard lock(mutex_);
        features_ = features;
        // Before vid_: no frame may reach this guest that it can't finish.
        offloads_ = offloads_of(features) & allowed_offloads(guest_offloads_);
    }
    std::uint16_t mtu = 0;
    guest_mtu_ = rte_vhost_get_mtu(vid, &mtu) == 0 ? mtu : 0;
    numa_node_ = rte_vhost_get_numa_node(vid);
    // A worker asks for kicks before it sleeps, and would otherwise say that it needs none only when it wakes. Before
    // vid_, so that none is about to sleep on this guest.
    for (std::uint16_t pair = 0; pair < queue_pairs_; ++pair)
        rte_vhost_enable_guest_notification(vid, guest_transmit_ring(pair), 0);
    {
        const std::lock_guard lock(mutex_);
        if (is_withdrawn_) return;
        vid_.store(vid, std::memory_order_release);
    }
    wake_.ring();
    if (!sink_) return;
    sink_(PortEvent::guest_connected);
    sink_(PortEvent::link_up);
}

void VhostPort::device_stopped(int vid) {
    if (vid == kNoDevice || !vid_.compare_exchange_strong(vid, kNoDevice)) return;
    wait_for_workers();
    {
        const std::lock_guard lock(mutex_);
        offloads_ = kAllOffloads;
        features_ = 0;
    }
    wake_.ring();
    if (!sink_) return;
    sink_(PortEvent::link_down);
    sink_(PortEvent::guest_disconnected);
}

void VhostPort::withdraw_device() {
    {
        const std::lock_guard lock(mutex_);
        is_withdrawn_ = true;
    }
    device_stopped(vid_);
}

/// A burst takes microseconds. Who is inside for longer has lost its core, or is held by the guest.
void VhostPort::wait_for_workers() noexcept {
    static constexpr std::chrono::milliseconds kPatience{5};
    const auto wait_for = [this](QueueGuard& guard) {
        const auto held_from = std::chrono::steady_clock::now() + kPatience;
        while (!guard.try_pass()) {
            if (std::chrono::steady_clock::now() > held_from) calls_.drain();
            rte_pause();
        }
    };
    for (const auto& queue : receive_queues_) wait_for(queue->guard);
    for (TransmitQueue& queue : transmit_queues_) wait_for(queue.guard);
    calls_.forget();
}

void VhostPort::ring_changed(int vid, std::uint16_t ring, bool enabled) {
    const auto pair = static_cast<std::uint16_t>(ring / 2);
    if (pair >= queue_pairs_) return;
    const std::uint32_t bit = 1U << pair;
    const bool guest_transmits = ring % 2 == 1;
    std::atomic<std::uint32_t>& pairs = guest_transmits ? receive_pairs_ : transmit_pairs_;
    rte_vhost_vring vring{};
    const bool is_set_up = enabled && rte_vhost_get_vhost_vring(vid, ring, &vring) == 0;
    ring_sizes_[ring] = vring.size;
    calls_.watch(ring, is_set_up ? vring.callfd : -1);
    if (guest_transmits) {
        if (!enabled) {
            wake_.forget(pair);
        } else if (is_set_up && wake_.watch(pair, vring.kickfd)) {
            silent_pairs_ &= ~bit;
        } else {
            silent_pairs_ |= bit;
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

void VhostPort::set_guest_offloads(const GuestOffloads& offloads) noexcept {
    const std::lock_guard lock(mutex_);
    guest_offloads_ = offloads;
    if (features_ != 0) offloads_ = offloads_of(features_) & allowed_offloads(offloads);
}

std::vector<VirtqueueState> VhostPort::virtqueues() const {
    std::vector<VirtqueueState> rings;
    const int vid = vid_.load();
    for (std::uint16_t pair = 0; pair < queue_pairs_; ++pair) {
        VirtqueueState to_guest{.index = guest_receive_ring(pair), .to_guest = true};
        for (const TransmitQueue& queue : transmit_queues_) {
            to_guest.frames += queue.counters[pair].frames.read();
            to_guest.bytes += queue.counters[pair].bytes.read();
            to_guest.full += queue.counters[pair].full.read();
        }
        const RingCounters& received = receive_queues_[pair]->counters;
        VirtqueueState from_guest{
            .index = guest_transmit_ring(pair), .frames = received.frames.read(), .bytes = received.bytes.read()};
        if (vid != kNoDevice) {
            to_guest.enabled = (transmit_pairs_.load() >> pair & 1) != 0;
            from_guest.enabled = (receive_pairs_.load() >> pair & 1) != 0;
            to_guest.size = ring_sizes_[to_guest.index];
            from_guest.size = ring_sizes_[from_guest.index];
        }
        rings.insert(rings.end(), {to_guest, from_guest});
    }
    return rings;
}

PortState VhostPort::state() const {
    PortState state;
    state.driver = "vhost-user";
    state.guest_connected = vid_.load() != kNoDevice;
    state.link_up = state.guest_connected;
    state.features = features_.load();
    if (state.guest_connected) state.queues_enabled = static_cast<std::uint16_t>(std::popcount(receive_pairs_.load()));
    state.details = {
        {"path", device_.path},
        {"mode", device_.mode == VhostMode::server ? "server" : "client"},
        {"mtu", std::to_string(mtu_)},
        {"socket", has_guest_ ? "connected" : "waiting"},
        {"connections", std::to_string(connections_.load(std::memory_order_relaxed))},
    };
    if (!has_guest_) state.details.emplace_back("waiting_for", awaited_at(device_, relay_->place(device_.path)));
    state.virtqueues = virtqueues();
    if (state.guest_connected && guest_mtu_ != 0) state.details.emplace_back("guest_mtu", std::to_string(guest_mtu_));
    if (state.guest_connected && numa_node_ >= 0) state.details.emplace_back("numa_node", std::to_string(numa_node_));
    const std::lock_guard lock(mutex_);
    if (!why_left_.empty()) state.details.emplace_back("last_closed", why_left_);
    return state;
}

}  // namespace vhost

Result<std::unique_ptr<PortIo>> open_vhost_port(const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                                std::uint16_t workers, std::shared_ptr<vhost::Relay> relay,
                                                PortEventSink sink) {
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
                                                     std::move(relay), std::move(sink), *std::move(wake));
    if (auto result = opened->open(); !result) return std::unexpected(result.error());
    return opened;
}

}  // namespace bulkhead
