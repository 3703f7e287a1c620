// SPDX-License-Identifier: Apache-2.0
#include "control/api/openrpc.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "control/api/methods.h"

namespace bulkhead::api {
namespace {

using nlohmann::json;

const json& named(const json& array, std::string_view name) {
    return *std::ranges::find_if(array, [&](const json& entry) { return entry.at("name") == name; });
}

TEST(OpenRpc, HasEveryMethodOfTheTable) {
    const json document = open_rpc_document();
    EXPECT_EQ(document.at("openrpc"), "1.2.6");
    ASSERT_EQ(document.at("methods").size(), method_table().size());
    for (std::size_t at = 0; at < method_table().size(); ++at)
        EXPECT_EQ(document.at("methods")[at].at("name"), method_table()[at].name);
}

TEST(OpenRpc, DescribesParametersWithSchemas) {
    const json document = open_rpc_document();
    const json& add = named(document.at("methods"), "segment.add");
    const json& vni = named(add.at("params"), "vni");
    EXPECT_EQ(vni.at("required"), true);
    EXPECT_EQ(vni.at("schema").at("type"), "integer");
    EXPECT_EQ(named(add.at("params"), "mtu").at("schema").at("default"), 1500);
    EXPECT_EQ(named(add.at("params"), "encryption").at("x-built-in"), false);
    EXPECT_EQ(add.at("x-role"), json({"admin", "operator", "tenant"}));
    EXPECT_EQ(add.at("x-built-in"), true);
    EXPECT_EQ(named(document.at("methods"), "capture.get").at("x-built-in"), false);
    EXPECT_EQ(named(document.at("methods"), "rpc.discover").at("x-role"), json({"any"}));
}

TEST(OpenRpc, ArraysSayWhatTheyHold) {
    const json document = open_rpc_document();
    const json& add = named(document.at("methods"), "port.add");
    EXPECT_EQ(named(add.at("params"), "macs").at("schema").at("items").at("type"), "string");
    EXPECT_EQ(named(add.at("params"), "workers").at("schema").at("items").at("type"), "integer");
    EXPECT_EQ(named(add.at("params"), "vlans").at("schema").at("items").at("$ref"), "#/components/schemas/Attachment");
    const json& underlay = named(document.at("methods"), "underlay.add");
    EXPECT_EQ(named(underlay.at("params"), "neighbors").at("schema").at("items").at("$ref"),
              "#/components/schemas/Neighbor");
}

TEST(OpenRpc, SetAcceptsNull) {
    const json document = open_rpc_document();
    const json& set = named(document.at("methods"), "port.set");
    EXPECT_EQ(named(set.at("params"), "mtu").at("schema").at("anyOf")[1].at("type"), "null");
    EXPECT_EQ(named(set.at("params"), "name").at("schema").at("type"), "string");
}

TEST(OpenRpc, ErrorsAreListed) {
    const json document = open_rpc_document();
    const auto& errors = document.at("methods")[0].at("errors");
    EXPECT_TRUE(std::ranges::any_of(errors, [](const json& error) { return error.at("code") == -32008; }));
}

/// Every "$ref" of the document must lead somewhere.
void expect_references_resolve(const json& document, const json& node) {
    if (node.is_object() && node.contains("$ref")) {
        const auto target = node.at("$ref").get<std::string>();
        ASSERT_TRUE(target.starts_with('#'));
        EXPECT_TRUE(document.contains(json::json_pointer(target.substr(1)))) << target;
    }
    if (node.is_structured())
        for (const json& child : node) expect_references_resolve(document, child);
}

TEST(OpenRpc, ReferencesResolve) {
    const json document = open_rpc_document();
    expect_references_resolve(document, document);
    EXPECT_EQ(document.at("/components/schemas/Configuration/properties/segments/items/$ref"_json_pointer),
              "#/components/schemas/Segment");
    EXPECT_EQ(document.at("/components/schemas/Segment/required"_json_pointer), json({"name", "vni"}));
}

}  // namespace
}  // namespace bulkhead::api
