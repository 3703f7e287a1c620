// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <utility>

#include "control/config/object_json.h"
#include "control/config/object_reader.h"
#include "vswitch/model/checks.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

constexpr std::uint32_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1;  // (uid_t)-1 means "leave it"

constexpr std::string_view kEthdevFields[] = {"devargs", "mac", "promiscuous", "flow_offload"};
constexpr std::string_view kTapFields[] = {"netns", "ifname", "mac", "owner_uid"};
constexpr std::string_view kVhostFields[] = {"path",        "mode",     "owner_uid", "owner_gid",
                                             "socket_mode", "offloads", "packed"};
constexpr std::span<const std::string_view> kFieldsOfType[] = {kEthdevFields, kTapFields, kVhostFields};

bool is_field_of(std::size_t type, std::string_view name) {
    return std::ranges::find(kFieldsOfType[type], name) != kFieldsOfType[type].end();
}

void refuse_fields_of_other_types(ObjectReader& reader, const json& object, std::size_t type) {
    if (!reader.ok()) return;
    for (const auto& [key, value] : object.items()) {
        const bool is_of_some_type = is_field_of(0, key) || is_field_of(1, key) || is_field_of(2, key);
        if (is_of_some_type && !is_field_of(type, key)) {
            reader.refuse(key, "is no field of a port of type " + in_quotes(kPortTypes[type]), shown(value),
                          listed(kFieldsOfType[type]));
        }
    }
}

// Octal text, as people write permissions; a JSON number would be decimal.
std::optional<std::uint32_t> socket_mode(ObjectReader& reader) {
    if (!reader.has("socket_mode")) return std::nullopt;
    const std::string text = reader.text("socket_mode");
    std::uint32_t mode = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (text.size() < 3 || text.size() > 4 || error != std::errc() || end != text.data() + text.size() || mode > 0777) {
        reader.refuse("socket_mode", "is not a mode in octal", shown(text), "like \"0660\"");
    }
    return mode;
}

