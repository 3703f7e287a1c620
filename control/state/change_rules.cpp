// SPDX-License-Identifier: Apache-2.0
#include "control/state/change_rules.h"

#include <algorithm>
#include <optional>
#include <set>

#include "control/config/merge.h"
#include "control/config/object_json.h"
#include "vswitch/model/admission.h"
#include "vswitch/model/checks.h"
#include "vswitch/model/host_tap.h"
#include "vswitch/model/next_hop.h"

namespace bulkhead {
namespace {

std::string whose(const std::string& owner) {
    return owner.empty() ? std::string() : " of owner " + in_quotes(owner);
}

std::unexpected<Error> in_use(ObjectKind kind, const std::string& name, std::string by) {
    Error error;
    error.code = ErrorCode::in_use;
    error.message = std::string(to_string(kind)) + " " + in_quotes(name) + " is in use by " + by;
    error.got = std::move(by);
    error.allowed = "nothing that hangs on it";
    error.object_kind = to_string(kind);
    error.object_name = name;
    return failure(std::move(error));
}

Result<> check_immutable(const Model& before, const Model& after, const Change& change) {
    const std::string& name = change.object.name;
    Result<> result;
    if (change.object.kind == ObjectKind::segment) {
        result = config::check_immutable(api::segment_fields(), "segment", config::encode(before.segments.at(name)),
                                         config::encode(after.segments.at(name)));
    } else if (change.object.kind == ObjectKind::port) {
        result = config::check_immutable(api::port_fields(), "port", config::encode(before.ports.at(name)),
                                         config::encode(after.ports.at(name)));
    } else if (change.object.kind == ObjectKind::underlay) {
        result = config::check_immutable(api::underlay_fields(), "underlay", config::encode(before.underlays.at(name)),
                                         config::encode(after.underlays.at(name)));
    } else if (change.object.kind == ObjectKind::tunnel) {
        result = config::check_immutable(api::tunnel_fields(), "tunnel", config::encode(before.tunnels.at(name)),
                                         config::encode(after.tunnels.at(name)));
    }  // of fdb entries, groups, policies and mirrors, what can't be changed is their name
    return about(std::move(result), to_string(change.object.kind), name);
}

/// A MAC that fdb.add placed is refused to a port's `macs` here, where the port is what was asked for; the model would
/// only say that the entry no longer fits.
Result<> check_macs(const Port& port, const Model& after) {
    for (const Attachment& attachment : port.attachments) {
        for (std::size_t i = 0; i < attachment.macs.size(); ++i) {
            const auto entry = after.static_macs.find({attachment.segment, attachment.macs[i]});
            if (entry == after.static_macs.end()) continue;
            auto refusal = refused(attachment_pointer(port, attachment) + "/macs/" + std::to_string(i),
                                   "is a static entry of " + place_of(entry->second) + " in that segment",
                                   attachment.macs[i].to_string(), "a MAC that fdb.add has not placed");
            return about(std::move(refusal), "port", port.name);
        }
    }
    return {};
}

/// Segments for a port that an underlay has are refused here for the same reason.
Result<> check_no_underlay(const Port& port, const Model& before, const Model& after) {
    const auto was = before.ports.find(port.name);
    const bool gets_segments =
        was != before.ports.end() && was->second.attachments.empty() && !port.attachments.empty();
    if (!gets_segments) return {};
    const Attachment& attachment = port.attachments.front();
    for (const auto& [name, underlay] : after.underlays) {
        if (underlay.port != port.name || !before.underlays.contains(name)) continue;
        return about(refused(attachment_pointer(port, attachment) + "/segment",
                             "is refused: the port is that of underlay " + in_quotes(name),
                             in_quotes(attachment.segment), "no segment on an underlay's port"),
                     "port", port.name);
    }
    return {};
}

/// Nor limits.
Result<> check_no_limits(const Port& port, const Model& before, const Model& after) {
    if (!port.limits.any()) return {};
    for (const auto& [name, underlay] : after.underlays) {
        if (underlay.port != port.name || !before.underlays.contains(name)) continue;
        return about(refused("/limits", "are refused: the port is that of underlay " + in_quotes(name), {},
                             "no limits on an underlay's port"),
                     "port", port.name);
    }
    return {};
}

/// Nor an interface that is an underlay's host TAP.
Result<> check_no_host_tap(const Port& port, const Model& before, const Model& after) {
    for (const auto& [name, underlay] : after.underlays) {
        const auto host = host_port(underlay);
        if (!host || !before.underlays.contains(name) || device_identity(*host) != device_identity(port)) continue;
        return about(refused("/ifname", "is the host TAP of underlay " + in_quotes(name), in_quotes(underlay.host_tap),
                             "an interface that no underlay has"),
                     "port", port.name);
    }
    return {};
}

/// The underlay MTU that a tunnel's segment needs; nothing where something of it is not there.
std::optional<std::uint32_t> needed_mtu(const Model& model, const Tunnel& tunnel, const std::string& segment) {
    const auto found = model.segments.find(segment);
    if (found == model.segments.end() || !model.underlays.contains(tunnel.underlay)) return std::nullopt;
    return std::uint32_t{found->second.mtu} + tunnel_overhead(tunnel);
}

bool fits(const Model& model, const Tunnel& tunnel, const std::string& segment) {
    const auto needed = needed_mtu(model, tunnel, segment);
    return needed && *needed <= model.underlays.at(tunnel.underlay).mtu;
}

bool may_outgrow(const ObjectKey& changed, const Model& before, const Model& after) {
    if (changed.kind == ObjectKind::segment)
        return after.segments.at(changed.name).mtu > before.segments.at(changed.name).mtu;
    return changed.kind == ObjectKind::underlay &&
           after.underlays.at(changed.name).mtu < before.underlays.at(changed.name).mtu;
}

/// An MTU that no longer fits is refused here for the same reason: where it is changed, not at the tunnel that stays.
Result<> check_mtu(const ObjectKey& changed, const Model& before, const Model& after) {
    if (!may_outgrow(changed, before, after)) return {};
    for (const auto& [name, tunnel] : after.tunnels) {
        const auto was = before.tunnels.find(name);
        if (was == before.tunnels.end() || !(was->second == tunnel)) continue;
        for (const std::string& segment : tunnel.segments) {
            if (changed != ObjectKey{ObjectKind::segment, segment} &&
                changed != ObjectKey{ObjectKind::underlay, tunnel.underlay})
                continue;
            const auto needed = needed_mtu(after, tunnel, segment);
            if (!needed || fits(after, tunnel, segment) || !fits(before, tunnel, segment)) continue;
            const bool is_segment = changed.kind == ObjectKind::segment;
            const std::uint16_t available = after.underlays.at(tunnel.underlay).mtu;
            const std::uint16_t got = is_segment ? after.segments.at(segment).mtu : available;
            return about(refused("/mtu",
                                 "does not fit: tunnel " + in_quotes(name) + " needs " + std::to_string(*needed) +
                                     " for segment " + in_quotes(segment) + " and has " + std::to_string(available),
                                 std::to_string(got),
                                 is_segment ? "at most " + std::to_string(available - tunnel_overhead(tunnel))
                                            : "at least " + std::to_string(*needed)),
                         to_string(changed.kind), changed.name);
        }
    }
    return {};
}

bool is_attached(const Model& model, const StaticMac& entry) {
    if (const auto tunnel = model.tunnels.find(entry.tunnel); tunnel != model.tunnels.end())
        return std::ranges::find(tunnel->second.segments, entry.segment) != tunnel->second.segments.end();
    const auto port = model.ports.find(entry.port);
    return port != model.ports.end() && std::ranges::find(port->second.attachments, entry.segment,
                                                          &Attachment::segment) != port->second.attachments.end();
}

bool is_attached(const Model& model, const Policy& policy) {
    const auto port = model.ports.find(policy.to_port);
    return port != model.ports.end() && std::ranges::find(port->second.attachments, policy.segment,
                                                          &Attachment::segment) != port->second.attachments.end();
}

/// Whose traffic a mirror copies, and to whom.
std::set<std::string> tenants_of(const Model& model, const Mirror& mirror) {
    std::set<std::string> tenants;
    const auto add_segment = [&](const std::string& name) {
        const auto segment = model.segments.find(name);
        if (segment != model.segments.end() && !segment->second.tenant.empty()) tenants.insert(segment->second.tenant);
    };
    const auto add_port = [&](const std::string& name) {
        const auto port = model.ports.find(name);
        if (port == model.ports.end()) return;
        for (const Attachment& attachment : port->second.attachments) add_segment(attachment.segment);
    };
    if (!mirror.segment.empty()) add_segment(mirror.segment);
    if (!mirror.port.empty()) add_port(mirror.port);
    if (!mirror.vni) add_port(mirror.to);
    return tenants;
}

/// What is taken away must have nothing that hangs on it.
class Leaving {
  public:
    Leaving(const Model& before, const Model& after, const std::vector<Change>& changes)
        : before_(before), after_(after) {
        for (const Change& change : changes) {
            if (change.op == ChangeOp::remove) gone_.insert(change.object);
            if (change.op == ChangeOp::set) changed_.insert(change.object);
            if (change.op == ChangeOp::remove && change.object.kind == ObjectKind::group) has_gone_groups_ = true;
        }
    }

