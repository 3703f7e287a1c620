// SPDX-License-Identifier: Apache-2.0
// fdb.list, add, remove, flush
#include "control/config/object_reader.h"
#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// The parameters segment, port and mac as filters: each refused when it names what is not there.
struct Filter {
    std::optional<std::string> segment, port;
    std::optional<MacAddress> mac;

    static Result<Filter> from(const MethodContext& context, const rpc::Call& call) {
        Filter filter;
        const Model& model = context.engine.configured();
        if (call.params.contains("segment")) {
            filter.segment = call.params["segment"].get<std::string>();
            if (!may_see_segment(call.caller, model, *filter.segment)) {
                return failure(no_such("segment", *filter.segment, "/segment"));
            }
        }
        if (call.params.contains("port")) {
            filter.port = call.params["port"].get<std::string>();
            if (!may_see_port(call.caller, model, *filter.port)) return failure(no_such("port", *filter.port, "/port"));
        }
        if (call.params.contains("mac")) {
            filter.mac = MacAddress::parse(call.params["mac"].get<std::string>());
            if (!filter.mac) {
                return failure(
                    refused("/mac", "is not a MAC address", config::shown(call.params["mac"]), "like 02:00:00:00:00:0a")
                        .error());
            }
        }
        return filter;
    }

    [[nodiscard]] bool takes(const MacEntry& entry) const {
        return (!port || entry.port == *port) && (!mac || entry.mac == *mac);
    }
};

json shown_entry(const MacEntry& entry, bool shows_port) {
    return {{"segment", entry.segment},
            {"mac", entry.mac.to_string()},
            {"port", shows_port ? json(entry.port) : json()},
            {"vlan", entry.vlan ? json(*entry.vlan) : json()},
            {"static", entry.is_static},
            {"age_s", entry.age_s}};
}

}  // namespace

Answer fdb_add(MethodContext& context, const rpc::Call& call) {
    auto entry = config::decode_fdb(call.params);
    if (!entry) return failure(std::move(entry.error()));
    const Model& model = context.engine.configured();
    if (!may_see_segment(call.caller, model, entry->segment))
        return failure(no_such("segment", entry->segment, "/segment"));
    if (!may_see_port(call.caller, model, entry->port)) return failure(no_such("port", entry->port, "/port"));
    const std::pair key(entry->segment, entry->mac);
    return add_object(context, call, model, &Model::static_macs, key, std::move(*entry));
}

Answer fdb_remove(MethodContext& context, const rpc::Call& call) {
    auto filter = Filter::from(context, call);
    if (!filter) return failure(std::move(filter.error()));
    Model candidate = context.engine.configured();
    const std::string name = *filter->segment + "/" + filter->mac->to_string();
    if (candidate.static_macs.erase({*filter->segment, *filter->mac}) == 0) {
        return failure(no_such("static entry", name, "/mac"));
    }
    return removed_object({ObjectKind::fdb, name}, call, change(context, call, std::move(candidate)));
}

Answer fdb_flush(MethodContext& context, const rpc::Call& call) {
    auto filter = Filter::from(context, call);
    if (!filter) return failure(std::move(filter.error()));
    SwitchTarget& target = context.engine.target();
    if (!is_tenant(call.caller) || filter->segment) {
        return json{{"removed", target.flush_macs(filter->segment, filter->port, filter->mac)}};
    }
    std::size_t removed = 0;
    for (const auto& [name, segment] : context.engine.configured().segments) {
        if (may_see(call.caller, segment)) removed += target.flush_macs(name, filter->port, filter->mac);
    }
    return json{{"removed", removed}};
}

Answer fdb_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    auto filter = Filter::from(context, call);
    if (!filter) return failure(std::move(filter.error()));
    const Model& model = context.engine.configured();
    for (const MacEntry& entry : context.engine.target().macs(filter->segment)) {
        if (!filter->takes(entry) || !may_see_segment(call.caller, model, entry.segment)) continue;
        // '/' is in no name, so that the order of the keys is that of (segment, MAC).
        const std::string key = entry.segment + "/" + entry.mac.to_string();
        // A tenant's address may be behind a port that it shares with others and does not see.
        if (page->wants(key)) page->add(key, shown_entry(entry, may_see_port(call.caller, model, entry.port)));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