std::optional<std::uint32_t> id(ObjectReader& reader, std::string_view name) {
    auto number = reader.optional_number(name, 0, kMaxId);
    return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

// Whether two ports want the same device is told by these texts, so that a path has one spelling alone. What is no
// absolute path at all, the model's own checks refuse.
std::string plain_path(ObjectReader& reader, std::string_view name, std::string_view what) {
    std::string path = reader.text(name);
    if (!path.starts_with('/')) return path;
    std::string plain = std::filesystem::path(path).lexically_normal().string();
    if (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
    if (path != plain) {
        reader.refuse(name, "is not written plainly", shown(path),
                      std::string(what) + " with no //, /./, /../ or / at its end: " + shown(plain));
    }
    return path;
}

/// A list of words, each of which sets a flag.
template <typename Flags>
using FlagName = std::pair<std::string_view, bool Flags::*>;

constexpr FlagName<GuestOffloads> kOffloads[] = {
    {"csum", &GuestOffloads::checksum}, {"tso4", &GuestOffloads::tso4}, {"tso6", &GuestOffloads::tso6}};
constexpr FlagName<Guards> kGuards[] = {{"ra", &Guards::router}, {"dhcp", &Guards::dhcp_server}};

/// `flags` come in with none set; `what` is one of them in words.
template <typename Flags, std::size_t N>
Flags decode_flags(ObjectReader& reader, std::string_view name, const FlagName<Flags> (&names)[N], Flags flags,
                   std::string_view what) {
    const std::vector<std::string> written = reader.texts(name);
    for (std::size_t at = 0; at < written.size(); ++at) {
        const auto refuse = [&](const std::string& says, std::string allowed) {
            const std::string field = std::string("/").append(name) + "/" + std::to_string(at);
            reader.refuse(refused(field, says, shown(written[at]), std::move(allowed)).error());
        };
        const auto* known = std::ranges::find(names, written[at], &FlagName<Flags>::first);
        if (known == std::end(names)) {
            std::vector<std::string_view> allowed;
            for (const auto& entry : names) allowed.push_back(entry.first);
            refuse(std::string("is no ").append(what), listed(allowed));
        } else if (std::exchange(flags.*known->second, true)) {
            refuse("is there twice", "each once");
        }
    }
    return flags;
}

template <typename Flags, std::size_t N>
json encode_flags(const Flags& flags, const FlagName<Flags> (&names)[N]) {
    json words = json::array();
    for (const auto& [name, member] : names)
        if (flags.*member) words.push_back(name);
    return words;
}

GuestOffloads offloads(ObjectReader& reader) {
    const GuestOffloads none{.checksum = false, .tso4 = false, .tso6 = false};
    const GuestOffloads result = decode_flags(reader, "offloads", kOffloads, none, "offload");
    if (!result.checksum && (result.tso4 || result.tso6)) {
        reader.refuse("offloads", "has segmentation without checksums", shown(encode_flags(result, kOffloads)),
                      "csum beside tso4 and tso6: segments need checksums");
    }
    return result;
}

decltype(Port::device) decode_device(ObjectReader& reader, std::size_t type) {
    switch (type) {
        case 0:
            return EthdevDevice{.devargs = reader.text("devargs"),
                                .mac = reader.optional_mac("mac"),
                                .promiscuous = reader.flag("promiscuous"),
                                .flow_offload = reader.choice("flow_offload", kFlowOffloads)};
        case 1:
            return TapDevice{.netns = plain_path(reader, "netns", "a namespace"),
                             .ifname = reader.text("ifname"),
                             .mac = reader.optional_mac("mac"),
                             .owner_uid = id(reader, "owner_uid")};
        default:
            return VhostUserDevice{.path = plain_path(reader, "path", "a socket"),
                                   .mode = reader.choice("mode", kVhostModes),
                                   .owner_uid = id(reader, "owner_uid"),
                                   .owner_gid = id(reader, "owner_gid"),
                                   .socket_mode = socket_mode(reader),
                                   .offloads = offloads(reader),
                                   .packed = reader.flag("packed")};
    }
}

using LimitName = std::pair<std::string_view, std::optional<std::uint32_t> PortLimits::*>;

constexpr LimitName kLimits[] = {{"rx_mbps", &PortLimits::rx_mbps},
                                 {"tx_mbps", &PortLimits::tx_mbps},
                                 {"burst_kib", &PortLimits::burst_kib},
                                 {"storm_pps", &PortLimits::storm_pps},
                                 {"mac_moves_per_s", &PortLimits::mac_moves_per_s},
                                 {"connections", &PortLimits::connections}};

/// Their ranges are check_port()'s; here they need only be numbers that fit.
PortLimits decode_limits(ObjectReader& port) {
    const json* written = port.value("limits");
    if (written == nullptr) return {};
    ObjectReader reader(*written, api::limit_fields(), "limits");
    PortLimits limits;
    for (const auto& [name, member] : kLimits)
        if (const auto number = reader.optional_number(name, 0, std::numeric_limits<std::uint32_t>::max()))
            limits.*member = static_cast<std::uint32_t>(*number);
    auto result = reader.finish(limits);
    if (result) return *result;
    port.refuse_inside(std::move(result.error()), "/limits");
    return {};
}

json encode_limits(const PortLimits& limits) {
    json object = json::object();
    for (const auto& [name, member] : kLimits)
        if (limits.*member) object[name] = *(limits.*member);
    return object;
}

void decode_attachment_fields(ObjectReader& reader, Attachment& attachment) {
    attachment.segment = reader.text("segment");
    attachment.group = reader.text("group");
    attachment.macs = reader.macs("macs");
    attachment.ips = reader.prefixes("ips");
    attachment.security = reader.choice("security", kPortSecurity);
    attachment.guards = decode_flags(reader, "guards", kGuards, Guards{}, "guard");
    attachment.isolated = reader.flag("isolated");
    attachment.tagged = reader.choice("tagged", kTaggedFrames);
}

void decode_untagged(ObjectReader& reader, Port& port) {
    if (reader.has("segment")) {
        Attachment attachment;
        decode_attachment_fields(reader, attachment);
        port.attachments.push_back(std::move(attachment));
        return;
    }
    // Without a segment there is nothing that these could be about; a default says nothing and passes.
    for (std::string_view name : {"group", "macs", "ips", "security", "guards", "isolated", "tagged"}) {
        auto default_json = std::ranges::find(api::port_fields(), name, &api::Field::name)->default_json;
        if (reader.has(name) && *reader.value(name) != json::parse(default_json)) {
            reader.refuse(name, "needs a segment for untagged frames", shown(*reader.value(name)), "with \"segment\"");
        }
    }
}

Result<Attachment> decode_vlan(const json& object) {
    ObjectReader reader(object, api::attachment_fields(), "an entry of vlans");
    Attachment attachment;
    attachment.vlan = static_cast<std::uint16_t>(reader.number("vlan", kMinVlan, kMaxVlan));
    attachment.keep_tag = reader.flag("keep_tag");
    decode_attachment_fields(reader, attachment);
    return reader.finish(std::move(attachment));
}

void decode_vlans(ObjectReader& reader, Port& port) {
    const json* vlans = reader.value("vlans");
    if (vlans == nullptr) return;
    for (std::size_t i = 0; i < vlans->size(); ++i) {
        auto attachment = decode_vlan((*vlans)[i]);
        if (!attachment) return reader.refuse_inside(std::move(attachment.error()), "/vlans/" + std::to_string(i));
        port.attachments.push_back(std::move(*attachment));
    }
    std::ranges::stable_sort(port.attachments, {}, &Attachment::vlan);  // no VLAN sorts first
}

void encode_attachment(const Attachment& attachment, json& object) {
    object["segment"] = attachment.segment;
    object["group"] = attachment.group;
    json& macs = object["macs"] = json::array();
    for (MacAddress mac : attachment.macs) macs.push_back(mac.to_string());
    json& ips = object["ips"] = json::array();
    for (const IpPrefix& ip : attachment.ips) ips.push_back(ip.to_string());
    object["security"] = name_of(attachment.security, kPortSecurity);
    object["guards"] = encode_flags(attachment.guards, kGuards);
    object["isolated"] = attachment.isolated;
    object["tagged"] = name_of(attachment.tagged, kTaggedFrames);
}

struct DeviceEncoder {
    json& object;

    void operator()(const EthdevDevice& device) const {
        object["devargs"] = device.devargs;
        if (device.mac) object["mac"] = device.mac->to_string();
        object["promiscuous"] = device.promiscuous;
        object["flow_offload"] = name_of(device.flow_offload, kFlowOffloads);
    }
    void operator()(const TapDevice& device) const {
        object["netns"] = device.netns;
        object["ifname"] = device.ifname;
        if (device.mac) object["mac"] = device.mac->to_string();
        if (device.owner_uid) object["owner_uid"] = *device.owner_uid;
    }
    void operator()(const VhostUserDevice& device) const {
        object["path"] = device.path;
        object["mode"] = name_of(device.mode, kVhostModes);
        object["offloads"] = encode_flags(device.offloads, kOffloads);
        object["packed"] = device.packed;
        if (device.owner_uid) object["owner_uid"] = *device.owner_uid;
        if (device.owner_gid) object["owner_gid"] = *device.owner_gid;
        if (device.socket_mode) {
            std::string octal = "0000";
            for (std::size_t i = 0; i < 4; ++i)
                octal[3 - i] = static_cast<char>('0' + ((*device.socket_mode >> (3 * i)) & 7));
            object["socket_mode"] = octal;
        }
    }
};

}  // namespace

Result<Port> decode_port(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::port_fields(), "a port");
    Port port;
    port.name = reader.text("name");
    port.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    const std::string written = reader.text("type");
    const auto* type = std::ranges::find(kPortTypes, written);
    if (type == std::ranges::end(kPortTypes)) {
        reader.refuse("type", "is no type of port", shown(written), listed(kPortTypes));
        return reader.finish(std::move(port));
    }
    const auto index = static_cast<std::size_t>(type - kPortTypes);
    refuse_fields_of_other_types(reader, object, index);
    port.device = decode_device(reader, index);
    port.queues = static_cast<std::uint16_t>(reader.number("queues", 1, kMaxQueues));
    if (auto mtu = reader.optional_number("mtu", kMinMtu, kMaxMtu)) port.mtu = static_cast<std::uint16_t>(*mtu);
    for (std::uint64_t worker : reader.numbers("workers", 0, kMaxWorkers - 1)) {
        port.workers.push_back(static_cast<std::uint16_t>(worker));
    }
    port.limits = decode_limits(reader);
    decode_untagged(reader, port);
    decode_vlans(reader, port);
    return reader.finish(std::move(port));
}

json encode(const Port& port) {
    json object = {{"name", port.name},
                   {"owner", port.owner},
                   {"type", kPortTypes[port.device.index()]},
                   {"queues", port.queues},
                   {"workers", port.workers},
                   {"vlans", json::array()},
                   {"limits", encode_limits(port.limits)}};
    if (port.mtu) object["mtu"] = *port.mtu;
    std::visit(DeviceEncoder{object}, port.device);
    for (const Attachment& attachment : port.attachments) {
        if (!attachment.vlan) {
            encode_attachment(attachment, object);
            continue;
        }
        json entry = {{"vlan", *attachment.vlan}, {"keep_tag", attachment.keep_tag}};
        encode_attachment(attachment, entry);
        object["vlans"].push_back(std::move(entry));
    }
    return object;
}

}  // namespace bulkhead::config
