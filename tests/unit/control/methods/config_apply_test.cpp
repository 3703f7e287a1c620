// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class ConfigApply : public Desk {
  protected:
    ConfigApply() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}});
        done("port.add", [] {
            json port = guest("cni-0", "blue");
            port["owner"] = "cni";
            return port;
        }());
    }
    static json config() {
        return json::parse(R"({"version": 1, "segments": [{"name": "blue", "vni": 1}, {"name": "red", "vni": 2}],
            "ports": [{"name": "web", "type": "vhost-user", "path": "/run/bulkhead/vhost/web", "segment": "blue"},
                      {"name": "fw", "type": "vhost-user", "path": "/run/bulkhead/vhost/fw",
                       "vlans": [{"vlan": 20, "segment": "blue"}, {"vlan": 10, "segment": "red"}]}],
            "fdb": [{"segment": "red", "mac": "02:00:00:00:00:0a", "port": "fw"}]})");
    }
    struct Spoilt {
        const char* pointer;
        json value;
        const char* field;
        ErrorCode code = ErrorCode::invalid_params;
    };
};

TEST_F(ConfigApply, SpeaksForOneOwnerAndIsIdempotent) {
    json answer = done("config.apply", {{"config", config()}});
    EXPECT_EQ(answer["generation"], 3);
    EXPECT_EQ(answer["dry_run"], false);
    EXPECT_EQ(answer["changes"][0], json::parse(R"({"op": "add", "kind": "segment", "name": "red"})"));
    EXPECT_EQ(answer["changes"].size(), 4U);
    EXPECT_TRUE(world.engine.configured().ports.contains("cni-0"));
    answer = done("config.apply", {{"config", config()}});
    EXPECT_EQ(answer["generation"], 3);
    EXPECT_TRUE(answer["changes"].empty());
}

TEST_F(ConfigApply, TakesBackWhatConfigGetGave) {
    done("config.apply", {{"config", config()}});
    json got = done("config.get", {{"owner", ""}});
    EXPECT_TRUE(got.contains("node"));
    EXPECT_TRUE(done("config.apply", {{"config", got}})["changes"].empty());
    got = done("config.get", {{"owner", "cni"}});
    EXPECT_EQ(got["ports"].size(), 1U);
    EXPECT_TRUE(done("config.apply", {{"config", got}, {"owner", "cni"}})["changes"].empty());
    EXPECT_EQ(done("config.get", json::object())["ports"].size(), 3U);
}

TEST_F(ConfigApply, RefusalsPointIntoTheRequest) {
    const Spoilt spoilt[] = {
        {"/version", 2, "/config/version"},
        {"/segmnts", json::array(), "/config/segmnts"},
        {"/node", {{"memory_mib", 1024}}, "/config/node/memory_mib"},
        {"/node", {{"idle", {{"mode", "busy"}}}}, "/config/node/idle"},
        {"/node", {{"memory_mib", 1}}, "/config/node/memory_mib"},
        {"/segments/1/vni", 1, "/config/segments/1/vni"},
        {"/segments/0/vni", 9, "/config/segments/0/vni"},
        {"/segments/1/name", "blue", "/config/segments/1/name"},
        {"/segments/1/owner", "cni", "/config/segments/1/owner"},
        {"/segments/1/owner", "file", "/config/segments/1/owner"},
        {"/ports/0/segment", "green", "/config/ports/0/segment", ErrorCode::not_found},
        {"/ports/0/name", "cni-0", "/config/ports/0/name", ErrorCode::exists},
        {"/ports/0/path", "/run/bulkhead/vhost/cni-0", "/config/ports/0/path"},
        {"/ports/0/type", "bridge", "/config/ports/0/type"},
        {"/ports/0/workers", {0, 2}, "/config/ports/0/workers/1"},
        {"/ports/1/vlans/0/segment", "green", "/config/ports/1/vlans/0/segment", ErrorCode::not_found},
        {"/ports/1/vlans/1/vlan", 20, "/config/ports/1/vlans/1/vlan"},
        {"/ports/1/vlans/1/vlan", 0, "/config/ports/1/vlans/1/vlan"},
        {"/fdb/0/port", "web", "/config/fdb/0/port"},
        {"/fdb/0/mac", "ff:ff:ff:ff:ff:ff", "/config/fdb/0/mac"},
        {"/tunnels", {{{"name", "t"}}}, "/config/tunnels/0/type"},
        {"/mirrors", {{{"name", "m"}}}, "/config/mirrors/0/to"},
        {"/mirrors",
         {{{"name", "m"}, {"to", "nobody"}, {"segment", "blue"}}},
         "/config/mirrors/0/to",
         ErrorCode::not_found},
        {"/segments", json::array(), ""},
    };
    for (const Spoilt& bad : spoilt) {
        SCOPED_TRACE(bad.pointer + std::string(" ") + bad.value.dump());
        json wanted = config();
        wanted[json::json_pointer(bad.pointer)] = bad.value;
        auto answer = call("config.apply", {{"config", wanted}});
        if (*bad.field == '\0') {
            ASSERT_FALSE(answer);
            EXPECT_EQ(answer.error().message, "segment \"blue\" is in use by port \"cni-0\" of owner \"cni\"");
            continue;
        }
        expect_refusal(answer, bad.code, bad.field);
        EXPECT_TRUE(answer.error().object_kind.empty());
    }
    EXPECT_EQ(world.engine.generation(), 2U);
}

