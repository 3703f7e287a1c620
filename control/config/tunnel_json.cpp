// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "control/config/object_json.h"
#include "control/config/object_reader.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

constexpr std::string_view kCopy = "copy";

/// Nothing: that of the inner packet.
std::optional<std::uint8_t> decode_dscp(ObjectReader& reader) {
    const json* dscp = reader.value("dscp");
    if (dscp == nullptr || *dscp == kCopy) return std::nullopt;
    if (dscp->is_number_integer()) return static_cast<std::uint8_t>(reader.number("dscp", 0, kMaxDscp));
    reader.refuse("dscp", "is no DSCP", shown(*dscp), "copy, or 0-63");
    return std::nullopt;
}

std::uint32_t decode_keepalive(ObjectReader& reader) {
    const json* pause = reader.value("keepalive_ms");
    if (pause == nullptr || *pause == 0) return 0;
    const bool is_allowed = pause->is_number_integer() && *pause >= kMinKeepaliveMs && *pause <= kMaxKeepaliveMs;
    if (!is_allowed) reader.refuse("keepalive_ms", "is no pause between keepalives", shown(*pause), kKeepalives);
    return is_allowed ? pause->get<std::uint32_t>() : 0;
}

}  // namespace

Result<Tunnel> decode_tunnel(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::tunnel_fields(), "a tunnel");
    Tunnel tunnel;
    tunnel.name = reader.text("name");
    tunnel.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    tunnel.type = reader.choice("type", kTunnelTypes);
    tunnel.underlay = reader.text("underlay");
    tunnel.remote = reader.optional_ip("remote").value_or(IpAddress());
    tunnel.segments = reader.texts("segments");
    const std::uint16_t usual_port = tunnel.type == TunnelType::vxlan ? kVxlanPort : kGenevePort;
    tunnel.dst_port = static_cast<std::uint16_t>(
        reader.optional_number("dst_port", 1, std::numeric_limits<std::uint16_t>::max()).value_or(usual_port));
    tunnel.horizon = reader.choice("horizon", kHorizons);
    tunnel.ttl = static_cast<std::uint8_t>(reader.number("ttl", 1, std::numeric_limits<std::uint8_t>::max()));
    tunnel.dscp = decode_dscp(reader);
    // RFC 768 leaves it out where it likes; RFC 8200, section 8.1, wants it unless both ends agree (RFC 6935).
    tunnel.udp_checksum = reader.has("udp_checksum") ? reader.flag("udp_checksum") : !tunnel.remote.is_v4();
    tunnel.trust_groups = reader.flag("trust_groups");
    tunnel.keepalive_ms = decode_keepalive(reader);
    return reader.finish(std::move(tunnel));
}

json encode(const Tunnel& tunnel) {
    return {{"name", tunnel.name},
            {"owner", tunnel.owner},
            {"type", name_of(tunnel.type, kTunnelTypes)},
            {"underlay", tunnel.underlay},
            {"remote", tunnel.remote.to_string()},
            {"segments", tunnel.segments},
            {"dst_port", tunnel.dst_port},
            {"horizon", name_of(tunnel.horizon, kHorizons)},
            {"ttl", tunnel.ttl},
            {"dscp", tunnel.dscp ? json(*tunnel.dscp) : json(kCopy)},
            {"udp_checksum", tunnel.udp_checksum},
            {"trust_groups", tunnel.trust_groups},
            {"keepalive_ms", tunnel.keepalive_ms}};
}

}  // namespace bulkhead::config
