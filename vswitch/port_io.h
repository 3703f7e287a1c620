// SPDX-License-Identifier: Apache-2.0
// The contract of a port: the one way in and out of the switch. pmd/ and vhost/ implement it; vswitch/ knows no device.
//
// Frames are rte_mbufs. Work that a sender left for its device travels with the frame as *transmit* flags, whoever
// received it, so that it can be passed on to a far side that can do it and finished in software only where it can't:
//   RTE_MBUF_F_TX_TCP_CKSUM / UDP_CKSUM     the L4 checksum field holds the pseudo-header sum (not complemented)
//   RTE_MBUF_F_TX_TCP_SEG with tso_segsz    a TCP super-segment; implies the TCP checksum
//   RTE_MBUF_F_TX_IPV4 / IPV6, RTE_MBUF_F_TX_IP_CKSUM, and l2_len (VLAN tags included), l3_len, l4_len
// The headers that these speak of lie in the first segment; who does the work may change them if that segment is his
// own. SCTP's is a CRC, which virtio can't ask for: a request for it is refused. A frame with none of these is whole as
// it stands. Receive flags (RTE_MBUF_F_RX_*) are cleared by the port, but for RTE_MBUF_F_RX_FDIR_ID and _FDIR of a
// frame that one of our own rules in the device marked (offload/flow_mark.h), whose mark is then in hash.fdir.hi. A
// frame whose request does not fit it is handed up all the same, marked (packet/refused_frame.h). VLAN tags are in the
// data, never in mbuf->vlan_tci: a port whose device strips them puts them back.
//
// Threads: receive(queue) is called by the one worker that the queue plan gave that queue to; transmit(queue) by any
// worker that the plan gave that transmit queue to, and where the plan shares a queue among workers the port
// serialises. Everything else is called by the control thread. The destructor runs after every worker has let go of the
// port.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/result.h"

struct rte_mbuf;

namespace bulkhead {

class FlowDevice;
struct GuestOffloads;

/// What a port's far side can finish itself; a bit set. Changes when a guest negotiates, so it is read once per flush.
enum TransmitOffload : std::uint32_t {
    kOffloadL4Checksum = 1U << 0,    ///< TCP and UDP checksums over IPv4 and IPv6
    kOffloadIpv4Checksum = 1U << 1,  ///< the IPv4 header checksum
    kOffloadTso4 = 1U << 2,          ///< TCP segmentation over IPv4
    kOffloadTso6 = 1U << 3,          ///< TCP segmentation over IPv6
    kOffloadMultiSegment = 1U << 4,  ///< chained mbufs
};

/// The smallest tso_segsz a port may hand up: what is left for TCP in the smallest packet that every IPv4 link carries
/// (RFC 791, section 3.2: 68 bytes, less 40 of headers). Below it a sender only wants its 64 KiB to become a flood.
inline constexpr std::uint16_t kMinSegmentBytes = 28;

struct TransmitResult {
    std::uint16_t taken = 0;  ///< the first `taken` frames now belong to the port; the rest stay the caller's
    /// Why not all, when taken < count. `tx_error` speaks of the first frame not taken alone: drop it, and offer those
    /// behind it again, or one sender's bad frame costs its neighbours theirs. Any other reason holds for all the rest.
    DropReason reason = DropReason::none;
};

/// One ring of a guest's device (virtio 1.1, section 2.4). The counts are of what went through it since the port was
/// opened, whoever the guest was.
struct VirtqueueState {
    std::uint16_t index = 0;  ///< as the guest numbers them: receive and transmit ring of each pair in turn
    bool to_guest = false;
    bool enabled = false;
    std::uint32_t size = 0;  ///< descriptors; 0 while the guest has set up none
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t full = 0;  ///< to_guest: bursts that ended because the guest had no buffers there
};

/// What `port.get` and `port.list` show under `state`.
struct PortState {
    bool link_up = false;
    bool guest_connected = false;                              ///< vhost-user: negotiated and started
    std::uint64_t features = 0;                                ///< vhost-user: negotiated virtio features
    std::uint16_t queues_enabled = 0;                          ///< receive queues in use at this moment
    std::vector<VirtqueueState> virtqueues;                    ///< vhost-user
    std::string driver;                                        ///< "tap", "vhost-user", or the ethdev driver's name
    std::string mac;                                           ///< the device's own address where it has one
    std::vector<std::pair<std::string, std::string>> details;  ///< further facts in the device's own words
};

/// A change that a device reports by itself. Called on any thread; the receiver must only pass it on.
enum class PortEvent : std::uint8_t { link_up, link_down, guest_connected, guest_disconnected, device_removed };
using PortEventSink = std::function<void(PortEvent)>;

class PortIo {
  public:
    PortIo() = default;
    PortIo(const PortIo&) = delete;
    PortIo& operator=(const PortIo&) = delete;
    virtual ~PortIo() = default;

