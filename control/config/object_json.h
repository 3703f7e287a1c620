// SPDX-License-Identifier: Apache-2.0
// The objects of the model as JSON, by the tables of control/api/fields.h. Decoding is strict and fills in defaults;
// encoding writes every field that has a value, so that decode(encode(x)) == x. Errors have `field` relative to the
// object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "vswitch/base/result.h"
#include "vswitch/explain/flow_fields.h"
#include "vswitch/model/model.h"

namespace bulkhead::config {

/// `owner` is whose the object is when it does not say so itself.
[[nodiscard]] Result<Segment> decode_segment(const nlohmann::json& object, std::string_view owner = {});
/// Attachments come out in the model's order, the untagged one first, then by VLAN.
[[nodiscard]] Result<Port> decode_port(const nlohmann::json& object, std::string_view owner = {});
[[nodiscard]] Result<Underlay> decode_underlay(const nlohmann::json& object, std::string_view owner = {});
/// Fills in the defaults that hang on type and remote.
[[nodiscard]] Result<Tunnel> decode_tunnel(const nlohmann::json& object, std::string_view owner = {});
[[nodiscard]] Result<StaticMac> decode_fdb(const nlohmann::json& object, std::string_view owner = {});
[[nodiscard]] Result<Group> decode_group(const nlohmann::json& object, std::string_view owner = {});
[[nodiscard]] Result<Policy> decode_policy(const nlohmann::json& object, std::string_view owner = {});
[[nodiscard]] Result<Mirror> decode_mirror(const nlohmann::json& object, std::string_view owner = {});
/// What policy.explain is asked about, but for the groups.
[[nodiscard]] Result<FlowFields> decode_flow(const nlohmann::json& object);

/// An IP protocol as rules name it; nothing if it is none.
[[nodiscard]] std::optional<std::uint8_t> protocol_in(const nlohmann::json& value);
[[nodiscard]] std::string allowed_protocols();  ///< for the error then
/// By name where there is one, else a number, of EtherTypes as "0x88cc".
[[nodiscard]] nlohmann::json encode_protocol(std::uint8_t protocol);
[[nodiscard]] nlohmann::json encode_ethertype(std::uint16_t ethertype);
[[nodiscard]] std::string encode_tcp_flags(std::uint8_t flags);  ///< letters of FSRPAU

[[nodiscard]] nlohmann::json encode(const Segment& segment);
[[nodiscard]] nlohmann::json encode(const Port& port);
[[nodiscard]] nlohmann::json encode(const Underlay& underlay);
[[nodiscard]] nlohmann::json encode(const Tunnel& tunnel);
[[nodiscard]] nlohmann::json encode(const StaticMac& entry);
[[nodiscard]] nlohmann::json encode(const Group& group);
/// EtherTypes and protocols by name where they have one, ports as "443" or "8000-8080".
[[nodiscard]] nlohmann::json encode(const Policy& policy);
[[nodiscard]] nlohmann::json encode(const Mirror& mirror);

}  // namespace bulkhead::config