TEST_F(ConfigApply, NamesTheFieldOfTheNodeThatDiffers) {
    node.cores = "3,5";
    const json wanted = {{"version", 1}, {"node", {{"memory_mib", 1024}}}};
    auto answer = call("config.apply", {{"config", wanted}});
    expect_refusal(answer, ErrorCode::invalid_params, "/config/node/memory_mib");
    EXPECT_EQ(answer.error().got, "1024");
    EXPECT_TRUE(answer.error().allowed.starts_with("512 ")) << answer.error().allowed;
    answer = call("config.apply", {{"config", {{"version", 1}, {"node", json::object()}}}});
    expect_refusal(answer, ErrorCode::invalid_params, "/config/node/cores");
    EXPECT_EQ(answer.error().got, R"("1")") << "left out is its default";
}

TEST_F(ConfigApply, RefusesBadParameters) {
    expect_refusal(call("config.apply", {{"config", config()}, {"owner", "file"}}), ErrorCode::denied, "/owner");
    expect_refusal(call("config.apply", {{"config", config()}, {"owner", "a b"}}), ErrorCode::invalid_params, "/owner");
    expect_refusal(call("config.apply", {{"config", config()}, {"expect_generation", 1}}), ErrorCode::conflict,
                   "/expect_generation");
    expect_refusal(call("config.apply", {{"config", config()}, {"expect_generation", -1}}), ErrorCode::invalid_params,
                   "/expect_generation");
    expect_refusal(call("config.apply", {{"config", config()}, {"confirm_within_s", 0}}), ErrorCode::invalid_params,
                   "/confirm_within_s");
    expect_refusal(call("config.confirm", json::object()), ErrorCode::not_found, "");
}

TEST_F(ConfigApply, WaitsForItsConfirmation) {
    const json params = {{"config", config()}, {"confirm_within_s", 10}};
    EXPECT_EQ(done("config.apply", params)["generation"], 3);
    expect_refusal(call("segment.add", {{"name", "x"}, {"vni", 99}}), ErrorCode::not_ready, "");
    EXPECT_EQ(done("config.apply", params)["changes"].size(), 0U) << "a client that lost its reply asks again";
    EXPECT_EQ(done("config.confirm", json::object())["generation"], 3);
    done("segment.add", {{"name", "x"}, {"vni", 99}});
}

TEST_F(ConfigApply, TheAuditNamesWhoseAndWhat) {
    audited.clear();
    json many = {{"version", 1}, {"segments", json::array()}};
    for (int vni = 50; vni < 57; ++vni) many["segments"].push_back({{"name", "s" + std::to_string(vni)}, {"vni", vni}});
    done("config.apply", {{"config", many}, {"owner", "tool"}});
    done("config.apply", {{"config", {{"version", 1}}}, {"owner", "nobody"}});
    ASSERT_EQ(audited.size(), 2U);
    EXPECT_EQ(audited[0],
              "config of tool: add segment s50, add segment s51, add segment s52, add segment s53, "
              "add segment s54 and 2 more: ok");
    EXPECT_EQ(audited[1], "config of nobody: nothing: ok");
}

TEST_F(ConfigApply, DryRunChangesAndAuditsNothing) {
    audited.clear();
    const json answer = done("config.apply", {{"config", config()}, {"dry_run", true}});
    EXPECT_EQ(answer["dry_run"], true);
    EXPECT_EQ(answer["changes"].size(), 4U);
    EXPECT_EQ(world.engine.generation(), 2U);
    EXPECT_TRUE(audited.empty());
}

}  // namespace
}  // namespace bulkhead::methods
