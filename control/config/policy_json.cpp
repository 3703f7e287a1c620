// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <optional>

#include "control/config/object_json.h"
#include "control/config/object_reader.h"
#include "vswitch/model/checks.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

constexpr const char* kAllowedEthertypes = "ipv4, ipv6, arp, a number (1536-65535), or like \"0x88cc\"";
constexpr const char* kAllowedPorts = "like \"443\" or \"8000-8080\", 0-65535";

/// From the lowest bit on: RFC 9293, section 3.1.
constexpr std::string_view kTcpFlags = "FSRPAU";

constexpr EnumName<std::uint16_t> kEthertypes[] = {{0x0800, "ipv4"}, {0x86dd, "ipv6"}, {kArpEthertype, "arp"}};

/// The names of IANA's registry of protocol numbers, as far as people use them.
constexpr EnumName<std::uint8_t> kProtocols[] = {
    {1, "icmp"},    {2, "igmp"},  {6, "tcp"},   {17, "udp"},   {47, "gre"},   {50, "esp"},   {51, "ah"},
    {58, "icmpv6"}, {89, "ospf"}, {103, "pim"}, {112, "vrrp"}, {115, "l2tp"}, {132, "sctp"}, {136, "udplite"}};

template <typename E, std::size_t N>
std::optional<E> named(const json& value, const EnumName<E> (&names)[N]) {
    const auto* known = std::ranges::find_if(names, [&](const auto& entry) { return value == entry.name; });
    return known == std::end(names) ? std::nullopt : std::optional(known->value);
}

/// The whole text as a number; nothing if it is none, or does not fit.
template <typename Number>
std::optional<Number> number_in(std::string_view text, int base = 10) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// A JSON integer that fits.
template <typename Number>
std::optional<Number> number_in(const json& value) {
    if (!value.is_number_integer() || value < 0 || value > std::numeric_limits<Number>::max()) return std::nullopt;
    return value.get<Number>();
}

std::optional<std::uint16_t> decode_ethertype(ObjectReader& reader) {
    const json* written = reader.value("ethertype");
    if (written == nullptr) return std::nullopt;
    auto ethertype = named(*written, kEthertypes);
    if (!ethertype) ethertype = number_in<std::uint16_t>(*written);
    if (const auto* text = written->get_ptr<const std::string*>(); !ethertype && text && text->starts_with("0x"))
        ethertype = number_in<std::uint16_t>(std::string_view(*text).substr(2), 16);
    if (!ethertype || *ethertype < kMinEthertype)
        reader.refuse("ethertype", "is no EtherType", shown(*written), kAllowedEthertypes);
    return ethertype;
}

std::optional<std::uint8_t> decode_protocol(ObjectReader& reader) {
    const json* written = reader.value("protocol");
    if (written == nullptr) return std::nullopt;
    const auto protocol = protocol_in(*written);
    if (!protocol) reader.refuse("protocol", "is no IP protocol", shown(*written), allowed_protocols());
    return protocol;
}

std::optional<PortRange> port_range(const json& value) {
    if (const auto port = number_in<std::uint16_t>(value)) return PortRange{.first = *port, .last = *port};
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr) return std::nullopt;
    const std::string_view range = *text;
    const std::size_t dash = std::min(range.find('-'), range.size());
    const auto first = number_in<std::uint16_t>(range.substr(0, dash));
    const auto last = dash == range.size() ? first : number_in<std::uint16_t>(range.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    return PortRange{.first = *first, .last = *last};
}

std::vector<PortRange> decode_ports(ObjectReader& reader, std::string_view name) {
    std::vector<PortRange> ranges;
    const json* written = reader.value(name);
    if (written == nullptr) return ranges;
    for (const json& value : *written) {
        const auto range = port_range(value);
        if (!range) {
            Error error = invalid(pointer_token(name) + "/" + std::to_string(ranges.size()),
                                  std::string(name) + " " + shown(value) + " is no port, and no range of ports",
                                  shown(value), kAllowedPorts)
                              .error();
            reader.refuse(std::move(error));
        }
        ranges.push_back(range.value_or(PortRange{}));
    }
    return ranges;
}

json encode_ports(const std::vector<PortRange>& ranges) {
    json ports = json::array();
    for (const PortRange& range : ranges) ports.push_back(to_string(range));
    return ports;
}

PolicyEnd decode_end(ObjectReader& rule, std::string_view name) {
    const json* written = rule.value(name);
    if (written == nullptr) return {};
    ObjectReader reader(*written, api::policy_end_fields(), "an end of a rule");
    PolicyEnd end;
    end.groups = reader.texts("groups");
    end.ips = reader.prefixes("ips");
    end.macs = reader.macs("macs");
    auto result = reader.finish(std::move(end));
    if (result) return std::move(*result);
    rule.refuse_inside(std::move(result.error()), pointer_token(name));
    return {};
}

json encode_end(const PolicyEnd& end) {
    json ips = json::array(), macs = json::array();
    for (const IpPrefix& ip : end.ips) ips.push_back(ip.to_string());
    for (const MacAddress mac : end.macs) macs.push_back(mac.to_string());
    return {{"groups", end.groups}, {"ips", std::move(ips)}, {"macs", std::move(macs)}};
}

}  // namespace

json encode_ethertype(std::uint16_t ethertype) {
    if (std::string name = name_of(ethertype, kEthertypes); !name.empty()) return name;
    char text[8];
    std::snprintf(text, sizeof text, "0x%04x", ethertype);
    return text;
}

