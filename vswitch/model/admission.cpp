// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/admission.h"

#include <variant>

#include "vswitch/model/checks.h"

namespace bulkhead {
namespace {

const std::string kPort = "port", kTunnel = "tunnel";

std::unexpected<Error> too_many(std::string_view what, std::size_t most) {
    Error error;
    error.code = ErrorCode::limit;
    error.message = "too many " + std::string(what);
    error.allowed = "at most " + std::to_string(most);
    return failure(std::move(error));
}

std::string fdb_name(const StaticMac& entry) {
    return entry.segment + "/" + entry.mac.to_string();
}

}  // namespace

std::string device_identity(const Port& port) {
    struct Visitor {
        // Two devices of one name can't exist, whatever their arguments.
        std::string operator()(const EthdevDevice& d) const {
            return "ethdev " + d.devargs.substr(0, d.devargs.find(','));
        }
        std::string operator()(const TapDevice& d) const { return "tap " + d.ifname + " " + d.netns; }
        std::string operator()(const VhostUserDevice& d) const { return "vhost-user " + d.path; }
    };
    return std::visit(Visitor{}, port.device);
}

std::string attachment_pointer(const Port& port, const Attachment& attachment) {
    if (!attachment.vlan) return {};
    std::size_t index = 0;
    for (const Attachment& other : port.attachments) {
        if (&other == &attachment) break;
        if (other.vlan) ++index;
    }
    return "/vlans/" + std::to_string(index);
}

Error no_such_object(std::string_view kind, std::string_view name, std::string field, std::string allowed) {
    Error error;
    error.code = ErrorCode::not_found;
    error.message = "no " + std::string(kind) + " " + in_quotes(name);
    error.field = std::move(field);
    error.got = in_quotes(name);
    error.allowed = std::move(allowed);
    return error;
}

Error no_such_segment(std::string_view name, std::string field) {
    return no_such_object("segment", name, std::move(field), "the name of a segment");
}

std::string place_of(const StaticMac& entry) {
    return entry.tunnel.empty() ? "port " + in_quotes(entry.port) : "tunnel " + in_quotes(entry.tunnel);
}

Result<> Admission::add(const Segment& segment) {
    auto check = [&]() -> Result<> {
        if (auto ok = check_segment(segment); !ok) return ok;
        if (auto other = segment_by_vni_.find(segment.vni); other != segment_by_vni_.end()) {
            return refused("/vni", "is taken by segment " + in_quotes(other->second), std::to_string(segment.vni),
                           "a VNI that no other segment has");
        }
        if (mtu_of_segment_.size() >= kMaxSegments) return too_many("segments", kMaxSegments);
        return {};
    };
    if (auto ok = about(check(), "segment", segment.name); !ok) return ok;
    mtu_of_segment_.emplace(segment.name, segment.mtu);
    segment_by_vni_.emplace(segment.vni, segment.name);
    return {};
}

Result<> Admission::add(const Port& port) {
    auto check = [&]() -> Result<> {
        if (auto ok = check_port(port); !ok) return ok;
        if (auto other = port_by_device_.find(device_identity(port)); other != port_by_device_.end()) {
            constexpr std::string_view kFields[] = {"/devargs", "/ifname", "/path"};
            const std::string device = device_identity(port);
            return refused(std::string(kFields[port.device.index()]), "is taken by port " + in_quotes(other->second),
                           device.substr(device.find(' ') + 1), "a device that no other port has");
        }
        if (auto ok = check_attachments(port); !ok) return ok;
        if (auto ok = check_group_of(port); !ok) return ok;
        if (auto ok = check_macs(port); !ok) return ok;
        if (auto ok = check_security(port); !ok) return ok;
        return check_room(port.attachments.size());
    };
    if (auto ok = about(check(), "port", port.name); !ok) return ok;

    port_by_device_.emplace(device_identity(port), port.name);
    attachments_ += port.attachments.size();
    PortFacts& facts = ports_[port.name];
    facts.is_ethdev = std::holds_alternative<EthdevDevice>(port.device);
    facts.has_limits = port.limits.any();
    facts.mtu = port.mtu;
    for (const Attachment& attachment : port.attachments) {
        facts.segments.insert(attachment.segment);
        for (MacAddress mac : attachment.macs)
            place_by_mac_.emplace(MacKey{attachment.segment, mac}, "port " + in_quotes(port.name));
    }
    return {};
}

Result<> Admission::check_room(std::size_t attachments) const {
    if (ports_.size() + host_taps_ + segments_of_tunnel_.size() >= kMaxPorts)
        return too_many("ports and tunnels", kMaxPorts);
    if (attachments_ + attachments > kMaxAttachments) return too_many("attachments", kMaxAttachments);
    return {};
}

Result<> Admission::check_attachments(const Port& port) const {
    const Attachment* untagged = nullptr;
    std::set<std::uint16_t> vlans;
    std::set<std::string_view> segments;
    for (const Attachment& attachment : port.attachments) {
        auto at = [&](std::string_view field) { return attachment_pointer(port, attachment).append(field); };
        if (attachment.vlan) {
            if (auto ok = check_range(*attachment.vlan, kMinVlan, kMaxVlan, at("/vlan")); !ok) return ok;
            if (!vlans.insert(*attachment.vlan).second) {
                return refused(at("/vlan"), "is in the list twice", std::to_string(*attachment.vlan),
                               "each VLAN once in a port");
            }
        } else if (untagged != nullptr) {
            return refused("/segment", "is a second one for untagged frames", in_quotes(attachment.segment));
        } else {
            untagged = &attachment;
            if (attachment.keep_tag) return refused("/keep_tag", "is only for an entry of vlans", "true");
        }
        if (!mtu_of_segment_.contains(attachment.segment)) {
            return failure(no_such_segment(attachment.segment, at("/segment")));
        }
        if (!segments.insert(attachment.segment).second) {
            return refused(at("/segment"), "is attached to that port already", in_quotes(attachment.segment),
                           "each segment once in a port");
        }
    }
    if (untagged != nullptr && untagged->tagged == TaggedFrames::carry && !vlans.empty()) {
        return refused("/tagged", "is refused beside vlans: a carried tag could be taken for that of another segment",
                       "\"carry\"", "\"drop\" on a port with vlans");
    }
    return {};
}

Result<> Admission::check_macs(const Port& port) const {
    for (const Attachment& attachment : port.attachments) {
        std::set<MacAddress> seen;
        for (std::size_t i = 0; i < attachment.macs.size(); ++i) {
            const MacAddress mac = attachment.macs[i];
            auto field = [&] { return attachment_pointer(port, attachment) + "/macs/" + std::to_string(i); };
            if (auto ok = check_unicast(mac, {}); !ok) return check_unicast(mac, field());
            if (!seen.insert(mac).second)
                return refused(field(), "is in the list twice", mac.to_string(), "each MAC once");
            if (auto other = place_by_mac_.find({attachment.segment, mac}); other != place_by_mac_.end()) {
                return refused(field(), "is bound to " + other->second + " in that segment", mac.to_string(),
                               "each MAC once in a segment");
            }
        }
    }
    return {};
}

Result<> Admission::check_security(const Port& port) {
    for (const Attachment& attachment : port.attachments) {
        const std::string at = attachment_pointer(port, attachment);
        if (attachment.security != PortSecurity::off && attachment.macs.empty()) {
            return refused(at + "/security", "needs macs: what it would allow is nothing",
                           attachment.security == PortSecurity::mac ? "\"mac\"" : "\"strict\"", "\"off\" without macs");
        }
        if (attachment.ips.size() > kMaxAttachmentIps) {
            return refused(at + "/ips", "is too long", std::to_string(attachment.ips.size()) + " addresses",
                           "at most " + std::to_string(kMaxAttachmentIps));
        }
        std::set<IpPrefix> seen;
        for (std::size_t i = 0; i < attachment.ips.size(); ++i) {
            const IpPrefix& ip = attachment.ips[i];
            const std::string field = at + "/ips/" + std::to_string(i);
            if (!is_network(ip) && !ip.address.is_usable())
                return refused(field, "is no address that a station can have", ip.to_string(), "a unicast address");
            if (is_network(ip) && (ip.address.is_multicast() || ip.address.is_loopback()))
                return refused(field, "is no network of stations", ip.to_string(), "a unicast network");
            if (!seen.insert(ip).second)
                return refused(field, "is in the list twice", ip.to_string(), "each address once");
        }
    }
    return {};
}

Result<> Admission::check_place(const StaticMac& entry) const {
    if (entry.port.empty() == entry.tunnel.empty()) {
        return refused(entry.port.empty() ? "/port" : "/tunnel",
                       entry.port.empty() ? "is missing" : "stands beside port",
                       entry.port.empty() ? kNothing : in_quotes(entry.tunnel), "one of port and tunnel");
    }
    const bool is_port = entry.tunnel.empty();
    const std::string &kind = is_port ? kPort : kTunnel, &name = is_port ? entry.port : entry.tunnel;
    const std::set<std::string>* segments = nullptr;
    if (const auto port = ports_.find(name); is_port && port != ports_.end()) segments = &port->second.segments;
    if (const auto tunnel = segments_of_tunnel_.find(name); !is_port && tunnel != segments_of_tunnel_.end())
        segments = &tunnel->second;
    if (segments == nullptr)
        return failure(no_such_object(kind, name, "/" + kind, "the name of a " + kind + " of the segment"));
    if (segments->contains(entry.segment)) return {};
    return refused("/" + kind,
                   (is_port ? "is not attached to segment " : "does not carry segment ") + in_quotes(entry.segment),
                   in_quotes(name), "a " + kind + " of the segment");
}

Result<> Admission::check_ips(const StaticMac& entry) const {
    std::set<IpAddress> seen;
    for (std::size_t i = 0; i < entry.ips.size(); ++i) {
        const IpAddress& ip = entry.ips[i];
        const std::string field = "/ips/" + std::to_string(i);
        if (!ip.is_usable())
            return refused(field, "is no address that a station can have", ip.to_string(), "a unicast address");
        if (!seen.insert(ip).second) return refused(field, "is in the list twice", ip.to_string(), "each address once");
        if (auto other = mac_by_ip_.find({entry.segment, ip}); other != mac_by_ip_.end()) {
            return refused(field, "is the address of " + other->second.to_string() + " in that segment", ip.to_string(),
                           "each address once in a segment");
        }
    }
    return {};
}

Result<> Admission::add(const StaticMac& entry) {
    auto check = [&]() -> Result<> {
        if (auto ok = check_optional_name(entry.owner, "/owner"); !ok) return ok;
        if (auto ok = check_unicast(entry.mac, "/mac"); !ok) return ok;
        if (!mtu_of_segment_.contains(entry.segment)) return failure(no_such_segment(entry.segment, "/segment"));
        if (auto ok = check_place(entry); !ok) return ok;
        if (auto other = place_by_mac_.find({entry.segment, entry.mac}); other != place_by_mac_.end()) {
            return refused("/mac", "is bound to " + other->second + " in that segment", entry.mac.to_string(),
                           "each MAC once in a segment");
        }
        return check_ips(entry);
    };
    if (auto ok = about(check(), "fdb", fdb_name(entry)); !ok) return ok;
    place_by_mac_.emplace(MacKey{entry.segment, entry.mac}, place_of(entry));
    for (const IpAddress& ip : entry.ips) mac_by_ip_.emplace(std::pair(entry.segment, ip), entry.mac);
    return {};
}

}  // namespace bulkhead
