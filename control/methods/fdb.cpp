// SPDX-License-Identifier: Apache-2.0
// fdb.list, add, remove, flush
#include "control/config/object_reader.h"
#include "control/methods/objects.h"
#include "control/methods/page.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// The parameters segment, port and mac as a filter: each refused when it names what is not there. A tenant's is of its
/// own segments.
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

json shown_entry(const MacEntry& entry, bool shows_port) {
    return {{"segment", entry.segment},
            {"mac", entry.mac.to_string()},
            {"port", shows_port ? json(entry.port) : json()},
            {"vlan", entry.vlan ? json(*entry.vlan) : json()},
            {"static", entry.is_static},
            {"age_s", entry.age_s},
            {"ips", json::array()}};
}

}  // namespace

Answer fdb_add(MethodContext& context, const rpc::Call& call) {
    auto entry = config::decode_fdb(call.params, owner_of_new(call.caller));
    if (!entry) return failure(std::move(entry.error()));
    const Model& model = context.engine.configured();
    if (!may_see_segment(call.caller, model, entry->segment))
        return failure(no_such("segment", entry->segment, "/segment"));
    if (!may_see_port(call.caller, model, entry->port)) return failure(no_such("port", entry->port, "/port"));
    const std::pair key(entry->segment, entry->mac);
    return add_object(context, call, model, &Model::static_macs, key, std::move(*entry));
}

Answer fdb_remove(MethodContext& context, const rpc::Call& call) {
    auto filter = filter_of(context, call);
    if (!filter) return failure(std::move(filter.error()));
    Model candidate = context.engine.configured();
    const auto segment = call.params["segment"].get<std::string>();
    const std::string name = segment + "/" + filter->mac->to_string();
    if (candidate.static_macs.erase({segment, *filter->mac}) == 0) {
        return failure(no_such("static entry", name, "/mac"));
    }
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
        // A tenant's address may be behind a port that it shares with others and does not see.
        const bool shows_port = may_see_port(call.caller, context.engine.configured(), entry.port);
        page->add(entry.segment + "/" + entry.mac.to_string(), shown_entry(entry, shows_port));
    }
    return std::move(*page).answer();
}

}  // namespace bulkhead::methods
