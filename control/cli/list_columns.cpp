// SPDX-License-Identifier: Apache-2.0
#include "control/cli/list_columns.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace bulkhead::cli {
namespace {

using nlohmann::json;

/// What is at the pointer, null if nothing.
json at(const json& item, const char* pointer) {
    return item.value(json::json_pointer(pointer), json());
}

/// `blue`, or on a trunk port `blue, 10:red, 20:green`.
Cell segments_of_port(const json& port) {
    std::string text;
    if (const json untagged = at(port, "/segment"); untagged.is_string() && untagged != "") text = one_line(untagged);
    for (const json& attachment : at(port, "/vlans")) {
        text += text.empty() ? "" : ", ";
        text += one_line(at(attachment, "/vlan")) + ":" + one_line(at(attachment, "/segment"));
    }
    return {text.empty() ? "-" : text};
}

/// up, down, or waiting: the device is not there.
Cell link_of_port(const json& port) {
    if (at(port, "/state/status") == "waiting") return {"waiting"};
    const json link = at(port, "/state/link");
    if (link.is_boolean()) return {link.get<bool>() ? "up" : "down"};
    return {one_line(link)};
}

/// Only a vhost-user port has a guest.
Cell guest_of_port(const json& port) {
    return {at(port, "/type") == "vhost-user" ? one_line(at(port, "/state/guest_connected")) : "-"};
}

/// The node's addresses; those that somebody else has too are marked.
Cell addresses_of_underlay(const json& underlay) {
    const json state = at(underlay, "/state/addresses");
    if (!state.is_array()) return {one_line(at(underlay, "/addresses"))};
    std::string text;
    for (const json& address : state) {
        text += (text.empty() ? "" : ", ") + one_line(at(address, "/address"));
        if (at(address, "/duplicate") == true) text += " (duplicate)";
    }
    return {text};
}

/// A count, or how many names there are.
Cell count_of(const json& value) {
    return value.is_array() ? cell_of(json(value.size())) : cell_of(value);
}

/// `web-0, fw-0:10`: ports, those of a VLAN with it.
Cell members_of_group(const json& group) {
    std::string text;
    for (const json& member : at(group, "/state/members")) {
        text += (text.empty() ? "" : ", ") + one_line(at(member, "/port"));
        if (const json vlan = at(member, "/vlan"); !vlan.is_null()) text += ":" + one_line(vlan);
    }
    return {text.empty() ? "-" : text};
}

Cell action_of_policy(const json& rule) {
    const json port = at(rule, "/to_port");
    return {one_line(at(rule, "/action")) + (port.is_string() && port != "" ? " " + one_line(port) : "")};
}

/// Groups, networks and addresses in one list; `-`: every one.
Cell end_of_policy(const json& end) {
    std::string text;
    for (const char* list : {"/groups", "/ips", "/macs"})
        for (const json& item : at(end, list)) text += (text.empty() ? "" : ", ") + one_line(item);
    return {text.empty() ? "-" : text};
}

/// `tcp 443, 8000-8080`, `udp from 53`, `icmp type 8`; `-`: everything.
Cell what_of_policy(const json& rule) {
    std::string text;
    auto add = [&](const std::string& words) { text += (text.empty() ? "" : " ") + words; };
    for (const char* field : {"/ethertype", "/protocol"})
        if (const json value = at(rule, field); !value.is_null()) add(one_line(value));
    constexpr std::pair<const char*, const char*> kLists[] = {
        {"/src_ports", "from "}, {"/dst_ports", ""}, {"/icmp_types", "type "}};
    for (const auto& [field, word] : kLists)
        if (const json list = at(rule, field); list.is_array() && !list.empty()) add(word + one_line(list));
    return {text.empty() ? "-" : text};
}

constexpr ListColumn kSegments[] = {
    {"NAME", "/name"},
    {"VNI", "/vni"},
    {"MTU", "/mtu"},
    {"FLOOD", "/flood"},
    {"PORTS", "", [](const json& segment) { return count_of(at(segment, "/state/ports")); }},
    {"MACS", "", [](const json& segment) { return count_of(at(segment, "/state/macs")); }},
    {"TENANT", "/tenant"},
};

constexpr ListColumn kPorts[] = {
    {"NAME", "/name"},
    {"TYPE", "/type"},
    {"SEGMENT", "", segments_of_port},
    {"LINK", "", link_of_port},
    {"GUEST", "", guest_of_port},
    {"RX PACKETS", "/state/rx_packets"},
    {"TX PACKETS", "/state/tx_packets"},
    {"DROPS", "/state/drops"},
};

constexpr ListColumn kFdb[] = {
    {"SEGMENT", "/segment"},
    {"MAC", "/mac"},
    {"PORT", "/port"},
    {"TUNNEL", "/tunnel"},
    {"VLAN", "/vlan"},
    {"KIND", "", [](const json& entry) { return Cell{at(entry, "/static") == true ? "static" : "learned"}; }},
    {"AGE S", "/age_s"},
};

constexpr ListColumn kUnderlays[] = {
    {"NAME", "/name"}, {"PORT", "/port"}, {"ADDRESSES", "", addresses_of_underlay},
    {"VLAN", "/vlan"}, {"MTU", "/mtu"},   {"STATUS", "/state/status"},
};

constexpr ListColumn kTunnels[] = {
    {"NAME", "/name"},
    {"TYPE", "/type"},
    {"UNDERLAY", "/underlay"},
    {"REMOTE", "/remote"},
    {"SEGMENTS", "/segments"},
    {"STATUS", "/state/status"},
    {"NEXT HOP", "/state/next_hop"},
    {"RESOLVED", "/state/resolved"},
    {"ALIVE", "/state/alive"},
    {"RX PACKETS", "/state/rx_packets"},
    {"TX PACKETS", "/state/tx_packets"},
    {"DROPS", "/state/drops"},
};

constexpr ListColumn kNeighbors[] = {
    {"UNDERLAY", "/underlay"}, {"IP", "/ip"},       {"MAC", "/mac"},
    {"STATE", "/state"},       {"AGE S", "/age_s"}, {"DUPLICATE", "/duplicate"},
};

constexpr ListColumn kGroups[] = {
    {"SEGMENT", "/segment"},
    {"NAME", "/name"},
    {"ID", "/id"},
    {"MEMBERS", "", members_of_group},
};

constexpr ListColumn kPolicies[] = {
    {"SEGMENT", "/segment"},
    {"ORDER", "/order"},
    {"NAME", "/name"},
    {"ACTION", "", action_of_policy},
    {"FROM", "", [](const json& rule) { return end_of_policy(at(rule, "/from")); }},
    {"TO", "", [](const json& rule) { return end_of_policy(at(rule, "/to")); }},
    {"WHAT", "", what_of_policy},
    {"PACKETS", "/state/packets"},
    {"BYTES", "/state/bytes"},
};

/// `port web-0`, `segment blue`, `rule blue/web-to-db`
Cell source_of_mirror(const json& mirror) {
    if (const json port = at(mirror, "/port"); !port.is_null()) return {"port " + one_line(port)};
    const std::string segment = one_line(at(mirror, "/segment"));
    const json rule = at(mirror, "/policy");
    return {rule.is_null() ? "segment " + segment : "rule " + segment + "/" + one_line(rule)};
}

/// `ids-0`, `edge-2:9001` of a tunnel and the copies' VNI.
Cell target_of_mirror(const json& mirror) {
    const json vni = at(mirror, "/vni");
    return {one_line(at(mirror, "/to")) + (vni.is_null() ? "" : ":" + one_line(vni))};
}

constexpr ListColumn kMirrors[] = {
    {"NAME", "/name"},
    {"SOURCE", "", source_of_mirror},
    {"DIRECTION", "/direction"},
    {"TO", "", target_of_mirror},
    {"SNAPLEN", "/snaplen"},
    {"STATUS", "/state/status"},
    {"PACKETS", "/state/packets"},
    {"BYTES", "/state/bytes"},
    {"DROPS", "", [](const json& mirror) { return drops_cell(at(mirror, "/state/drops")); }},
};

/// `10.1.0.2:4000`, `[fd00::2]:4000`, or the address alone.
Cell end_of_connection(const json& address, const json& port) {
    const std::string text = one_line(address);
    if (port.is_null()) return {text};
    return {(text.contains(':') ? "[" + text + "]" : text) + ":" + one_line(port)};
}

/// `tcp`, `icmp type 8 id 7`
Cell protocol_of_connection(const json& connection) {
    std::string text = one_line(at(connection, "/protocol"));
    if (const json type = at(connection, "/icmp_type"); !type.is_null())
        text += " type " + one_line(type) + " id " + one_line(at(connection, "/icmp_id"));
    return {text};
}

constexpr ListColumn kConnections[] = {
    {"SEGMENT", "/segment"},
    {"PROTOCOL", "", protocol_of_connection},
    {"SOURCE", "", [](const json& item) { return end_of_connection(at(item, "/source"), at(item, "/source_port")); }},
    {"DESTINATION", "",
     [](const json& item) { return end_of_connection(at(item, "/destination"), at(item, "/destination_port")); }},
    {"STATE", "/state"},
    {"IDLE S", "/idle_s"},
    {"ENDS IN S", "/expires_in_s"},
    {"PORT", "/port"},
    {"TUNNEL", "/tunnel"},
    {"RULE", "/rule"},
};

constexpr ListColumn kDrops[] = {
    {"PORT", "/port"},     {"TUNNEL", "/tunnel"},   {"SEGMENT", "/segment"},
    {"REASON", "/reason"}, {"PACKETS", "/packets"}, {"MEANING", "/help"},
};

}  // namespace

