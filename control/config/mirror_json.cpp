// SPDX-License-Identifier: Apache-2.0
#include "control/config/object_json.h"
#include "control/config/object_reader.h"

namespace bulkhead::config {

using nlohmann::json;

Result<Mirror> decode_mirror(const json& object, std::string_view owner) {
    ObjectReader reader(object, api::mirror_fields(), "a mirror");
    Mirror mirror;
    mirror.name = reader.text("name");
    mirror.owner = reader.has("owner") ? reader.text("owner") : std::string(owner);
    mirror.port = reader.text("port");
    mirror.segment = reader.text("segment");
    mirror.policy = reader.text("policy");
    mirror.to = reader.text("to");
    if (const auto vni = reader.optional_number("vni", 1, kMaxVni)) mirror.vni = static_cast<std::uint32_t>(*vni);
    mirror.direction = reader.choice("direction", kMirrorDirections);
    if (const auto snaplen = reader.optional_number("snaplen", kMinSnaplen, kMaxSnaplen))
        mirror.snaplen = static_cast<std::uint32_t>(*snaplen);
    return reader.finish(std::move(mirror));
}

json encode(const Mirror& mirror) {
    json object = {{"name", mirror.name},
                   {"owner", mirror.owner},
                   {"to", mirror.to},
                   {"direction", name_of(mirror.direction, kMirrorDirections)}};
    if (!mirror.port.empty()) object["port"] = mirror.port;
    if (!mirror.segment.empty()) object["segment"] = mirror.segment;
    if (!mirror.policy.empty()) object["policy"] = mirror.policy;
    if (mirror.vni) object["vni"] = *mirror.vni;
    if (mirror.snaplen) object["snaplen"] = *mirror.snaplen;
    return object;
}

}  // namespace bulkhead::config
