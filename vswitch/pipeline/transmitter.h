// SPDX-License-Identifier: Apache-2.0
// The way out of one worker: a small queue a port, filled by the pipeline and flushed after each burst, and the
// accounting of what left and what a port refused. What leaves by tunnels shares the queue of the NIC under them, so
// that a burst to many nodes is one burst still.
//
// Threads: the worker's alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "vswitch/base/counters.h"
#include "vswitch/model/snapshot.h"
#include "vswitch/overlay/next_hops.h"
#include "vswitch/packet/batch.h"
#include "vswitch/pipeline/waiting_room.h"

struct rte_mbuf;
struct rte_mempool;

namespace bulkhead {

class TooBigAnswers;

class Transmitter {
  public:
    Transmitter(std::uint16_t worker, WorkerCounters& counters, rte_mempool* buffers, const NextHops& next_hops,
                TooBigAnswers& too_big)
        : worker_(worker), counters_(counters), buffers_(buffers), next_hops_(next_hops), too_big_(too_big) {}
    ~Transmitter();
    Transmitter(const Transmitter&) = delete;
    Transmitter& operator=(const Transmitter&) = delete;

    /// Room for the snapshot's ports. The queues are empty between bursts, so nothing is lost by a change.
    void adopt(const Snapshot& snapshot);

    /// Sends a frame, which it takes, out of an attachment; does in software what the far side can't. `group` is its
    /// sender's, for tunnels that tell it.
    void send(const Snapshot& snapshot, AttachmentIndex egress, GroupId group, rte_mbuf* frame) noexcept;

    /// Sends all frames of a batch that go one way and are no more than any far side can take. Nothing waits for its
    /// port.
    void send_all(const Snapshot& snapshot, AttachmentIndex egress, Batch& batch) noexcept;
    /// The same for frames that leave by several attachments of one `out_port`, each by its `egress`.
    void send_all(const Snapshot& snapshot, Batch& batch) noexcept;

    /// Sends what this node itself says: a whole frame, which it takes, out of a NIC port.
    void originate(const Snapshot& snapshot, PortIndex nic, rte_mbuf* frame) noexcept;

    /// Sends what is queued, and what waited for a next hop that has answered.
    void flush(const Snapshot& snapshot) noexcept;

  private:
    static constexpr std::uint16_t kBurst = 64;

    struct Queue {
        std::uint16_t count = 0;
        std::array<rte_mbuf*, kBurst> frames;
        std::array<AttachmentIndex, kBurst> by;     ///< the attachment each frame leaves by
        std::array<GroupId, kBurst> groups;         ///< each frame's sender's
        std::array<std::uint32_t, kBurst> lengths;  ///< read before the port takes the frame away
    };

    // `port` is the out_port of all attachments concerned.
    void enqueue(const Snapshot& snapshot, AttachmentIndex egress, PortIndex port, GroupId group,
                 rte_mbuf* frame) noexcept;
    void send_unfinished(const Snapshot& snapshot, AttachmentIndex egress, PortIndex port, GroupId group,
                         rte_mbuf* frame, std::uint32_t offloads) noexcept;
    void flush(const Snapshot& snapshot, PortIndex port) noexcept;
    /// `attachment_of` gives the attachment by which the frame at a place leaves. `groups` are read if it is a tunnel's
    /// that tells them.
    template <typename AttachmentOf>
    void transmit(const Snapshot& snapshot, PortIndex port, rte_mbuf** frames, const std::uint32_t* lengths,
                  const GroupId* groups, std::uint16_t count, AttachmentOf attachment_of) noexcept;
    /// The same where the attachments are of tunnels.
    template <typename AttachmentOf>
    void transmit_through(const Snapshot& snapshot, PortIndex nic, rte_mbuf** frames, const std::uint32_t* lengths,
                          const GroupId* groups, std::uint16_t count, AttachmentOf attachment_of) noexcept;
    /// Puts the header of the tunnel of `by` before all the frames; false, and nothing done, if one of them needs more
    /// than that.
    [[nodiscard]] bool enter_tunnel_together(const Snapshot& snapshot, AttachmentIndex by, rte_mbuf** frames,
                                             const std::uint32_t* lengths, const GroupId* groups,
                                             std::uint16_t count) const noexcept;
    /// Appends to `out` those of the frames that can go into the tunnel of `by`, with its header before them.
    void enter_tunnel(const Snapshot& snapshot, AttachmentIndex by, rte_mbuf** frames, const std::uint32_t* lengths,
                      const GroupId* groups, std::uint16_t count, Queue& out) noexcept;
    template <typename AttachmentOf>
    void send_out(const Snapshot& snapshot, PortIndex port, rte_mbuf** frames, const std::uint32_t* lengths,
                  std::uint16_t count, AttachmentOf attachment_of) noexcept;
    /// The group is kept with it, and may be told by a later snapshot: kNoGroupId unless this one's tunnel tells
    /// groups.
    void wait_or_drop(AttachmentIndex egress, PortIndex tunnel, NextHops::State state, GroupId group,
                      rte_mbuf* frame) noexcept;
    void look_at_waiting(const Snapshot& snapshot) noexcept;
    void drop_too_big(const Snapshot& snapshot, AttachmentIndex egress, rte_mbuf* frame) noexcept;
    void drop(AttachmentIndex egress, rte_mbuf* frame, DropReason reason) noexcept;
    template <typename AttachmentOf>
    void account_sent(const Snapshot& snapshot, PortIndex port, const std::uint32_t* lengths, std::uint16_t first,
                      std::uint16_t end, AttachmentOf attachment_of) noexcept;

    std::uint16_t worker_;
    WorkerCounters& counters_;
    rte_mempool* buffers_;
    const NextHops& next_hops_;
    TooBigAnswers& too_big_;  ///< is told of what does not fit through a tunnel
    WaitingRoom waiting_room_;
    std::vector<std::unique_ptr<Queue>> queues_;  ///< by PortIndex; none for tunnels
    std::vector<PortIndex> waiting_;              ///< ports with frames queued; capacity for all of them
};

}  // namespace bulkhead