std::span<const ListColumn> list_columns(std::string_view method) {
    if (method == "segment.list") return kSegments;
    if (method == "port.list") return kPorts;
    if (method == "fdb.list") return kFdb;
    if (method == "underlay.list") return kUnderlays;
    if (method == "underlay.neighbors") return kNeighbors;
    if (method == "tunnel.list") return kTunnels;
    if (method == "group.list") return kGroups;
    if (method == "policy.list") return kPolicies;
    if (method == "mirror.list") return kMirrors;
    if (method == "connection.list") return kConnections;
    if (method == "drop.list") return kDrops;
    return {};
}

Cell cell_of(const ListColumn& column, const json& item) {
    return column.make != nullptr ? column.make(item) : cell_of(at(item, column.pointer));
}

Cell drops_cell(const json& drops) {
    std::vector<std::pair<std::uint64_t, std::string>> reasons;
    std::uint64_t sum = 0;
    for (const auto& [reason, packets] : drops.items()) {
        if (!packets.is_number_unsigned() || packets == 0) continue;
        reasons.emplace_back(packets.get<std::uint64_t>(), reason);
        sum += reasons.back().first;
    }
    std::ranges::sort(reasons, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::string text;
    for (const auto& [packets, reason] : reasons)
        text += (text.empty() ? " (" : ", ") + printable(reason) + " " + std::to_string(packets);
    return {std::to_string(sum) + (text.empty() ? "" : text + ")")};
}

}  // namespace bulkhead::cli