    Result<> check() const {
        if (gone_.empty() && changed_.empty()) return {};
        for (const auto& [name, port] : after_.ports) {
            for (const Attachment& attachment : port.attachments) {
                if (auto ok = check(port, {ObjectKind::segment, attachment.segment}); !ok) return ok;
                if (auto ok = check_group(port, attachment.segment, attachment.group); !ok) return ok;
            }
        }
        for (const auto& [name, underlay] : after_.underlays)
            if (auto ok = check(underlay, {ObjectKind::port, underlay.port}); !ok) return ok;
        for (const auto& [name, tunnel] : after_.tunnels) {
            if (auto ok = check(tunnel, {ObjectKind::underlay, tunnel.underlay}); !ok) return ok;
            for (const std::string& segment : tunnel.segments)
                if (auto ok = check(tunnel, {ObjectKind::segment, segment}); !ok) return ok;
        }
        for (const auto& [key, entry] : after_.static_macs) {
            if (auto ok = check(entry, {ObjectKind::segment, entry.segment}); !ok) return ok;
            const ObjectKey place = entry.tunnel.empty() ? ObjectKey{ObjectKind::port, entry.port}
                                                         : ObjectKey{ObjectKind::tunnel, entry.tunnel};
            if (auto ok = check(entry, place); !ok) return ok;
            // The place stays, but leaves the segment for which it has the entry.
            if (changed_.contains(place) && before_.static_macs.contains(key) && is_attached(before_, entry) &&
                !is_attached(after_, entry)) {
                return in_use(place.kind, place.name, user(entry));
            }
        }
        if (auto ok = check_policy(); !ok) return ok;
        return check_mirrors();
    }

