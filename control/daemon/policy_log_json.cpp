// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/policy_log_json.h"

#include "control/config/enum_names.h"
#include "control/config/object_json.h"
#include "control/rpc/rfc3339.h"

namespace bulkhead::daemon {
namespace {

using nlohmann::json;

template <typename Value>
void add(json& fields, const char* name, const std::optional<Value>& value) {
    if (value) fields[name] = *value;
}

void add(json& fields, const LoggedFrame& frame) {
    fields["rule"] = frame.rule;
    fields["action"] = config::name_of(frame.action, config::kPolicyActions);
    if (frame.reason != DropReason::none) fields["reason"] = to_string(frame.reason);
    fields["length"] = frame.length;
    fields["source_mac"] = frame.source_mac.to_string();
    fields["destination_mac"] = frame.destination_mac.to_string();
    fields["ethertype"] = config::encode_ethertype(frame.ethertype);
    if (frame.source) fields["source"] = frame.source->to_string();
    if (frame.destination) fields["destination"] = frame.destination->to_string();
    if (frame.protocol) fields["protocol"] = config::encode_protocol(*frame.protocol);
    add(fields, "source_port", frame.source_port);
    add(fields, "destination_port", frame.destination_port);
    add(fields, "icmp_type", frame.icmp_type);
    add(fields, "icmp_code", frame.icmp_code);
    if (frame.tcp_flags) fields["tcp_flags"] = config::encode_tcp_flags(*frame.tcp_flags);
}

}  // namespace

json encode(const PolicyLogEntry& entry) {
    json fields = {{"time", rpc::rfc3339(entry.time)}, {"segment", entry.segment}, {"suppressed", entry.suppressed}};
    if (entry.place.tunnel.empty())
        fields["port"] = entry.place.port;
    else
        fields["tunnel"] = entry.place.tunnel;
    add(fields, "vlan", entry.place.vlan);
    if (entry.frame) add(fields, *entry.frame);
    return fields;
}

}  // namespace bulkhead::daemon
