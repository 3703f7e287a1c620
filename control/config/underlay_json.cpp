// SPDX-License-Identifier: Apache-2.0
#include "control/config/object_json.h"
#include "control/config/object_reader.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

Result<Underlay::Neighbor> decode_neighbor(const json& object) {
    ObjectReader reader(object, api::neighbor_fields(), "a neighbour");
    Underlay::Neighbor neighbor;
    neighbor.ip = reader.optional_ip("ip").value_or(IpAddress());
    neighbor.mac = reader.optional_mac("mac").value_or(MacAddress());
    return reader.finish(neighbor);
}

void decode_neighbors(ObjectReader& reader, Underlay& underlay) {
    const json* neighbors = reader.value("neighbors");
    if (neighbors == nullptr) return;
    for (std::size_t i = 0; i < neighbors->size(); ++i) {
        auto neighbor = decode_neighbor((*neighbors)[i]);
        if (!neighbor) return reader.refuse_inside(std::move(neighbor.error()), "/neighbors/" + std::to_string(i));
        underlay.neighbors.push_back(*neighbor);
    }
}

}  // namespace

Result<Underlay> decode_underlay(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::underlay_fields(), "an underlay");
    Underlay underlay;
    underlay.name = reader.text("name");
    underlay.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    underlay.port = reader.text("port");
    underlay.addresses = reader.prefixes("addresses");
    underlay.gateways = reader.ips("gateways");
    if (auto vlan = reader.optional_number("vlan", kMinVlan, kMaxVlan))
        underlay.vlan = static_cast<std::uint16_t>(*vlan);
    underlay.mtu = static_cast<std::uint16_t>(reader.number("mtu", kMinMtu, kMaxMtu));
    underlay.host_tap = reader.text("host_tap");
    decode_neighbors(reader, underlay);
    return reader.finish(std::move(underlay));
}

json encode(const Underlay& underlay) {
    json object = {{"name", underlay.name},         {"owner", underlay.owner},   {"port", underlay.port},
                   {"addresses", json::array()},    {"gateways", json::array()}, {"mtu", underlay.mtu},
                   {"host_tap", underlay.host_tap}, {"neighbors", json::array()}};
    for (const IpPrefix& own : underlay.addresses) object["addresses"].push_back(own.to_string());
    for (const IpAddress& gateway : underlay.gateways) object["gateways"].push_back(gateway.to_string());
    for (const auto& [ip, mac] : underlay.neighbors)
        object["neighbors"].push_back({{"ip", ip.to_string()}, {"mac", mac.to_string()}});
    if (underlay.vlan) object["vlan"] = *underlay.vlan;
    return object;
}

}  // namespace bulkhead::config
