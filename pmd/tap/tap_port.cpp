// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/tap_port.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <sys/uio.h>

#include <rte_mbuf.h>

#include "pmd/tap/receive_chains.h"
#include "pmd/tap/tap_interface.h"
#include "vswitch/base/counters.h"
#include "vswitch/packet/refused_frame.h"

namespace bulkhead {
namespace {

constexpr std::size_t kMaxVectors = 128;  ///< header, finished headers, and the segments of one frame that goes out

/// What one worker reads from. Written by that worker alone; the counter is read by control.
struct alignas(64) ReceiveQueue {
    explicit ReceiveQueue(int descriptor) : fd(descriptor) {}
    int fd;
    Counter no_buffer;  ///< polls that found the pool empty
};

/// Describes `frame` to writev. Returns the number of vectors, or 0 when it has more segments than fit.
class FrameVectors {
  public:
    int describe(const rte_mbuf& frame) noexcept {
        header_ = build_vnet_header(frame);
        vectors_[0] = {.iov_base = &header_, .iov_len = sizeof(header_)};
        count_ = 1;
        std::size_t replaced = finish_ipv4_header(frame, finished_);
        if (replaced != 0) vectors_[count_++] = {.iov_base = finished_, .iov_len = replaced};
        for (const rte_mbuf* segment = &frame; segment != nullptr; segment = segment->next) {
            if (count_ == kMaxVectors) return 0;
            vectors_[count_++] = {.iov_base = rte_pktmbuf_mtod_offset(segment, char*, replaced),
                                  .iov_len = segment->data_len - replaced};
            replaced = 0;
        }
        return static_cast<int>(count_);
    }
    [[nodiscard]] const iovec* data() const noexcept { return vectors_.data(); }

  private:
    VnetHeader header_;
    unsigned char finished_[kMaxFinishedHeaders];
    std::array<iovec, kMaxVectors> vectors_;
    std::size_t count_ = 0;
};

DropReason reason_of(int error) noexcept {
    if (error == EAGAIN) return DropReason::tx_queue_full;
    if (error == EIO) return DropReason::link_down;     // the pod set the interface down
    if (error == EBADFD) return DropReason::port_gone;  // the pod deleted it
    return DropReason::tx_error;
}

class TapPort final : public PortIo {
  public:
    TapPort(TapInterface interface, const TapDevice& device, rte_mempool* buffers, PortEventSink events)
        : interface_(std::move(interface)),
          device_(device),
          events_(std::move(events)),
          chains_(ReceiveChains::of(buffers)) {
        receive_.reserve(interface_.queues().size());
        for (const auto& fd : interface_.queues()) receive_.push_back(std::make_unique<ReceiveQueue>(fd.get()));
        offloads_ = kOffloadL4Checksum | kOffloadIpv4Checksum | kOffloadTso4 | kOffloadTso6 | kOffloadMultiSegment;
    }

    std::uint16_t receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;
    TransmitResult transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept override;

    [[nodiscard]] int wake_fd(std::uint16_t queue) const noexcept override { return receive_[queue]->fd; }

    [[nodiscard]] std::uint16_t receive_queues() const noexcept override {
        return static_cast<std::uint16_t>(receive_.size());
    }
    [[nodiscard]] std::uint16_t transmit_queues() const noexcept override { return receive_queues(); }
    bool set_mtu(std::uint16_t mtu) noexcept override { return interface_.set_mtu(mtu).has_value(); }
    [[nodiscard]] PortState state() const override;
    void release() noexcept override { interface_.forget(); }

  private:
    void tell(TapInterface::Link link) const;
    void tell_gone() const;

    TapInterface interface_;
    TapDevice device_;
    PortEventSink events_;
    std::shared_ptr<ReceiveChains> chains_;
    std::vector<std::unique_ptr<ReceiveQueue>> receive_;
    mutable TapInterface::Link told_ = TapInterface::Link::up;  ///< control thread
    mutable std::atomic<bool> gone_told_{false};                ///< by control or by a worker, whoever sees it first
};

std::uint16_t TapPort::receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    ReceiveQueue& from = *receive_[queue];
    ReceiveChain& chain = chains_->mine();
    std::uint16_t received = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
        if (!chain.refill()) [[unlikely]] {
            from.no_buffer.add(1);
            break;
        }
        const auto& vectors = chain.vectors();
        const ssize_t bytes = readv(from.fd, vectors.data(), static_cast<int>(vectors.size()));
        if (bytes < 0) {
            // Told at once, because the descriptor of a deleted device is readable for ever and keeps the worker awake.
            if (errno == EBADFD) tell_gone();
            break;  // EAGAIN: nothing waits
        }
        rte_mbuf* const frame = chain.detach(static_cast<std::size_t>(bytes));
        if (!apply_vnet_header(chain.header(), *frame)) [[unlikely]]
            mark_refused(*frame);
        frames[received++] = frame;
    }
    return received;
}

TransmitResult TapPort::transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept {
    const int fd = receive_[queue]->fd;
    FrameVectors vectors;
    TransmitResult result;
    for (; result.taken < count; ++result.taken) {
        const int vector_count = vectors.describe(*frames[result.taken]);
        if (vector_count != 0 && writev(fd, vectors.data(), vector_count) >= 0) [[likely]]
            continue;
        result.reason = vector_count == 0 ? DropReason::tx_error : reason_of(errno);
        break;
    }
    rte_pktmbuf_free_bulk(frames, result.taken);
    return result;
}

void TapPort::tell(TapInterface::Link link) const {
    if (link == told_) return;
    told_ = link;
    if (link == TapInterface::Link::gone) return tell_gone();
    if (events_) events_(link == TapInterface::Link::up ? PortEvent::link_up : PortEvent::link_down);
}

void TapPort::tell_gone() const {
    if (!gone_told_.exchange(true) && events_) events_(PortEvent::device_removed);
}

PortState TapPort::state() const {
    const auto link = interface_.link();
    tell(link);
    PortState state;
    state.link_up = link == TapInterface::Link::up;
    state.queues_enabled = receive_queues();
    state.driver = "tap";
    if (const auto mac = interface_.mac()) state.mac = mac->to_string();
    std::uint64_t no_buffer = 0;
    for (const auto& queue : receive_) no_buffer += queue->no_buffer.read();
    state.details = {
        {"ifname", device_.ifname}, {"netns", device_.netns}, {"rx_no_buffer_polls", std::to_string(no_buffer)}};
    if (link == TapInterface::Link::gone) state.details.emplace_back("device", "deleted, or its namespace");
    return state;
}

}  // namespace

Result<std::unique_ptr<PortIo>> open_tap_port(const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                              std::uint16_t /*workers*/, PortEventSink events) {
    const auto& device = std::get<TapDevice>(port.device);
    auto interface = TapInterface::open(device, port.queues, mtu);
    if (!interface) {
        auto error = interface.error();
        error.object_kind = "port";
        error.object_name = port.name;
        return failure(error);
    }
    return std::make_unique<TapPort>(std::move(*interface), device, buffers, std::move(events));
}

}  // namespace bulkhead