  private:
    Result<> check_policy() const {
        for (const auto& [key, group] : after_.groups)
            if (auto ok = check(group, {ObjectKind::segment, group.segment}); !ok) return ok;
        for (const auto& [key, policy] : after_.policies) {
            if (auto ok = check(policy, {ObjectKind::segment, policy.segment}); !ok) return ok;
            for (const PolicyEnd* end : {&policy.from, &policy.to})
                for (const std::string& group : end->groups)
                    if (auto ok = check_group(policy, policy.segment, group); !ok) return ok;
            if (policy.to_port.empty()) continue;
            const ObjectKey port{ObjectKind::port, policy.to_port};
            if (auto ok = check(policy, port); !ok) return ok;
            // It stays, but leaves the segment of the rule.
            if (changed_.contains(port) && before_.policies.contains(key) && is_attached(before_, policy) &&
                !is_attached(after_, policy)) {
                return in_use(port.kind, port.name, user(policy));
            }
        }
        return {};
    }

    Result<> check_mirrors() const {
        for (const auto& [name, mirror] : after_.mirrors) {
            const ObjectKey to{mirror.vni ? ObjectKind::tunnel : ObjectKind::port, mirror.to};
            if (auto ok = check(mirror, to); !ok) return ok;
            if (auto ok = check(mirror, {ObjectKind::port, mirror.port}); !ok) return ok;
            if (auto ok = check(mirror, {ObjectKind::segment, mirror.segment}); !ok) return ok;
            if (auto ok = check(mirror, {ObjectKind::policy, mirror.segment + "/" + mirror.policy}); !ok) return ok;
            if (auto ok = check_tenants(mirror); !ok) return ok;
        }
        return {};
    }

