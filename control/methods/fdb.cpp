// SPDX-License-Identifier: Apache-2.0
// fdb.list, add, remove, flush
#include "control/config/object_reader.h"
#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// The parameters segment, port, tunnel and mac as a filter: each refused when it names what is not there. A tenant's
/// is of its own segments.
Result<MacFilter> filter_of(const MethodContext& context, const rpc::Call& call) {
    MacFilter filter;
    const Model& model = context.engine.configured();
    if (call.params.contains("segment")) {
        const auto segment = call.params["segment"].get<std::string>();
        if (!may_see_segment(call.caller, model, segment)) return failure(no_such("segment", segment, "/segment"));
        filter.segments = {segment};
    } else if (is_tenant(call.caller)) {
        filter.segments.emplace();
        for (const auto& [name, segment] : model.segments)
            if (may_see(call.caller, segment)) filter.segments->insert(name);
    }
    if (call.params.contains("port")) {
        filter.port = call.params["port"].get<std::string>();
        if (!may_see_port(call.caller, model, *filter.port)) return failure(no_such("port", *filter.port, "/port"));
    }
    if (call.params.contains("tunnel")) {
        filter.tunnel = call.params["tunnel"].get<std::string>();
        if (!may_see_tunnel(call.caller, model, *filter.tunnel))
            return failure(no_such("tunnel", *filter.tunnel, "/tunnel"));
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

/// Where the page before this one ended.
Result<MacRange> range_of(const Page& page) {
    MacRange range{.after = {}, .limit = page.limit() + 1};
    if (!page.cursor()) return range;
    const std::size_t slash = page.cursor()->find('/');
    const auto mac = slash == std::string::npos ? std::nullopt : MacAddress::parse(page.cursor()->substr(slash + 1));
    if (!mac) {
        return failure(refused("/cursor", "is not a cursor of this list", in_quotes(*page.cursor()),
                               "the cursor of the answer before")
                           .error());
    }
    range.after = {page.cursor()->substr(0, slash), *mac};
    return range;
}

/// Those of the configured entry; what is learned has none.
json ips_of(const Model& model, const MacEntry& entry) {
    json ips = json::array();
    const auto configured = model.static_macs.find({entry.segment, entry.mac});
    if (!entry.is_static || configured == model.static_macs.end()) return ips;
    for (const IpAddress& ip : configured->second.ips) ips.push_back(ip.to_string());
    return ips;
}

/// A tenant's address may be behind a port that it shares with others and does not see, or behind a tunnel.
json shown_entry(const rpc::Caller& caller, const Model& model, const MacEntry& entry) {
    return {{"segment", entry.segment},
            {"mac", entry.mac.to_string()},
            {"port", may_see_port(caller, model, entry.port) ? json(entry.port) : json()},
            {"tunnel", may_see_tunnel(caller, model, entry.tunnel) ? json(entry.tunnel) : json()},
            {"vlan", entry.vlan ? json(*entry.vlan) : json()},
            {"static", entry.is_static},
            {"age_s", entry.age_s},
            {"ips", ips_of(model, entry)}};
}

}  // namespace

Answer fdb_add(MethodContext& context, const rpc::Call& call) {
    auto entry = config::decode_fdb(call.params, owner_of_new(call.caller));
    if (!entry) return failure(std::move(entry.error()));
    const Model& model = context.engine.configured();
    if (!may_see_segment(call.caller, model, entry->segment))
        return failure(no_such("segment", entry->segment, "/segment"));
    const bool is_port = entry->tunnel.empty();
    if (is_port && !may_see_port(call.caller, model, entry->port))
        return failure(no_such("port", entry->port, "/port"));
    if (!is_port && !may_see_tunnel(call.caller, model, entry->tunnel))
        return failure(no_such("tunnel", entry->tunnel, "/tunnel"));
    const std::pair key(entry->segment, entry->mac);
    return add_object(context, call, model, &Model::static_macs, key, std::move(*entry));
}

Answer fdb_remove(MethodContext& context, const rpc::Call& call) {
    auto filter = filter_of(context, call);
    if (!filter) return failure(std::move(filter.error()));
    Model candidate = context.engine.configured();
    const auto segment = call.params["segment"].get<std::string>();
    const std::string name = segment + "/" + filter->mac->to_string();
    const auto entry = candidate.static_macs.find({segment, *filter->mac});
    const bool is_hidden =
        entry != candidate.static_macs.end() && is_tenant(call.caller) && !entry->second.tunnel.empty();
    if (entry == candidate.static_macs.end() || is_hidden) return failure(no_such("static entry", name, "/mac"));
    candidate.static_macs.erase(entry);
    return removed_object({ObjectKind::fdb, name}, call, change(context, call, std::move(candidate)));
}

Answer fdb_flush(MethodContext& context, const rpc::Call& call) {
    auto filter = filter_of(context, call);
    if (!filter) return failure(std::move(filter.error()));
    return json{{"removed", context.engine.target().flush_macs(*filter)}};
}

Answer fdb_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    auto filter = filter_of(context, call);
    if (!filter) return failure(std::move(filter.error()));
    auto range = range_of(*page);
    if (!range) return failure(std::move(range.error()));
    for (const MacEntry& entry : context.engine.target().macs(*filter, *range)) {
        if (!page->has_room()) break;
        page->add(entry.segment + "/" + entry.mac.to_string(),
                  shown_entry(call.caller, context.engine.configured(), entry));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