    // ---- data path: no system-call storm, no lock that is held for long, no log, no exception ----

    /// Receives up to `count` frames of one queue; never waits.
    virtual std::uint16_t receive(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept = 0;

    /// Transmits in order. Frames handed over fit offloads() as it was read just before: no pending work beyond it, and
    /// no chained mbufs without kOffloadMultiSegment. A frame's mbuf may be shared (refcnt > 1) with other ports: read
    /// only.
    virtual TransmitResult transmit(std::uint16_t queue, rte_mbuf** frames, std::uint16_t count) noexcept = 0;

    /// TransmitOffload bits. Written by the port on any thread, read by workers (relaxed).
    [[nodiscard]] std::uint32_t offloads() const noexcept { return offloads_.load(std::memory_order_relaxed); }

    // ---- idling: a worker with nothing to do sleeps in epoll on these ----

    /// A descriptor that becomes readable when the queue has frames, or -1: then the queue must be polled on a timer.
    [[nodiscard]] virtual int wake_fd(std::uint16_t /*queue*/) const noexcept { return -1; }
    /// Asks the device to signal wake_fd from now on. Returns false when frames are waiting already (do not sleep).
    virtual bool arm(std::uint16_t /*queue*/) noexcept { return true; }
    /// The worker polls again; the device need not signal. Also consumes a pending signal.
    virtual void disarm(std::uint16_t /*queue*/) noexcept {}

    // ---- control ----

    /// Whether the device could have that MTU (layer-3 bytes), be it opened anew for it. Changes nothing, so that a
    /// change that can't be is refused before anybody's traffic is touched. Errors have field `/mtu`.
    [[nodiscard]] virtual Result<> check_mtu(std::uint16_t /*mtu*/) const { return {}; }
    /// Changes the MTU while the device carries traffic. False: it can't; control opens the port anew.
    virtual bool set_mtu(std::uint16_t /*mtu*/) noexcept { return false; }
    /// What a guest may be handed unfinished from now on, and is offered when it next negotiates. Devices without a
    /// guest ignore it.
    virtual void set_guest_offloads(const GuestOffloads& /*offloads*/) noexcept {}
    /// The device's flow rules; null: there are none to be had. Lives as long as the port.
    [[nodiscard]] virtual FlowDevice* flows() noexcept { return nullptr; }
    [[nodiscard]] virtual std::uint16_t receive_queues() const noexcept = 0;   ///< fixed while the port lives, ≥ 1
    [[nodiscard]] virtual std::uint16_t transmit_queues() const noexcept = 0;  ///< fixed while the port lives, ≥ 1
    /// Asked at least once a second, so that a device which nothing wakes can report what it finds changed.
    [[nodiscard]] virtual PortState state() const = 0;
    /// The port was removed from the configuration, not only closed: give back what would outlive us (a pod's TAP
    /// device). Called at most once, right before destruction.
    virtual void release() noexcept {}

  protected:
    std::atomic<std::uint32_t> offloads_{0};
};

}  // namespace bulkhead