    /// What a mirror names must not come to another tenant behind the mirror's back, which would copy his traffic to
    /// the former one, or that one's to him.
    Result<> check_tenants(const Mirror& mirror) const {
        const auto was = before_.mirrors.find(mirror.name);
        if (changed_.empty() || was == before_.mirrors.end() || !(was->second == mirror)) return {};
        const std::set<std::string> before = tenants_of(before_, mirror), after = tenants_of(after_, mirror);
        if (before.empty() || std::ranges::includes(before, after)) return {};
        const auto refusal = [&](const ObjectKey& key, const char* field) -> Result<> {
            auto error = in_use(key.kind, key.name, user(mirror));
            error.error().field = field;
            return error;
        };
        for (const ObjectKey& key : {ObjectKey{ObjectKind::port, mirror.port}, ObjectKey{ObjectKind::port, mirror.to}})
            if (changed_.contains(key)) return refusal(key, "/segment");
        for (const ObjectKey& key : changed_)
            if (key.kind == ObjectKind::segment) return refusal(key, "/tenant");
        return {};
    }

    template <typename Object>
    Result<> check_group(const Object& object, const std::string& segment, const std::string& name) const {
        if (!has_gone_groups_ || name.empty()) return {};
        return check(object, {ObjectKind::group, segment + "/" + name});
    }
    template <typename Object>
    static std::string user(const Object& object) {
        const ObjectKey key = key_of(object);
        const std::string kind(key.kind == ObjectKind::fdb ? "fdb entry" : to_string(key.kind));
        return kind + " " + in_quotes(key.name) + whose(object.owner);
    }
    template <typename Object>
    Result<> check(const Object& object, const ObjectKey& used) const {
        if (gone_.empty() || !gone_.contains(used)) return {};
        return in_use(used.kind, used.name, user(object));
    }

    const Model& before_;
    const Model& after_;
    std::set<ObjectKey> gone_, changed_;
    bool has_gone_groups_ = false;
};

}  // namespace

Result<> check_change(const Model& before, const Model& after, const std::vector<Change>& changes) {
    for (const Change& change : changes) {
        if (change.op == ChangeOp::set) {
            if (auto ok = check_immutable(before, after, change); !ok) return ok;
            if (auto ok = check_mtu(change.object, before, after); !ok) return ok;
        }
        if (change.op != ChangeOp::remove && change.object.kind == ObjectKind::port) {
            const Port& port = after.ports.at(change.object.name);
            if (auto ok = check_macs(port, after); !ok) return ok;
            if (auto ok = check_no_underlay(port, before, after); !ok) return ok;
            if (auto ok = check_no_limits(port, before, after); !ok) return ok;
            if (auto ok = check_no_host_tap(port, before, after); !ok) return ok;
        }
    }
    return Leaving(before, after, changes).check();
}

}  // namespace bulkhead
