// SPDX-License-Identifier: Apache-2.0
// The port behind open_vhost_port(). vhost_port.cpp: its life and what librte_vhost tells it; vhost_data_path.cpp:
// frames.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "vhost/buffer_allowance.h"
#include "vhost/call_set.h"
#include "vhost/guest_features.h"
#include "vhost/guest_memory.h"
#include "vhost/log_limit.h"
#include "vhost/queue_guard.h"
#include "vhost/relay/relay.h"
#include "vhost/ring_counters.h"
#include "vhost/wake_set.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"
#include "vswitch/port_io.h"

namespace bulkhead::vhost {

inline constexpr int kNoDevice = -1;
/// The largest frame: 64 KiB of IP (no jumbograms, RFC 2675) behind Ethernet and two VLAN tags.
inline constexpr std::uint32_t kMaxFrame = 65535 + 14 + 2 * 4;

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
    RingCounters counters;
};

struct TransmitQueue {
    QueueGuard guard;
    bool stalled = false;                           ///< inside the guard: the last burst met a full ring
    std::array<RingCounters, kMaxQueues> counters;  ///< of each pair: which one is served changes with those enabled
};

class VhostPort final : public PortIo, private GuestListener {
  public:
    VhostPort(const Port& port, std::uint16_t mtu, rte_mempool* buffers, std::uint16_t workers,
              std::shared_ptr<Relay> relay, PortEventSink sink, WakeSet wake)
        : device_(std::get<VhostUserDevice>(port.device)),
          queue_pairs_(port.queues),
          mtu_(mtu),
          buffers_(buffers),
          relay_(std::move(relay)),
          sink_(std::move(sink)),
          wake_(std::move(wake)),
          calls_(static_cast<std::uint16_t>(2 * queue_pairs_)),
          guest_offloads_(device_.offloads),
          transmit_queues_(workers) {
        for (std::uint16_t queue = 0; queue < queue_pairs_; ++queue)
            receive_queues_.push_back(std::make_unique<ReceiveQueue>(buffers));
        offloads_ = kAllOffloads;
    }
    ~VhostPort() override {
        if (is_served_) relay_->remove(device_.path);
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
    bool set_mtu(std::uint16_t mtu) noexcept override {
        mtu_ = mtu;
        return true;
    }
    void set_guest_offloads(const GuestOffloads& offloads) noexcept override;
    [[nodiscard]] PortState state() const override;

  private:
    void guest_came() override;
    void guest_left(const std::string& why) override;
    void guest_refused() override;
    [[nodiscard]] std::uint64_t refused_features(bool wants_more) const override;
    [[nodiscard]] bool has_lost_memory() const override { return memory_.is_broken(); }
    [[nodiscard]] bool has_jammed_call() const override { return calls_.is_jammed(); }
    void message_begins() override { memory_.touched_from_here(); }
    void device_started(int vid) override;
    void device_stopped(int vid) override;
    void ring_changed(int vid, std::uint16_t ring, bool enabled) override;

    void withdraw_device() override;
    void wait_for_workers() noexcept;
    [[nodiscard]] bool can_receive(std::uint16_t queue) const noexcept;
    TransmitResult send(TransmitQueue& queue, unsigned pair, rte_mbuf** frames, std::uint16_t count) noexcept;
    TransmitResult enqueue(TransmitQueue& queue, int vid, unsigned pair, rte_mbuf** chains,
                           std::uint16_t count) const noexcept;
    [[nodiscard]] std::vector<VirtqueueState> virtqueues() const;
    [[nodiscard]] bool guest_can_finish(const rte_mbuf& frame) const noexcept;

    const VhostUserDevice device_;
    const std::uint16_t queue_pairs_;
    std::uint16_t mtu_;  ///< control thread: only told
    rte_mempool* const buffers_;
    const std::shared_ptr<Relay> relay_;
    const PortEventSink sink_;
    bool is_served_ = false;
    WakeSet wake_;
    CallSet calls_;
    LogLimit left_log_;     ///< the relay's thread
    LogLimit refused_log_;  ///< likewise

    GuestMemory memory_;
    mutable std::mutex mutex_;      ///< no worker takes it
    bool is_withdrawn_ = false;     ///< inside the mutex: the guest is to go
    std::string why_left_;          ///< inside the mutex: the last guest
    GuestOffloads guest_offloads_;  ///< likewise: as configured

    // Written by the relay's and librte_vhost's threads, one call at a time, and read by workers and control.
    std::atomic<bool> has_guest_{false};  ///< somebody is connected
    std::atomic<int> vid_{kNoDevice};     ///< once its driver has started
    std::atomic<std::uint64_t> features_{0};
    std::atomic<std::uint32_t> receive_pairs_{0};   ///< bit i: the guest's transmit ring of pair i is enabled
    std::atomic<std::uint32_t> transmit_pairs_{0};  ///< bit i: the guest's receive ring of pair i is enabled
    std::atomic<std::uint32_t> silent_pairs_{0};  ///< bit i: the guest can't wake a worker for pair i, which then polls
    std::atomic<std::uint64_t> connections_{0};
    std::atomic<std::uint16_t> guest_mtu_{0};  ///< 0: it has told none
    std::atomic<int> numa_node_{-1};           ///< of the guest's memory; -1: not known
    std::array<std::atomic<std::uint32_t>, 2UL * kMaxQueues> ring_sizes_{};

    std::vector<std::unique_ptr<ReceiveQueue>> receive_queues_;
    std::vector<TransmitQueue> transmit_queues_;
};

}  // namespace bulkhead::vhost
