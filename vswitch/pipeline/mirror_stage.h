// SPDX-License-Identifier: Apache-2.0
// Copies frames for observers, at the places of the path that their mirrors ask for. docs/mirrors.md says what each
// mirror sees. A copy is a frame of its own, of its own buffers, as the frame stands in its segment: it is neither
// judged nor mirrored again.
//
// Threads: the worker's alone.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "vswitch/packet/batch.h"
#include "vswitch/pipeline/mirror_sender.h"
#include "vswitch/policy/dissect.h"

namespace bulkhead {

struct Flood;

class MirrorStage {
  public:
    MirrorStage(std::uint16_t worker, WorkerCounters& counters, rte_mempool* buffers, const NextHops& next_hops)
        : buffers_(buffers), sender_(worker, counters, buffers, next_hops) {}

    void adopt(const Snapshot& snapshot);

    // Only for snapshots with mirrors:

    /// What came in by ports and into segments, whatever becomes of it.
    void watch_entering(const Batch& batch) noexcept;
    /// What the segments' rules with action `mirror` match.
    void ask_rules(const Batch& batch) noexcept;
    /// A rule has decided about a frame.
    void note_decided(const Batch& batch, std::uint16_t row, RuleIndex rule) noexcept {
        copy(batch, row, table_->decided[rule]);
    }
    /// What is about to leave by one attachment each.
    void watch_leaving(const Batch& batch) noexcept;
    /// A frame that leaves by those of these attachments that `flood` reaches.
    void watch_flooded(const Batch& batch, std::uint16_t row, std::span<const AttachmentIndex> members,
                       const Flood& flood) noexcept;

    void flush() noexcept;
    /// Whether note_decided() is to be called.
    [[nodiscard]] bool watches_rules() const noexcept { return table_ != nullptr && !table_->decided.empty(); }

  private:
    // What one burst may cost, whoever sends how much: copying is most of it.
    static constexpr std::uint32_t kCopiesOfBurst = 2 * Batch::kCapacity;
    static constexpr std::uint32_t kBytesOfBurst = 2U << 20;

    void copy(const Batch& batch, std::uint16_t row, const MirrorList& mirrors) noexcept {
        for (const std::uint16_t mirror : mirrors) copy(batch, row, table_->entries[mirror]);
    }
    void copy(const Batch& batch, std::uint16_t row, const MirrorEntry& mirror) noexcept;
    void copy_all(const Batch& batch, const MirrorList& mirrors) noexcept;
    rte_mempool* buffers_;
    MirrorSender sender_;
    const Snapshot* snapshot_ = nullptr;    ///< as adopted, which is what the worker holds while it is in a round
    const MirrorTable* table_ = nullptr;    ///< its mirrors; null: none
    std::uint32_t copies_ = 0, bytes_ = 0;  ///< of this burst
    std::array<std::uint8_t, kMostPolicyHeaders> scratch_;
};

}  // namespace bulkhead
