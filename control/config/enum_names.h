// SPDX-License-Identifier: Apache-2.0
// How enumerations are spelled in JSON: one table each, read both ways.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "control/api/role.h"
#include "vswitch/model/model.h"
#include "vswitch/switch.h"

namespace bulkhead::config {

template <typename E>
struct EnumName {
    E value;
    std::string_view name;
};

enum class Hugepages : std::uint8_t { automatic, two_mib, one_gib, none };

inline constexpr EnumName<FloodMode> kFloodModes[] = {
    {FloodMode::all, "all"}, {FloodMode::known, "known"}, {FloodMode::none, "none"}};
inline constexpr EnumName<TaggedFrames> kTaggedFrames[] = {{TaggedFrames::drop, "drop"},
                                                           {TaggedFrames::carry, "carry"}};
inline constexpr EnumName<PortSecurity> kPortSecurity[] = {
    {PortSecurity::off, "off"}, {PortSecurity::mac, "mac"}, {PortSecurity::strict, "strict"}};
inline constexpr EnumName<VhostMode> kVhostModes[] = {{VhostMode::client, "client"}, {VhostMode::server, "server"}};
inline constexpr EnumName<FlowOffload> kFlowOffloads[] = {{FlowOffload::off, "off"}, {FlowOffload::partial, "partial"}};
inline constexpr EnumName<TunnelType> kTunnelTypes[] = {{TunnelType::vxlan, "vxlan"}, {TunnelType::geneve, "geneve"}};
inline constexpr EnumName<Horizon> kHorizons[] = {{Horizon::mesh, "mesh"}, {Horizon::spoke, "spoke"}};
inline constexpr EnumName<DefaultPolicy> kDefaultPolicies[] = {{DefaultPolicy::allow, "allow"},
                                                               {DefaultPolicy::deny, "deny"}};
inline constexpr EnumName<PolicyAction> kPolicyActions[] = {{PolicyAction::allow, "allow"},
                                                            {PolicyAction::deny, "deny"},
                                                            {PolicyAction::redirect, "redirect"},
                                                            {PolicyAction::mirror, "mirror"}};
inline constexpr EnumName<MirrorDirection> kMirrorDirections[] = {
    {MirrorDirection::in, "in"}, {MirrorDirection::out, "out"}, {MirrorDirection::both, "both"}};
/// All in which a connection can be seen.
inline constexpr EnumName<ConnectionState> kConnectionStates[] = {{ConnectionState::syn_sent, "syn_sent"},
                                                                  {ConnectionState::syn_received, "syn_received"},
                                                                  {ConnectionState::established, "established"},
                                                                  {ConnectionState::closing, "closing"},
                                                                  {ConnectionState::time_wait, "time_wait"},
                                                                  {ConnectionState::reset, "reset"},
                                                                  {ConnectionState::fresh, "fresh"},
                                                                  {ConnectionState::answered, "answered"}};
inline constexpr EnumName<IdleMode> kIdleModes[] = {{IdleMode::adaptive, "adaptive"}, {IdleMode::busy, "busy"}};
inline constexpr EnumName<Hugepages> kHugepages[] = {
    {Hugepages::automatic, "auto"}, {Hugepages::two_mib, "2M"}, {Hugepages::one_gib, "1G"}, {Hugepages::none, "none"}};
inline constexpr EnumName<Role> kRoles[] = {
    {Role::admin, "admin"}, {Role::operator_, "operator"}, {Role::viewer, "viewer"}, {Role::tenant, "tenant"}};

/// The types of ports, in the order of Port::device's alternatives.
inline constexpr std::string_view kPortTypes[] = {"ethdev", "tap", "vhost-user"};

template <typename E, std::size_t N>
[[nodiscard]] std::string name_of(E value, const EnumName<E> (&names)[N]) {
    for (const auto& entry : names) {
        if (entry.value == value) return std::string(entry.name);
    }
    return {};
}

}  // namespace bulkhead::config
