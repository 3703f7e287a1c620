// SPDX-License-Identifier: Apache-2.0
#include "pmd/ethdev_port.h"

#include <atomic>
#include <mutex>
#include <vector>

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_spinlock.h>

#include "pmd/ethdev.h"
#include "pmd/ethdev_details.h"
#include "pmd/ethdev_setup.h"
#include "pmd/flow/rte_flow_device.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/packet/pending_work.h"
#include "vswitch/packet/vlan.h"

namespace bulkhead {
namespace {

/// The flags that say whose memory a frame is in; all others of a received frame are the driver's remarks.
constexpr std::uint64_t kMemoryFlags = RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL;
/// The driver's remarks on a frame that a flow rule of ours marked.
constexpr std::uint64_t kMarkFlags = RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;
constexpr std::uint32_t kNeedsPreparing = kOffloadL4Checksum | kOffloadIpv4Checksum | kOffloadTso4 | kOffloadTso6;

/// A lock that most ports do not need: only workers that share a transmit queue take it.
class alignas(64) QueueLock {
  public:
    void lock() noexcept { rte_spinlock_lock(&lock_); }
    void unlock() noexcept { rte_spinlock_unlock(&lock_); }

  private:
    rte_spinlock_t lock_ = RTE_SPINLOCK_INITIALIZER;
};

/// Clears what the driver remarked beyond the flags that are kept, and puts tags back that the device took off. Returns
/// how many frames are left.
std::uint16_t without_remarks(rte_mbuf** frames, std::uint16_t count, std::uint64_t kept_flags) noexcept {
    std::uint16_t kept = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
        rte_mbuf* frame = frames[i];
        const bool stripped = (frame->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
        if (stripped && rte_vlan_insert(&frame) != 0) [[unlikely]] {
            rte_pktmbuf_free(frame);  // without its tag it would land in the wrong segment
            continue;
        }
        frame->ol_flags &= kept_flags;
        frames[kept++] = frame;
    }
    return kept;
}

class EthdevPort final : public PortIo {
  public:
    EthdevPort(Ethdev device, const EthdevSetup& setup, const Port& port, rte_mempool* buffers, std::uint16_t workers,
               PortEventSink events);
    ~EthdevPort() override;

    std::uint16_t receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;
    TransmitResult transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;

    [[nodiscard]] FlowDevice* flows() noexcept override { return has_flows_ ? &flows_ : nullptr; }
    [[nodiscard]] std::uint16_t receive_queues() const noexcept override { return setup_.receive_queues; }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override { return setup_.transmit_queues; }
    [[nodiscard]] Result<> check_mtu(std::uint16_t mtu) const override { return check_ethdev_mtu(device_.id(), mtu); }
    bool set_mtu(std::uint16_t mtu) noexcept override { return change_ethdev_mtu(device_.id(), setup_, mtu, buffers_); }
    [[nodiscard]] PortState state() const override;

  private:
    /// Whether frames that the device marks are handed up with their marks.
    void keep_marks(bool keep) noexcept { kept_flags_ = keep ? kMemoryFlags | kMarkFlags : kMemoryFlags; }

    static int on_event(std::uint16_t id, rte_eth_event_type type, void* port, void* detail);
    bool follow_link() const;
    [[nodiscard]] TransmitResult prepare(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) const noexcept;
    [[nodiscard]] TransmitResult send(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) const noexcept;