std::optional<std::uint8_t> protocol_in(const json& value) {
    const auto protocol = named(value, kProtocols);
    return protocol ? protocol : number_in<std::uint8_t>(value);
}

std::string allowed_protocols() {
    std::string names;
    for (const auto& entry : kProtocols) names.append(entry.name).append(", ");
    return names + "or a number (0-255)";
}

json encode_protocol(std::uint8_t protocol) {
    std::string name = name_of(protocol, kProtocols);
    return name.empty() ? json(protocol) : json(std::move(name));
}

std::string encode_tcp_flags(std::uint8_t flags) {
    std::string letters;
    for (std::size_t bit = 0; bit < kTcpFlags.size(); ++bit)
        if ((flags >> bit & 1) != 0) letters += kTcpFlags[bit];
    return letters;
}

Result<Group> decode_group(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::group_fields(), "a group");
    Group group;
    group.segment = reader.text("segment");
    group.name = reader.text("name");
    group.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    group.id = static_cast<std::uint16_t>(reader.number("id", 1, kMaxGroupId));
    return reader.finish(std::move(group));
}

json encode(const Group& group) {
    return {{"segment", group.segment}, {"name", group.name}, {"owner", group.owner}, {"id", group.id}};
}

Result<Policy> decode_policy(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::policy_fields(), "a rule");
    Policy policy;
    policy.segment = reader.text("segment");
    policy.name = reader.text("name");
    policy.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    policy.order = static_cast<std::uint32_t>(reader.number("order", 0, kMaxPolicyOrder));
    policy.action = reader.choice("action", kPolicyActions);
    policy.from = decode_end(reader, "from");
    policy.to = decode_end(reader, "to");
    policy.ethertype = decode_ethertype(reader);
    policy.protocol = decode_protocol(reader);
    policy.src_ports = decode_ports(reader, "src_ports");
    policy.dst_ports = decode_ports(reader, "dst_ports");
    for (const std::uint64_t type : reader.numbers("icmp_types", 0, std::numeric_limits<std::uint8_t>::max()))
        policy.icmp_types.push_back(static_cast<std::uint8_t>(type));
    policy.to_port = reader.text("to_port");
    policy.stateful = reader.flag("stateful");
    policy.log = reader.flag("log");
    return reader.finish(std::move(policy));
}

Result<FlowFields> decode_flow(const json& object) {
    ObjectReader reader(object, api::flow_fields(), "the fields of a frame");
    FlowFields flow;
    flow.source = reader.optional_ip("source");
    flow.destination = reader.optional_ip("destination");
    const bool is_v6 = (flow.source && !flow.source->is_v4()) || (flow.destination && !flow.destination->is_v4());
    const std::uint16_t family = is_v6 ? kEtherTypeIpv6 : kEtherTypeIpv4;
    flow.ethertype = decode_ethertype(reader).value_or(family);
    const bool is_ip = flow.ethertype == kEtherTypeIpv4 || flow.ethertype == kEtherTypeIpv6;
    const auto wrong_family = [&](const std::optional<IpAddress>& address) {
        return address && flow.ethertype != (address->is_v4() ? kEtherTypeIpv4 : kEtherTypeIpv6);
    };
    for (const char* end : {"source", "destination"})
        if (const auto& address = end[0] == 's' ? flow.source : flow.destination; wrong_family(address))
            reader.refuse(end, "is of another family than the frame", in_quotes(address->to_string()));
    const auto protocol = decode_protocol(reader);
    if (is_ip && !protocol)
        reader.refuse("protocol", "is missing: an IP packet has one", kNothing, "tcp, udp, icmp, ...");
    flow.protocol = protocol.value_or(0);
    constexpr std::uint64_t kPorts = std::numeric_limits<std::uint16_t>::max();
    flow.source_port = static_cast<std::uint16_t>(reader.number("source_port", 0, kPorts));
    flow.destination_port = static_cast<std::uint16_t>(reader.number("destination_port", 0, kPorts));
    flow.icmp_type = static_cast<std::uint8_t>(reader.number("icmp_type", 0, 255));
    flow.source_mac = reader.optional_mac("source_mac").value_or(MacAddress());
    flow.destination_mac = reader.optional_mac("destination_mac").value_or(MacAddress());
    const std::string flags = reader.text("tcp_flags");
    for (const char letter : flags) {
        const std::size_t bit = kTcpFlags.find(letter);
        if (bit == std::string_view::npos)
            reader.refuse("tcp_flags", "has a letter that is no flag", in_quotes(flags), "letters of FSRPAU");
        else
            flow.tcp_flags = static_cast<std::uint8_t>(flow.tcp_flags | 1U << bit);
    }
    return reader.finish(flow);
}

json encode(const Policy& policy) {
    json object = {{"segment", policy.segment},
                   {"name", policy.name},
                   {"owner", policy.owner},
                   {"order", policy.order},
                   {"action", name_of(policy.action, kPolicyActions)},
                   {"from", encode_end(policy.from)},
                   {"to", encode_end(policy.to)},
                   {"src_ports", encode_ports(policy.src_ports)},
                   {"dst_ports", encode_ports(policy.dst_ports)},
                   {"icmp_types", policy.icmp_types},
                   {"to_port", policy.to_port},
                   {"stateful", policy.stateful},
                   {"log", policy.log}};
    if (policy.ethertype) object["ethertype"] = encode_ethertype(*policy.ethertype);
    if (policy.protocol) object["protocol"] = encode_protocol(*policy.protocol);
    return object;
}

}  // namespace bulkhead::config
