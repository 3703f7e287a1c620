// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "vswitch/model/model.h"

namespace bulkhead {

enum class ObjectKind : std::uint8_t { segment, port, underlay, tunnel, fdb };

[[nodiscard]] constexpr std::string_view to_string(ObjectKind kind) {
    constexpr std::string_view kNames[] = {"segment", "port", "underlay", "tunnel", "fdb"};
    return kNames[static_cast<std::size_t>(kind)];
}

/// The name of an object among all. That of an fdb entry is "SEGMENT/MAC".
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

}  // namespace bulkhead
