// SPDX-License-Identifier: Apache-2.0
// add, set, remove, get and list of groups and rules, and who may.
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class PolicyMethods : public Desk {
  protected:
    PolicyMethods() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}, {"tenant", "acme"}});
        done("segment.add", {{"name", "red"}, {"vni", 2}});
        done("group.add", {{"segment", "blue"}, {"name", "web"}, {"id", 10}});
        json web = guest("web-0", "blue");
        web["group"] = "web";
        done("port.add", web);
        done("policy.add", rule("blue", "web-out", 100, {{"from", {{"groups", {"web"}}}}}));
    }
    static json rule(const std::string& segment, const std::string& name, int order,
                     const json& more = json::object()) {
        json object = {{"segment", segment}, {"name", name}, {"order", order}, {"action", "allow"}};
        object.update(more);
        return object;
    }
    static json named(const std::string& segment, const std::string& name) {
        return {{"segment", segment}, {"name", name}};
    }
    std::string names(const char* method, const json& params, const rpc::Caller& who) {
        std::string text;
        const auto answer = call(method, params, who);
        if (!answer) return answer.error().message;
        for (const json& item : answer->at("items"))
            text += item["segment"].get<std::string>() + "/" + item["name"].get<std::string>() + " ";
        return text;
    }
};

TEST_F(PolicyMethods, AddAnswersTheObjectAndTheSameAgainChangesNothing) {
    const json port80 = rule("blue", "new", 5, {{"protocol", 6}, {"dst_ports", {80}}});
    json answer = done("policy.add", port80);
    EXPECT_EQ(answer["changed"], true);
    EXPECT_EQ(answer["object"]["protocol"], "tcp");
    EXPECT_EQ(answer["object"]["dst_ports"], json({"80"}));
    EXPECT_EQ(answer["object"]["stateful"], true);
    EXPECT_FALSE(answer["object"].contains("state"));
    EXPECT_EQ(done("policy.add", answer["object"])["changed"], false);
    EXPECT_EQ(done("policy.add", port80)["changed"], false);
    EXPECT_EQ(done("group.add", {{"segment", "blue"}, {"name", "web"}, {"id", 10}})["changed"], false);
    EXPECT_EQ(world.target.model.policies.size(), 2U);

    const auto other = call("policy.add", rule("blue", "new", 6));
    expect_refusal(other, ErrorCode::exists, "/name");
    EXPECT_EQ(other.error().message, "policy \"blue/new\" exists with other content: dst_ports, order, protocol");
    EXPECT_EQ(done("policy.add", rule("red", "new", 6))["changed"], true) << "red's is another";
    EXPECT_EQ(audited.back(), "policy red/new: ok");
}

TEST_F(PolicyMethods, SetMergesThePatch) {
    json object =
        done("policy.set",
             {{"segment", "blue"}, {"name", "web-out"}, {"order", 7}, {"from", {{"ips", {"10.0.0.0/8"}}}}})["object"];
    EXPECT_EQ(object["order"], 7);
    EXPECT_EQ(object["from"]["groups"], json({"web"}));
    EXPECT_EQ(object["from"]["ips"], json({"10.0.0.0/8"}));
    object = done("policy.set",
                  {{"segment", "blue"}, {"name", "web-out"}, {"from", nullptr}, {"stateful", false}})["object"];
    EXPECT_EQ(object["from"]["groups"], json::array());
    EXPECT_EQ(object["stateful"], false);
    EXPECT_EQ(object["order"], 7);
    EXPECT_EQ(done("group.set", {{"segment", "blue"}, {"name", "web"}, {"id", 9}})["object"]["id"], 9);
    EXPECT_EQ(world.target.model.groups.at({"blue", "web"}).id, 9);
    EXPECT_EQ(done("port.set", {{"name", "web-0"}, {"group", nullptr}})["object"]["group"], "");
}