    Ethdev device_;
    EthdevSetup setup_;
    std::string devargs_;
    rte_mempool* buffers_;
    PortEventSink events_;
    std::vector<QueueLock> locks_;  ///< of the transmit queues; empty: nobody shares one
    RteFlowDevice flows_;
    bool has_flows_;
    mutable std::atomic<bool> link_up_{true};              ///< control and DPDK's interrupt thread write, workers read
    std::atomic<std::uint64_t> kept_flags_{kMemoryFlags};  ///< control writes, workers read
    std::atomic<bool> removed_{false};                     ///< DPDK's interrupt thread writes, control reads
};

EthdevPort::EthdevPort(Ethdev device, const EthdevSetup& setup, const Port& port, rte_mempool* buffers,
                       std::uint16_t workers, PortEventSink events)
    : device_(std::move(device)),
      setup_(setup),
      devargs_(std::get<EthdevDevice>(port.device).devargs),
      buffers_(buffers),
      events_(std::move(events)),
      locks_(workers > setup.transmit_queues ? setup.transmit_queues : 0),
      flows_(device_.id(), port.name, setup.receive_queues, [this](bool keep) { keep_marks(keep); }),
      has_flows_(std::get<EthdevDevice>(port.device).flow_offload != FlowOffload::off) {
    offloads_ = setup.offloads;
    rte_eth_dev_callback_register(device_.id(), RTE_ETH_EVENT_INTR_LSC, on_event, this);
    rte_eth_dev_callback_register(device_.id(), RTE_ETH_EVENT_INTR_RMV, on_event, this);
    rte_eth_dev_callback_register(device_.id(), RTE_ETH_EVENT_INTR_RESET, on_event, this);
}

EthdevPort::~EthdevPort() {
    for (const auto type : {RTE_ETH_EVENT_INTR_LSC, RTE_ETH_EVENT_INTR_RMV, RTE_ETH_EVENT_INTR_RESET}) {
        // -EAGAIN: the callback is running at this moment.
        while (rte_eth_dev_callback_unregister(device_.id(), type, on_event, this) == -EAGAIN) rte_pause();
    }
}

int EthdevPort::on_event(std::uint16_t /*id*/, rte_eth_event_type type, void* port, void* /*detail*/) {
    auto& self = *static_cast<EthdevPort*>(port);
    if (type == RTE_ETH_EVENT_INTR_RMV) {
        self.removed_ = true;
        if (self.events_) self.events_(PortEvent::device_removed);
    } else if (type == RTE_ETH_EVENT_INTR_RESET) {
        self.flows_.note_reset();
    } else {
        self.follow_link();
    }
    return 0;
}

bool EthdevPort::follow_link() const {
    rte_eth_link link{};
    const bool up = rte_eth_link_get_nowait(device_.id(), &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
    if (link_up_.exchange(up) != up && events_) events_(up ? PortEvent::link_up : PortEvent::link_down);
    return up;
}

std::uint16_t EthdevPort::receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    const std::uint16_t received = rte_eth_rx_burst(device_.id(), queue, frames, count);
    std::uint64_t flags = 0;
    for (std::uint16_t i = 0; i < received; ++i) flags |= frames[i]->ol_flags;
    const std::uint64_t kept = kept_flags_.load(std::memory_order_relaxed);
    return (flags & ~kept) == 0 ? received : without_remarks(frames, received, kept);
}

TransmitResult EthdevPort::transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    if (locks_.empty()) return send(queue, frames, count);
    const std::scoped_lock lock(locks_[queue]);
    return send(queue, frames, count);
}

TransmitResult EthdevPort::send(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) const noexcept {
    const bool prepares = (setup_.offloads & kNeedsPreparing) != 0;
    const TransmitResult ready =
        prepares ? prepare(queue, frames, count) : TransmitResult{.taken = count, .reason = DropReason::none};
    const std::uint16_t sent = rte_eth_tx_burst(device_.id(), queue, frames, ready.taken);
    if (sent == ready.taken) [[likely]]
        return ready;
    const bool up = link_up_.load(std::memory_order_relaxed);
    return {.taken = sent, .reason = up ? DropReason::tx_queue_full : DropReason::link_down};
}

/// Lets the driver adapt checksum fields to what its device wants. It writes into the frame, so a shared one is copied
/// first. Returns how many frames are fit to be sent, and why the next is not.
TransmitResult EthdevPort::prepare(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) const noexcept {
    DropReason reason = DropReason::none;
    for (std::uint16_t i = 0; i < count; ++i) {
        if ((frames[i]->ol_flags & kPendingWork) == 0) continue;
        if (!make_writable(frames[i], buffers_)) {
            reason = DropReason::no_buffer;
            count = i;
            break;
        }
        const bool segment4 =
            (frames[i]->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0 && (frames[i]->ol_flags & RTE_MBUF_F_TX_IPV4);
        if (segment4) frames[i]->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;  // rte_mbuf_core.h asks for it with TCP_SEG
    }
    const std::uint16_t ready = rte_eth_tx_prepare(device_.id(), queue, frames, count);
    return {.taken = ready, .reason = ready < count ? DropReason::tx_error : reason};
}

PortState EthdevPort::state() const {
    PortState state;
    state.link_up = follow_link();
    state.queues_enabled = setup_.receive_queues;
    describe_ethdev(device_.id(), state);
    state.details.emplace(state.details.begin(), "devargs", devargs_);
    if (removed_) state.details.emplace_back("device", "removed");
    return state;
}

}  // namespace

Result<std::unique_ptr<PortIo>> open_ethdev_port(const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                                 std::uint16_t workers, PortEventSink events) {
    const auto& wanted = std::get<EthdevDevice>(port.device);
    const auto for_port = [&](Error error) {
        error.object_kind = "port";
        error.object_name = port.name;
        return failure(std::move(error));
    };
    auto device = Ethdev::plug(wanted.devargs, port.name);
    if (!device) return for_port(device.error());
    const auto setup = start_ethdev(device->id(), port, mtu, buffers, workers);
    if (!setup) return for_port(setup.error());
    return std::make_unique<EthdevPort>(std::move(*device), *setup, port, buffers, workers, std::move(events));
}

}  // namespace bulkhead
