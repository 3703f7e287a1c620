// SPDX-License-Identifier: Apache-2.0
// connection.list, flush
#include <charconv>

#include "control/config/enum_names.h"
#include "control/config/object_json.h"
#include "control/config/object_reader.h"
#include "control/methods/authority.h"
#include "control/methods/context.h"
#include "control/methods/page.h"
#include "vswitch/model/checks.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

/// "10.1.0.0/24", or an address, which is a network of its own.
std::optional<IpPrefix> network_in(const std::string& text) {
    if (const auto address = IpAddress::parse(text))
        return IpPrefix{.address = *address, .length = static_cast<std::uint8_t>(address->is_v4() ? 32 : 128)};
    return IpPrefix::parse(text);
}

std::optional<ConnectionState> state_in(const json& value) {
    for (const auto& entry : config::kConnectionStates)
        if (value == entry.name) return entry.value;
    return std::nullopt;
}

std::string allowed_states() {
    std::string names;
    for (const auto& entry : config::kConnectionStates) names.append(names.empty() ? "" : ", ").append(entry.name);
    return names;
}

Result<ConnectionFilter> filter_of(const MethodContext& context, const rpc::Call& call) {
    const Model& model = context.engine.configured();
    const json& params = call.params;
    ConnectionFilter filter;
    if (params.contains("segment")) {
        filter.segment = params["segment"].get<std::string>();
        if (!model.segments.contains(*filter.segment)) return failure(no_such("segment", *filter.segment, "/segment"));
    }
    if (params.contains("port")) {
        filter.port = params["port"].get<std::string>();
        if (!model.ports.contains(*filter.port)) return failure(no_such("port", *filter.port, "/port"));
    }
    if (params.contains("address")) {
        filter.address = network_in(params["address"].get_ref<const std::string&>());
        if (!filter.address)
            return refused("/address", "is no IP address and no network", config::shown(params["address"]),
                           "like 10.1.0.10, 10.1.0.0/24 or fd00::/64");
    }
    if (params.contains("protocol")) {
        filter.protocol = config::protocol_in(params["protocol"]);
        if (!filter.protocol)
            return refused("/protocol", "is no IP protocol", config::shown(params["protocol"]),
                           config::allowed_protocols());
    }
    if (params.contains("state")) {
        filter.state = state_in(params["state"]);
        if (!filter.state)
            return refused("/state", "is no state of a connection", config::shown(params["state"]), allowed_states());
    }
    return filter;
}

/// Behind the last one of the page before.
Result<std::size_t> place_of(const Page& page) {
    if (!page.cursor()) return 0;
    const std::string& text = *page.cursor();
    std::size_t last = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), last);
    if (error != std::errc() || end != text.data() + text.size())
        return refused("/cursor", "is not a cursor of this list", in_quotes(text), "the cursor of the answer before");
    return last + 1;
}

bool is_query(const ConnectionInfo& connection) {
    return connection.protocol == (connection.source.is_v4() ? kProtocolIcmp : kProtocolIcmpv6);
}

bool has_ports(std::uint8_t protocol) {
    return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp;
}

json shown_connection(const ConnectionInfo& connection) {
    const auto if_any = [](bool is_there, std::uint16_t value) { return is_there ? json(value) : json(); };
    const auto text = [](const std::string& name) { return name.empty() ? json() : json(name); };
    return {{"segment", connection.segment},
            {"protocol", config::encode_protocol(connection.protocol)},
            {"source", connection.source.to_string()},
            {"destination", connection.destination.to_string()},
            {"source_port", if_any(has_ports(connection.protocol), connection.source_port)},
            {"destination_port", if_any(has_ports(connection.protocol), connection.destination_port)},
            {"icmp_id", if_any(is_query(connection), connection.source_port)},
            {"icmp_type", if_any(is_query(connection), connection.destination_port)},
            {"state", config::name_of(connection.state, config::kConnectionStates)},
            {"idle_s", connection.idle_s},
            {"expires_in_s", connection.expires_in_s},
            {"port", text(connection.opened_by.port)},
            {"tunnel", text(connection.opened_by.tunnel)},
            {"rule", text(connection.rule)}};
}

}  // namespace

Answer connection_list(MethodContext& context, const rpc::Call& call) {
    auto page = Page::from(call.params);
    if (!page) return failure(std::move(page.error()));
    const auto filter = filter_of(context, call);
    if (!filter) return failure(filter.error());
    const auto from = place_of(*page);
    if (!from) return failure(from.error());
    // One more than there is room for tells that there is more.
    const ConnectionReport report = context.engine.target().connections(*filter, *from, page->limit() + 1);
    for (const ConnectionInfo& connection : report.connections) {
        if (!page->has_room()) break;
        page->add(std::to_string(connection.place), shown_connection(connection));
    }
    json answer = std::move(*page).answer();
    answer["open"] = report.open;
    answer["capacity"] = report.capacity;
    return answer;
}

Answer connection_flush(MethodContext& context, const rpc::Call& call) {
    const auto filter = filter_of(context, call);
    if (!filter) return failure(filter.error());
    return json{{"removed", context.engine.target().flush_connections(*filter)}};
}

}  // namespace bulkhead::methods
