// SPDX-License-Identifier: Apache-2.0
#include "control/config/config_document.h"

#include <algorithm>
#include <charconv>

#include "control/config/object_json.h"
#include "control/config/object_reader.h"
#include "vswitch/model/checks.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

// One array of objects into one map of the model; `key_field` is where two of one key are noticed.
template <typename Map, typename Decode, typename KeyOf>
void decode_objects(ObjectReader& reader, std::string_view array, std::string_view key_field, Map& objects,
                    Decode decode, KeyOf key_of) {
    const json* entries = reader.value(array);
    if (entries == nullptr) return;
    for (std::size_t i = 0; i < entries->size(); ++i) {
        const std::string place = pointer_token(array) + "/" + std::to_string(i);
        auto object = decode((*entries)[i]);
        if (!object) return reader.refuse_inside(std::move(object.error()), place);
        auto key = key_of(*object);
        if (!objects.emplace(std::move(key), std::move(*object)).second) {
            return reader.refuse(refused(place + std::string(key_field), "is in the list twice",
                                         shown((*entries)[i].at(std::string(key_field.substr(1)))), "each once")
                                     .error());
        }
    }
}

template <typename Map>
json encode_objects(const Map& objects) {
    json result = json::array();
    for (const auto& [key, object] : objects) result.push_back(encode(object));
    return result;
}

struct ArrayOfKind {
    std::string_view kind, array;
};
constexpr ArrayOfKind kArrays[] = {{"segment", "segments"},   {"group", "groups"},   {"port", "ports"},
                                   {"underlay", "underlays"}, {"tunnel", "tunnels"}, {"fdb", "fdb"},
                                   {"policy", "policies"},    {"mirror", "mirrors"}};

std::string name_in(std::string_view kind, const json& object) {
    auto text = [&](const char* field) { return object.is_object() ? object.value(field, json()) : json(); };
    if (kind == "group" || kind == "policy") {
        if (!text("segment").is_string() || !text("name").is_string()) return {};
        return text("segment").get<std::string>() + "/" + text("name").get<std::string>();
    }
    if (kind != "fdb") return text("name").is_string() ? text("name").get<std::string>() : std::string();
    if (!text("segment").is_string() || !text("mac").is_string()) return {};
    auto mac = MacAddress::parse(text("mac").get<std::string>());
    return mac ? text("segment").get<std::string>() + "/" + mac->to_string() : std::string();
}

}  // namespace

Result<ConfigDocument> decode_document(const json& document, std::string_view owner) {
    ObjectReader reader(document, api::config_fields(), "the configuration");
    ConfigDocument result;
    reader.number("version", kVersion, kVersion);
    if (reader.has("node")) {
        auto node = decode_node(*reader.value("node"));
        if (node) {
            result.node = std::move(*node);
        } else {
            reader.refuse_inside(std::move(node.error()), "/node");
        }
    }
    decode_objects(
        reader, "segments", "/name", result.model.segments, [&](const json& j) { return decode_segment(j, owner); },
        [](const Segment& segment) { return segment.name; });
    decode_objects(
        reader, "groups", "/name", result.model.groups, [&](const json& j) { return decode_group(j, owner); },
        [](const Group& group) { return std::pair(group.segment, group.name); });
    decode_objects(
        reader, "ports", "/name", result.model.ports, [&](const json& j) { return decode_port(j, owner); },
        [](const Port& port) { return port.name; });
    decode_objects(
        reader, "underlays", "/name", result.model.underlays, [&](const json& j) { return decode_underlay(j, owner); },
        [](const Underlay& underlay) { return underlay.name; });
    decode_objects(
        reader, "tunnels", "/name", result.model.tunnels, [&](const json& j) { return decode_tunnel(j, owner); },
        [](const Tunnel& tunnel) { return tunnel.name; });
    decode_objects(
        reader, "fdb", "/mac", result.model.static_macs, [&](const json& j) { return decode_fdb(j, owner); },
        [](const StaticMac& entry) { return std::pair(entry.segment, entry.mac); });
    decode_objects(
        reader, "policies", "/name", result.model.policies, [&](const json& j) { return decode_policy(j, owner); },
        [](const Policy& policy) { return std::pair(policy.segment, policy.name); });
    decode_objects(
        reader, "mirrors", "/name", result.model.mirrors, [&](const json& j) { return decode_mirror(j, owner); },
        [](const Mirror& mirror) { return mirror.name; });
    return reader.finish(std::move(result));
}

json encode_document(const ConfigDocument& document) {
    const Model& model = document.model;
    json result = {{"version", kVersion},
                   {"segments", encode_objects(model.segments)},
                   {"groups", encode_objects(model.groups)},
                   {"ports", encode_objects(model.ports)},
                   {"underlays", encode_objects(model.underlays)},
                   {"tunnels", encode_objects(model.tunnels)},
                   {"fdb", encode_objects(model.static_macs)},
                   {"policies", encode_objects(model.policies)},
                   {"mirrors", encode_objects(model.mirrors)}};
    if (document.node) result["node"] = encode(*document.node);
    return result;
}

Error locate_vlan(Error error, const json& port) {
    constexpr std::string_view kPrefix = "/vlans/";
    if (!error.field.starts_with(kPrefix) || !port.contains("vlans")) return error;
    const std::string_view rest = std::string_view(error.field).substr(kPrefix.size());
    std::size_t sorted = 0;
    auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), sorted);
    const json& vlans = port["vlans"];
    if (code != std::errc() || sorted >= vlans.size()) return error;

    std::vector<std::size_t> places(vlans.size());
    for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
    std::ranges::stable_sort(places, {}, [&](std::size_t i) { return vlans[i].value("vlan", 0); });
    error.field = std::string(kPrefix) + std::to_string(places[sorted]) + std::string(end, rest.data() + rest.size());
    return error;
}

Error locate(Error error, const json& document) {
    for (const auto& [kind, array] : kArrays) {
        if (error.object_kind != kind || !document.contains(array)) continue;
        const json& entries = document[std::string(array)];
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (name_in(kind, entries[i]) != error.object_name) continue;
            error = locate_vlan(std::move(error), entries[i]);
            error.field.insert(0, pointer_token(array) + "/" + std::to_string(i));
            error.message.insert(0, error.object_kind + " " + in_quotes(error.object_name) + ": ");
            error.object_kind.clear();
            error.object_name.clear();
            return error;
        }
    }
    return error;
}

}  // namespace bulkhead::config
