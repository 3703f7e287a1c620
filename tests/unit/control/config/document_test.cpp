// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "control/config/config_document.h"
#include "vswitch/model/validate.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

struct BadDocument {
    const char* text;
    const char* field;
    ErrorCode code = ErrorCode::invalid_params;
};

constexpr BadDocument kBadDocuments[] = {
    {R"([])", ""},
    {R"({})", "/version"},
    {R"({"version": 2})", "/version"},
    {R"({"version": 1, "segment": []})", "/segment"},
    {R"({"version": 1, "segments": {}})", "/segments"},
    {R"({"version": 1, "segments": [1]})", "/segments/0"},
    {R"({"version": 1, "node": {"memory_mib": 1}})", "/node/memory_mib"},
    {R"({"version": 1, "segments": [{"name": "a", "vni": 1}, {"name": "a", "vni": 2}]})", "/segments/1/name"},
    {R"({"version": 1, "ports": [{"name": "a", "type": "tap", "ifname": "a"}, {"name": "b", "type": "tap", "ifname": "b"},
         {"name": "a", "type": "tap", "ifname": "c"}]})",
     "/ports/2/name"},
    {R"({"version": 1, "ports": [{"name": "a", "type": "tap", "ifname": "a", "vlans": [{"vlan": 1, "segment": 2}]}]})",
     "/ports/0/vlans/0/segment"},
    {R"({"version": 1, "fdb": [{"segment": "a", "mac": "02:00:00:00:00:0A", "port": "p"},
                              {"segment": "a", "mac": "02:00:00:00:00:0a", "port": "q"}]})",
     "/fdb/1/mac"},
    {R"({"version": 1, "tunnels": [{"name": "t"}]})", "/tunnels/0/type"},
    {R"({"version": 1, "underlays": [{"name": "u", "port": "p", "addresses": ["x"]}]})", "/underlays/0/addresses/0"},
    {R"({"version": 1, "underlays": [{"name": "u", "port": "p", "addresses": []},
                                     {"name": "u", "port": "q", "addresses": []}]})",
     "/underlays/1/name"},
    {R"({"version": 1, "groups": [{"segment": "a", "name": "web", "id": 1}, {"segment": "b", "name": "web", "id": 1},
                                  {"segment": "a", "name": "web", "id": 2}]})",
     "/groups/2/name"},
    {R"({"version": 1, "policies": [{"segment": "a", "name": "p", "order": 1, "action": "allow", "from": {"ip": []}}]})",
     "/policies/0/from/ip"},
    {R"({"version": 1, "policies": [{"segment": "a", "name": "p", "order": 1, "action": "allow"},
                                    {"segment": "a", "name": "p", "order": 2, "action": "deny"}]})",
     "/policies/1/name"},
    {R"({"version": 1, "mirrors": [{}]})", "/mirrors/0/name"},
    {R"({"version": 1, "mirrors": [{"name": "m", "to": "p"}, {"name": "m", "to": "q"}]})", "/mirrors/1/name"},
    {R"({"version": 1, "node": {"metrics": {"listen": "x"}}})", "/node/metrics", ErrorCode::not_built_in},
};

TEST(Document, RefusesBadOnes) {
    for (const BadDocument& bad : kBadDocuments) {
        SCOPED_TRACE(bad.text);
        auto result = decode_document(json::parse(bad.text));
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, bad.code) << result.error().message;
        EXPECT_EQ(result.error().field, bad.field) << result.error().message;
    }
}

TEST(Document, TakesTheDefaultOfWhatIsNotBuiltIn) {
    EXPECT_TRUE(decode_document(json::parse(R"({"version": 1, "node": {"metrics": {}}})")));
}

TEST(Document, LocatesAnObjectsErrorInItsArrays) {
    const json document = json::parse(R"({"version": 1,
        "segments": [{"name": "red", "vni": 2}, {"name": "blue", "vni": 1}],
        "ports": [{"name": "q", "type": "tap", "ifname": "q"},
                  {"name": "p", "type": "tap", "ifname": "p",
                   "vlans": [{"vlan": 20, "segment": "red"}, {"vlan": 30, "segment": "green"}, {"vlan": 10, "segment": "blue"}]}]})");
    auto decoded = decode_document(document);
    ASSERT_TRUE(decoded) << decoded.error().message;
    auto valid = validate(decoded->model);
    ASSERT_FALSE(valid);
    EXPECT_EQ(valid.error().field, "/vlans/2/segment");  // sorted by VLAN
    const Error located = locate(valid.error(), document);
    EXPECT_EQ(located.field, "/ports/1/vlans/1/segment");  // as the request had it
    EXPECT_EQ(located.message, "port \"p\": no segment \"green\"");
    EXPECT_TRUE(located.object_kind.empty());
}

TEST(Document, LocatesTunnelsAndUnderlays) {
    const json document = json::parse(R"({"version": 1, "segments": [{"name": "blue", "vni": 1}],
        "ports": [{"name": "n", "type": "ethdev", "devargs": "net_null0"}],
        "underlays": [{"name": "u0", "port": "n", "addresses": ["192.0.2.1/24"]}],
        "tunnels": [{"name": "a", "type": "vxlan", "underlay": "u0", "remote": "192.0.2.2"},
                    {"name": "b", "type": "vxlan", "underlay": "u0", "remote": "192.0.2.3", "segments": ["blue"]}]})");
    auto valid = validate(decode_document(document)->model);
    ASSERT_FALSE(valid);
    EXPECT_EQ(locate(valid.error(), document).field, "/tunnels/1/segments/0");
    json moved = document;
    moved["underlays"][0]["port"] = "m";
    EXPECT_EQ(locate(validate(decode_document(moved)->model).error(), moved).field, "/underlays/0/port");
}

TEST(Document, LocatesEntriesWhateverTheCaseOfTheirMac) {
    const json document =
        json::parse(R"({"version": 1, "fdb": [{"segment": "a", "mac": "02:00:00:00:00:0A", "port": "p"}]})");
    auto valid = validate(decode_document(document)->model);
    EXPECT_EQ(locate(valid.error(), document).field, "/fdb/0/segment");
}

TEST(Document, LeavesErrorsAboutOthersAsTheyAre) {
    Error error{.code = ErrorCode::in_use,
                .message = "m",
                .field = "/segment",
                .got = {},
                .allowed = {},
                .object_kind = "port",
                .object_name = "elsewhere"};
    EXPECT_EQ(locate(error, json::parse(R"({"version": 1, "ports": []})")).object_name, "elsewhere");
}

}  // namespace
}  // namespace bulkhead::config
