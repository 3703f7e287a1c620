// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "vswitch/model/model.h"

namespace bulkhead {

enum class ObjectKind : std::uint8_t { segment, group, port, underlay, tunnel, fdb, policy, mirror };

[[nodiscard]] constexpr std::string_view to_string(ObjectKind kind) {
    constexpr std::string_view kNames[] = {"segment", "group", "port", "underlay", "tunnel", "fdb", "policy", "mirror"};
    return kNames[static_cast<std::size_t>(kind)];
}

/// The name of an object among all. That of an fdb entry is "SEGMENT/MAC", of a group or a policy "SEGMENT/NAME".
struct ObjectKey {
    ObjectKind kind = ObjectKind::segment;
    std::string name;
    auto operator<=>(const ObjectKey&) const = default;
};

[[nodiscard]] inline ObjectKey key_of(const Segment& segment) {
    return {ObjectKind::segment, segment.name};
}
[[nodiscard]] inline ObjectKey key_of(const Port& port) {
    return {ObjectKind::port, port.name};
}
[[nodiscard]] inline ObjectKey key_of(const Underlay& underlay) {
    return {ObjectKind::underlay, underlay.name};
}
[[nodiscard]] inline ObjectKey key_of(const Tunnel& tunnel) {
    return {ObjectKind::tunnel, tunnel.name};
}
[[nodiscard]] inline ObjectKey key_of(const StaticMac& entry) {
    return {ObjectKind::fdb, entry.segment + "/" + entry.mac.to_string()};
}
[[nodiscard]] inline ObjectKey key_of(const Group& group) {
    return {ObjectKind::group, group.segment + "/" + group.name};
}
[[nodiscard]] inline ObjectKey key_of(const Policy& policy) {
    return {ObjectKind::policy, policy.segment + "/" + policy.name};
}
[[nodiscard]] inline ObjectKey key_of(const Mirror& mirror) {
    return {ObjectKind::mirror, mirror.name};
}

/// The key of a group or a policy in the model's maps, from its name among all.
[[nodiscard]] inline std::pair<std::string, std::string> segment_and_name(const std::string& name) {
    const std::size_t slash = name.find('/');  // no segment's name has one
    return {name.substr(0, slash), name.substr(slash + 1)};
}

}  // namespace bulkhead
