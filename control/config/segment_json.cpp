// SPDX-License-Identifier: Apache-2.0
#include "control/config/object_json.h"
#include "control/config/object_reader.h"
#include "vswitch/model/checks.h"

namespace bulkhead::config {

using nlohmann::json;

Result<Segment> decode_segment(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::segment_fields(), "a segment");
    Segment segment;
    segment.name = reader.text("name");
    segment.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    segment.vni = static_cast<std::uint32_t>(reader.number("vni", 1, kMaxVni));
    segment.mtu = static_cast<std::uint16_t>(reader.number("mtu", kMinMtu, kMaxMtu));
    segment.flood = reader.choice("flood", kFloodModes);
    segment.mac_limit = static_cast<std::uint32_t>(reader.number("mac_limit", 0, kMaxMacLimit));
    segment.mac_age_s = static_cast<std::uint32_t>(reader.number("mac_age_s", 1, kMaxMacAgeS));
    segment.tenant = reader.text("tenant");
    segment.default_policy = reader.choice("default_policy", kDefaultPolicies);
    segment.arp_suppression = reader.flag("arp_suppression");
    return reader.finish(std::move(segment));
}

json encode(const Segment& segment) {
    return {{"name", segment.name},
            {"owner", segment.owner},
            {"vni", segment.vni},
            {"mtu", segment.mtu},
            {"flood", name_of(segment.flood, kFloodModes)},
            {"mac_limit", segment.mac_limit},
            {"mac_age_s", segment.mac_age_s},
            {"tenant", segment.tenant},
            {"default_policy", name_of(segment.default_policy, kDefaultPolicies)},
            {"arp_suppression", segment.arp_suppression}};
}

Result<StaticMac> decode_fdb(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::fdb_fields(), "an fdb entry");
    StaticMac entry;
    entry.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    entry.segment = reader.text("segment");
    entry.mac = reader.optional_mac("mac").value_or(MacAddress());
    entry.port = reader.text("port");
    entry.tunnel = reader.text("tunnel");
    entry.ips = reader.ips("ips");
    if (entry.port.empty() && entry.tunnel.empty()) reader.refuse("port", "is missing", kNothing, "port, or tunnel");
    if (!entry.port.empty() && !entry.tunnel.empty())
        reader.refuse("tunnel", "stands beside port", shown(entry.tunnel), "one of port and tunnel");
    return reader.finish(std::move(entry));
}

json encode(const StaticMac& entry) {
    json object = {
        {"segment", entry.segment}, {"mac", entry.mac.to_string()}, {"owner", entry.owner}, {"ips", json::array()}};
    const bool is_port = entry.tunnel.empty();
    object[is_port ? "port" : "tunnel"] = is_port ? entry.port : entry.tunnel;
    for (const IpAddress& ip : entry.ips) object["ips"].push_back(ip.to_string());
    return object;
}

}  // namespace bulkhead::config
