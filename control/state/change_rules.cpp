// SPDX-License-Identifier: Apache-2.0
#include "control/state/change_rules.h"

#include <set>

#include "control/config/merge.h"
#include "control/config/object_json.h"
#include "vswitch/model/admission.h"
#include "vswitch/model/checks.h"

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
    }  // of an fdb entry, what can't be changed is its name
    if (!result) {
        result.error().object_kind = to_string(change.object.kind);
        result.error().object_name = name;
    }
    return result;
}

/// A MAC that fdb.add placed is refused to a port's `macs` here, where the port is what was asked for; the model would
/// only say that the entry no longer fits.
Result<> check_macs(const Port& port, const Model& after) {
    for (const Attachment& attachment : port.attachments) {
        for (std::size_t i = 0; i < attachment.macs.size(); ++i) {
            const auto entry = after.static_macs.find({attachment.segment, attachment.macs[i]});
            if (entry == after.static_macs.end()) continue;
            auto refusal = refused(attachment_pointer(port, attachment) + "/macs/" + std::to_string(i),
                                   "is a static entry of port " + in_quotes(entry->second.port) + " in that segment",
                                   attachment.macs[i].to_string(), "a MAC that fdb.add has not placed");
            refusal.error().object_kind = "port";
            refusal.error().object_name = port.name;
            return refusal;
        }
    }
    return {};
}

}  // namespace

Result<> check_change(const Model& before, const Model& after, const std::vector<Change>& changes) {
    std::set<std::string, std::less<>> gone_segments, gone_ports, changed_ports;
    for (const Change& change : changes) {
        if (change.op == ChangeOp::set) {
            if (auto ok = check_immutable(before, after, change); !ok) return ok;
            if (change.object.kind == ObjectKind::port) changed_ports.insert(change.object.name);
        }
        if (change.op != ChangeOp::remove && change.object.kind == ObjectKind::port) {
            if (auto ok = check_macs(after.ports.at(change.object.name), after); !ok) return ok;
        }
        if (change.op != ChangeOp::remove) continue;
        if (change.object.kind == ObjectKind::segment) gone_segments.insert(change.object.name);
        if (change.object.kind == ObjectKind::port) gone_ports.insert(change.object.name);
    }
    for (const auto& [name, port] : after.ports) {
        for (const Attachment& attachment : port.attachments) {
            if (!gone_segments.contains(attachment.segment)) continue;
            return in_use(ObjectKind::segment, attachment.segment, "port " + in_quotes(name) + whose(port.owner));
        }
    }
    for (const auto& [key, entry] : after.static_macs) {
        const std::string by = "fdb entry " + in_quotes(key_of(entry).name) + whose(entry.owner);
        if (gone_segments.contains(entry.segment)) return in_use(ObjectKind::segment, entry.segment, by);
        if (gone_ports.contains(entry.port)) return in_use(ObjectKind::port, entry.port, by);
        if (!changed_ports.contains(entry.port)) continue;
        // The port stays, but leaves the segment for which it has the entry.
        auto attached = [&](const Model& model) {
            auto port = model.ports.find(entry.port);
            return port != model.ports.end() && std::ranges::any_of(port->second.attachments, [&](const Attachment& a) {
                       return a.segment == entry.segment;
                   });
        };
        if (attached(before) && !attached(after) && before.static_macs.contains(key)) {
            return in_use(ObjectKind::port, entry.port, by);
        }
    }
    return {};
}

}  // namespace bulkhead
