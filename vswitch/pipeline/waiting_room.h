// SPDX-License-Identifier: Apache-2.0
// Frames of one worker that wait until their tunnel's next hop has answered: the first few of each tunnel, since what
// starts a conversation (an ARP request, a TCP SYN) would only be repeated a second later.
//
// Threads: the worker's alone.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "vswitch/base/ids.h"

struct rte_mbuf;

namespace bulkhead {

class WaitingRoom {
  public:
    static constexpr std::uint16_t kPlaces = 32;

    struct Queue {
        std::uint16_t count = 0;
        std::array<rte_mbuf*, kPlaces> frames;
        std::array<AttachmentIndex, kPlaces> by;  ///< the attachment each frame leaves by
        std::array<GroupId, kPlaces> groups;      ///< each frame's sender's
    };

    /// Gives every tunnel its queue. Those that are gone have been weeded.
    void adopt(const std::vector<PortIndex>& tunnels) {
        std::map<PortIndex, Queue> next;
        for (const PortIndex tunnel : tunnels) {
            auto present = queues_.extract(tunnel);
            if (present.empty())
                next.try_emplace(tunnel);
            else
                next.insert(std::move(present));
        }
        queues_ = std::move(next);
    }

    /// False: there is no place.
    [[nodiscard]] bool hold(PortIndex tunnel, AttachmentIndex by, GroupId group, rte_mbuf* frame) noexcept {
        const auto queue = queues_.find(tunnel);
        if (queue == queues_.end() || queue->second.count == kPlaces) return false;
        queue->second.frames[queue->second.count] = frame;
        queue->second.groups[queue->second.count] = group;
        queue->second.by[queue->second.count++] = by;
        ++held_;
        return true;
    }

    [[nodiscard]] std::uint64_t held() const noexcept { return held_; }

    /// Takes out the frames of each tunnel that `is_ready(tunnel)` and gives them to `go(tunnel, queue)`, which may
    /// hold some of them anew.
    template <typename IsReady, typename Go>
    void release(IsReady is_ready, Go go) noexcept {
        for (auto& [tunnel, queue] : queues_) {
            if (queue.count == 0 || !is_ready(tunnel)) continue;
            Queue leaving = queue;
            forget(queue);
            go(tunnel, leaving);
        }
    }

    /// Drops the frames that `is_stale(tunnel, by)`.
    template <typename IsStale, typename Dropped>
    void weed(IsStale is_stale, Dropped dropped) noexcept {
        for (auto& [tunnel, queue] : queues_) {
            std::uint16_t kept = 0;
            for (std::uint16_t at = 0; at < queue.count; ++at) {
                if (is_stale(tunnel, queue.by[at])) {
                    dropped(queue.by[at], queue.frames[at]);
                    continue;
                }
                queue.frames[kept] = queue.frames[at];
                queue.groups[kept] = queue.groups[at];
                queue.by[kept++] = queue.by[at];
            }
            held_ -= static_cast<std::uint64_t>(queue.count - kept);
            queue.count = kept;
        }
    }

  private:
    void forget(Queue& queue) noexcept {
        held_ -= queue.count;
        queue.count = 0;
    }

    std::map<PortIndex, Queue> queues_;
    std::uint64_t held_ = 0;
};

}  // namespace bulkhead
