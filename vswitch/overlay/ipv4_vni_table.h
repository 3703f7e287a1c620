// SPDX-License-Identifier: Apache-2.0
// (outer IPv4 source, VNI) → attachment, as one probe of one cache line for nearly every frame: what a burst from many
// nodes, or of many segments, is told apart by. Built with the snapshot and never changed.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include <rte_hash_crc.h>

#include "vswitch/base/ids.h"
#include "vswitch/base/ip_address.h"

namespace bulkhead {

class Ipv4VniTable {
  public:
    using Key = std::uint64_t;

    /// Of the four octets of the address and the three of the VNI, as they stand in the headers. One octet behind the
    /// VNI is read, too.
    [[nodiscard]] static Key key(const std::uint8_t* source, const std::uint8_t* vni) noexcept {
        constexpr Key kVni = 0xff'ffff;
        std::uint32_t address, vni_and_more;
        std::memcpy(&address, source, sizeof address);
        std::memcpy(&vni_and_more, vni, sizeof vni_and_more);
        return address | (vni_and_more & kVni) << 32;
    }
    [[nodiscard]] static Key key(const IpAddress& source, std::uint32_t vni) noexcept {
        const std::uint32_t in_order = __builtin_bswap32(vni << 8);
        return key(source.v4_octets(), reinterpret_cast<const std::uint8_t*>(&in_order));
    }

    /// `udp_port` is the one that the source's tunnel speaks at. A key is added once.
    void add(Key key, std::uint16_t udp_port, AttachmentIndex attachment) {
        if (++count_ * kLeastSlots > slots_.size()) grow();
        place({key, udp_port, attachment});
    }

    /// kNoAttachment: no tunnel from there at that UDP port, or none that carries the VNI.
    [[nodiscard]] AttachmentIndex find(Key key, std::uint16_t udp_port) const noexcept {
        if (slots_.empty()) return kNoAttachment;
        for (std::uint32_t at = first(key);; at = (at + 1) & mask()) {
            const Slot& slot = slots_[at];
            if (slot.attachment == kNoAttachment) return kNoAttachment;
            if (slot.key == key) return slot.udp_port == udp_port ? slot.attachment : kNoAttachment;
        }
    }

  private:
    static constexpr std::size_t kLeastSlots = 4;  ///< an entry: a frame seldom finds its first slot taken
    struct Slot {
        Key key = 0;
        std::uint16_t udp_port = 0;
        AttachmentIndex attachment = kNoAttachment;  ///< kNoAttachment: free
    };

    [[nodiscard]] std::uint32_t mask() const noexcept { return static_cast<std::uint32_t>(slots_.size() - 1); }
    [[nodiscard]] std::uint32_t first(Key key) const noexcept { return rte_hash_crc_8byte(key, 0) & mask(); }

    void place(const Slot& slot) noexcept {
        std::uint32_t at = first(slot.key);
        while (slots_[at].attachment != kNoAttachment) at = (at + 1) & mask();
        slots_[at] = slot;
    }
    void grow() {
        std::vector<Slot> former(std::bit_ceil(2 * kLeastSlots * count_));
        former.swap(slots_);
        for (const Slot& slot : former)
            if (slot.attachment != kNoAttachment) place(slot);
    }

    std::vector<Slot> slots_;
    std::size_t count_ = 0;
};

}  // namespace bulkhead