TEST_F(PolicyMethods, RefusalsPointIntoTheParameters) {
    expect_refusal(call("group.add", {{"segment", "none"}, {"name", "x"}, {"id", 1}}), ErrorCode::not_found,
                   "/segment");
    expect_refusal(call("group.add", {{"segment", "blue"}, {"name", "x"}, {"id", 10}}), ErrorCode::invalid_params,
                   "/id");
    expect_refusal(call("group.add", {{"segment", "blue"}, {"name", "x"}, {"id", 0}}), ErrorCode::invalid_params,
                   "/id");
    expect_refusal(call("group.add", {{"segment", "blue"}, {"name", "web"}, {"id", 11}}), ErrorCode::exists, "/name");
    expect_refusal(call("group.set", {{"segment", "blue"}, {"name", "db"}, {"id", 11}}), ErrorCode::not_found, "/name");
    expect_refusal(call("group.set", {{"segment", "none"}, {"name", "web"}}), ErrorCode::not_found, "/segment");
    expect_refusal(call("group.remove", named("blue", "web")), ErrorCode::in_use, "/name");
    expect_refusal(call("group.remove", named("red", "web")), ErrorCode::not_found, "/name");
    expect_refusal(call("policy.add", rule("none", "x", 1)), ErrorCode::not_found, "/segment");
    expect_refusal(call("policy.add", rule("red", "x", 1, {{"to", {{"groups", {"web"}}}}})), ErrorCode::not_found,
                   "/to/groups/0");
    expect_refusal(call("policy.add", rule("blue", "x", 1, {{"dst_ports", {"80"}}})), ErrorCode::invalid_params,
                   "/dst_ports");
    expect_refusal(call("policy.add", rule("red", "x", 1, {{"action", "redirect"}, {"to_port", "web-0"}})),
                   ErrorCode::invalid_params, "/to_port");
    expect_refusal(call("policy.set", {{"segment", "blue"}, {"name", "web-out"}, {"order", nullptr}}),
                   ErrorCode::invalid_params, "/order");
    expect_refusal(call("policy.set", {{"segment", "blue"}, {"name", "web-out"}, {"owner", "file"}}), ErrorCode::denied,
                   "/owner");
    expect_refusal(call("policy.get", named("blue", "x")), ErrorCode::not_found, "/name");
    expect_refusal(call("policy.remove", named("none", "x")), ErrorCode::not_found, "/segment");
    expect_refusal(call("policy.list", {{"segment", "none"}}), ErrorCode::not_found, "/segment");
    expect_refusal(call("port.set", {{"name", "web-0"}, {"group", "db"}}), ErrorCode::not_found, "/group");
    expect_refusal(call("port.set", {{"name", "web-0"}, {"segment", "red"}}), ErrorCode::not_found, "/group");
    expect_refusal(call("segment.remove", {{"name", "blue"}}), ErrorCode::in_use, "/name");
    EXPECT_EQ(world.engine.generation(), 5U);
}

TEST_F(PolicyMethods, APortThatARuleLeadsToStays) {
    done("policy.set", {{"segment", "blue"}, {"name", "web-out"}, {"action", "redirect"}, {"to_port", "web-0"}});
    const auto removed = call("port.remove", {{"name", "web-0"}});
    expect_refusal(removed, ErrorCode::in_use, "/name");
    EXPECT_EQ(removed.error().message, "port \"web-0\" is in use by policy \"blue/web-out\"");
    expect_refusal(call("port.move", {{"name", "web-0"}, {"segment", "red"}}), ErrorCode::in_use, "/segment");
    done("policy.remove", named("blue", "web-out"));
    done("port.remove", {{"name", "web-0"}});
    done("group.remove", named("blue", "web"));
}

TEST_F(PolicyMethods, AMovedPortIsOfNoGroup) {
    done("group.add", {{"segment", "red"}, {"name", "web"}, {"id", 1}});
    done("port.move", {{"name", "web-0"}, {"segment", "blue"}});
    EXPECT_EQ(world.target.model.ports.at("web-0").attachments[0].group, "web") << "it has not moved";
    done("port.move", {{"name", "web-0"}, {"segment", "red"}});
    EXPECT_EQ(world.target.model.ports.at("web-0").attachments[0].group, "");
}

