// SPDX-License-Identifier: Apache-2.0
// Which group the sender of a tunnelled frame is of, as the tunnel's header says it: VXLAN by the group policy
// extension (draft-smith-vxlan-group-policy-05, section 2.1), as Linux and Open vSwitch do; Geneve by an option of our
// own (RFC 8926, section 3.5). Of the extension only G and the number count: D and A are zero on send, and ignored.
#pragma once

#include <cstdint>
#include <cstring>

#include "vswitch/base/ids.h"
#include "vswitch/model/model.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead {

inline constexpr std::uint16_t kShimHeader = 8;    ///< VXLAN's, and Geneve's without options
inline constexpr std::uint8_t kVxlanFlags = 0x08;  ///< I: the VNI is valid
inline constexpr std::uint8_t kVxlanGroup = 0x80;  ///< G: so are the group's octets
inline constexpr std::uint16_t kGroupAt = 2;       ///< where these stand in VXLAN's header

inline constexpr std::uint16_t kOptionWord = 4;  ///< what Geneve counts the length of options in
/// The option's class, type and length: the class is one of those for experiments (0xff00 to 0xffff), the type is not
/// critical, so that who does not know it skips it, and there is one word of data.
inline constexpr std::uint32_t kGroupOptionHead = 0xff42'0101;
/// Where that word begins: the group, 0 for none, and two octets that are reserved.
inline constexpr std::uint16_t kGroupOptionData = 4;
inline constexpr std::uint16_t kGroupOption = 8;  ///< octets of all of it

/// Where frames say their sender's group.
enum class GroupField : std::uint8_t {
    none,    ///< nowhere
    vxlan,   ///< in the header itself; only those whose sender is of a group have it
    geneve,  ///< in the option, which is the first behind the header
};

/// Of what is sent into a tunnel: all of its frames have the same headers. Who is not configured to know the groups may
/// not be told of them: Linux drops VXLAN with flags that it does not expect.
[[nodiscard]] constexpr GroupField group_field_of(const Tunnel& tunnel) noexcept {
    if (!tunnel.trust_groups) return GroupField::none;
    return tunnel.type == TunnelType::vxlan ? GroupField::vxlan : GroupField::geneve;
}

/// Whether an option begins like this. Three bits are reserved, and ignored.
[[nodiscard]] constexpr bool is_group_option(std::uint32_t head) noexcept {
    constexpr std::uint32_t kReserved = 0xe0;
    return (head & ~kReserved) == kGroupOptionHead;
}

/// Octets between the tunnel's header and the frame.
[[nodiscard]] constexpr std::uint16_t options_length(GroupField field) noexcept {
    return field == GroupField::geneve ? kGroupOption : 0;
}

/// Says the group in a header that was written without: `shim` is its first octet.
inline void write_group(GroupField field, std::uint8_t* shim, GroupId group) noexcept {
    if (field == GroupField::geneve) {
        const std::uint32_t head = __builtin_bswap32(kGroupOptionHead),
                            data = __builtin_bswap32(static_cast<std::uint32_t>(group) << 16);
        std::memcpy(shim + kShimHeader, &head, sizeof head);
        std::memcpy(shim + kShimHeader + kGroupOptionData, &data, sizeof data);
    } else if (field == GroupField::vxlan && group != kNoGroupId) {
        shim[0] = kVxlanFlags | kVxlanGroup;
        store_big_endian16(shim + kGroupAt, group);
    }
}

/// What a header says that has this field.
[[nodiscard]] inline GroupId read_group(GroupField field, const std::uint8_t* shim) noexcept {
    if (field == GroupField::geneve) return load_big_endian<std::uint16_t>(shim + kShimHeader + kGroupOptionData);
    const bool has_group = field == GroupField::vxlan && (shim[0] & kVxlanGroup) != 0;
    return has_group ? load_big_endian<std::uint16_t>(shim + kGroupAt) : kNoGroupId;
}

}  // namespace bulkhead