TEST_F(PolicyMethods, RemoveByForceTakesGroupsAndRulesAlong) {
    done("segment.remove", {{"name", "blue"}, {"force", true}});
    EXPECT_TRUE(world.target.model.groups.empty());
    EXPECT_TRUE(world.target.model.policies.empty());
    EXPECT_TRUE(world.target.model.ports.at("web-0").attachments.empty());
}

TEST_F(PolicyMethods, StateStandsBesideTheConfiguration) {
    world.target.hits[{"blue", "web-out"}] = {.packets = 3, .bytes = 180};
    json object = done("policy.get", named("blue", "web-out"));
    EXPECT_EQ(object["state"], json::parse(R"({"status": "active", "reason": null, "packets": 3, "bytes": 180})"));
    EXPECT_EQ(done("policy.list", json::object())["items"][0], object);
    object.erase("state");
    EXPECT_EQ(done("policy.add", object)["changed"], false);

    done("group.add", {{"segment", "blue"}, {"name", "db"}, {"id", 11}});
    json trunk = guest("fw-0", "red");
    trunk["vlans"] = json::parse(R"([{"vlan": 7, "segment": "blue", "group": "web"}])");
    done("port.add", trunk);
    EXPECT_EQ(done("group.get", named("blue", "web"))["state"]["members"],
              json::parse(R"([{"port": "fw-0", "vlan": 7}, {"port": "web-0", "vlan": null}])"));
    EXPECT_EQ(done("group.get", named("blue", "db"))["state"]["members"], json::array());
    EXPECT_EQ(done("group.list", json::object())["items"][1], done("group.get", named("blue", "web")));
}

TEST_F(PolicyMethods, RulesAreListedAsTheyAreAsked) {
    // "-" sorts before "/", and 90 before 100 only as a number: a cursor compared as text must not lose one.
    done("segment.add", {{"name", "blue-2"}, {"vni", 3}});
    for (const char* name : {"z", "a"}) done("policy.add", rule("blue", name, 90));
    done("policy.add", rule("blue-2", "x", 1'000'000));
    done("policy.add", rule("blue-2", "y", 0));
    const std::string all = "blue/a blue/z blue/web-out blue-2/y blue-2/x ";
    EXPECT_EQ(names("policy.list", json::object(), admin), all);
    std::string paged;
    json params = {{"limit", 1}};
    for (int page = 0; page < 5; ++page) {
        paged += names("policy.list", params, admin);
        params["cursor"] = done("policy.list", params)["cursor"];
    }
    EXPECT_EQ(paged, all);
    EXPECT_EQ(params["cursor"], nullptr);
    EXPECT_EQ(names("policy.list", {{"segment", "blue-2"}}, admin), "blue-2/y blue-2/x ");
    EXPECT_EQ(names("policy.list", {{"owner", "me"}}, admin), "");
}

TEST_F(PolicyMethods, ConfigGetRoundTripsAndApplyIsIdempotent) {
    done("segment.set", {{"name", "blue"}, {"default_policy", "deny"}});
    json got = done("config.get", {{"owner", ""}});
    EXPECT_EQ(got["segments"][0]["default_policy"], "deny");
    EXPECT_EQ(got["policies"].size(), 1U);
    EXPECT_TRUE(done("config.apply", {{"config", got}})["changes"].empty());
    got["policies"].push_back(rule("blue", "bad", 1, {{"to", {{"groups", {"web", "none"}}}}}));
    expect_refusal(call("config.apply", {{"config", got}}), ErrorCode::not_found, "/config/policies/1/to/groups/1");
    got["policies"][1]["to"]["groups"] = {"web"};
    EXPECT_EQ(done("config.apply", {{"config", got}})["changes"],
              json::parse(R"([{"op": "add", "kind": "policy", "name": "blue/bad"}])"));
    got["ports"][0]["group"] = "none";
    expect_refusal(call("config.apply", {{"config", got}}), ErrorCode::not_found, "/config/ports/0/group");
    got["ports"][0]["group"] = "";
    got["groups"] = json::array();
    expect_refusal(call("config.apply", {{"config", got}}), ErrorCode::in_use, "");
    got["policies"] = json::array();
    EXPECT_EQ(done("config.apply", {{"config", got}})["changes"].size(), 4U);
    EXPECT_TRUE(world.target.model.groups.empty());
}

TEST_F(PolicyMethods, TenantsHaveThoseOfTheirSegments) {
    done("group.add", {{"segment", "red"}, {"name", "secret"}, {"id", 1}});
    done("policy.add", rule("red", "secret", 1));
    EXPECT_EQ(names("group.list", json::object(), acme), "blue/web ");
    EXPECT_EQ(names("policy.list", json::object(), acme), "blue/web-out ");
    for (const char* method : {"group.get", "group.set", "group.remove", "policy.get", "policy.set", "policy.remove"}) {
        expect_refusal(call(method, named("red", "secret"), acme), ErrorCode::not_found, "/segment");
        expect_refusal(call(method, named("red", "absent"), acme), ErrorCode::not_found, "/segment");
    }
    expect_refusal(call("group.add", {{"segment", "red"}, {"name", "secret"}, {"id", 1}}, acme), ErrorCode::not_found,
                   "/segment");
    expect_refusal(call("policy.add", rule("red", "secret", 1), acme), ErrorCode::not_found, "/segment");
    expect_refusal(call("policy.list", {{"segment", "red"}}, acme), ErrorCode::not_found, "/segment");
    const auto own = call("policy.add", rule("blue", "mine", 1), acme);
    ASSERT_TRUE(own);
    EXPECT_EQ((*own)["object"]["owner"], "acme");
    EXPECT_TRUE(call("group.add", {{"segment", "blue"}, {"name", "mine"}, {"id", 1}}, acme));
    EXPECT_TRUE(call("policy.remove", named("blue", "mine"), acme));
}

TEST_F(PolicyMethods, TenantsSeeNoRuleThatLeadsToAPortOfOthers) {
    json tap = guest("wiretap", "red");
    tap["vlans"] = json::parse(R"([{"vlan": 7, "segment": "blue", "group": "web"}])");
    done("port.add", tap);
    done("policy.add", rule("blue", "watched", 1, {{"action", "redirect"}, {"to_port", "wiretap"}}));
    EXPECT_EQ(names("policy.list", json::object(), acme), "blue/web-out ");
    expect_refusal(call("policy.get", named("blue", "watched"), acme), ErrorCode::not_found, "/name");
    expect_refusal(call("policy.remove", named("blue", "watched"), acme), ErrorCode::not_found, "/name");
    const json out = {{"segment", "blue"}, {"name", "web-out"}, {"action", "redirect"}, {"to_port", "wiretap"}};
    expect_refusal(call("policy.set", out, acme), ErrorCode::not_found, "/to_port");
    EXPECT_EQ(call("group.get", named("blue", "web"), acme)->at("state").at("members"),
              json::parse(R"([{"port": "web-0", "vlan": null}])"));
    json absent = out;
    absent["to_port"] = "absent";
    EXPECT_EQ(call("policy.set", absent, acme).error().message, "no port \"absent\"");
    EXPECT_EQ(call("policy.set", out, acme).error().message, "no port \"wiretap\"");
}

TEST_F(Desk, TheFilesRulesDoNotChangeAtRunTime) {
    using namespace testing_support;
    ASSERT_TRUE(world.engine.start(
        model_of(segment("blue", 1, "file"), group("blue", "web", 1, "file"), policy("blue", "all", 1, "file")), {}));
    expect_refusal(call("group.set", {{"segment", "blue"}, {"name", "web"}, {"id", 2}}), ErrorCode::denied, "/name");
    expect_refusal(call("group.remove", {{"segment", "blue"}, {"name", "web"}}), ErrorCode::denied, "/name");
    expect_refusal(call("policy.set", {{"segment", "blue"}, {"name", "all"}, {"stateful", false}}), ErrorCode::denied,
                   "/name");
    expect_refusal(call("policy.remove", {{"segment", "blue"}, {"name", "all"}}), ErrorCode::denied, "/name");
    const json own = {{"segment", "blue"}, {"name", "x"}, {"order", 1}, {"action", "deny"}, {"owner", "file"}};
    expect_refusal(call("policy.add", own), ErrorCode::denied, "/owner");
}

}  // namespace
}  // namespace bulkhead::methods
