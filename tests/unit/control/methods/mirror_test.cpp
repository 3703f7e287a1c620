// SPDX-License-Identifier: Apache-2.0
// add, set, remove, get and list of mirrors, and who may.
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class MirrorMethods : public Desk {
  protected:
    MirrorMethods() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}, {"tenant", "acme"}});
        done("segment.add", {{"name", "red"}, {"vni", 2}});
        for (const char* name : {"web-0", "ids-0"}) done("port.add", guest(name, "blue"));
        done("port.add", guest("far-0", "red"));
        done("mirror.add", {{"name", "ids"}, {"segment", "blue"}, {"to", "ids-0"}});
    }
    std::string names(const json& params, const rpc::Caller& who) {
        std::string text;
        const auto answer = call("mirror.list", params, who);
        if (!answer) return answer.error().message;
        for (const json& item : answer->at("items")) text += item["name"].get<std::string>() + " ";
        return text;
    }
};

TEST_F(MirrorMethods, AddAnswersTheObjectAndTheSameAgainChangesNothing) {
    const json wanted = {{"name", "new"}, {"port", "web-0"}, {"to", "far-0"}, {"snaplen", 128}};
    const json answer = done("mirror.add", wanted);
    EXPECT_EQ(answer["changed"], true);
    json whole = wanted;
    whole.update({{"owner", ""}, {"direction", "both"}});
    EXPECT_EQ(answer["object"], whole) << "and no field of another source";
    EXPECT_EQ(done("mirror.add", wanted)["changed"], false);
    EXPECT_EQ(done("mirror.add", whole)["changed"], false);
    expect_refusal(call("mirror.add", {{"name", "new"}, {"port", "web-0"}, {"to", "ids-0"}}), ErrorCode::exists,
                   "/name");
    EXPECT_EQ(audited[audited.size() - 2], "mirror new: ok");
    EXPECT_EQ(done("config.get", json::object())["mirrors"].size(), 2U);
}

TEST_F(MirrorMethods, SetMergesThePatch) {
    done("mirror.set", {{"name", "ids"}, {"segment", nullptr}, {"port", "web-0"}, {"direction", "in"}});
    EXPECT_EQ(world.target.model.mirrors.at("ids").port, "web-0");
    EXPECT_EQ(world.target.model.mirrors.at("ids").segment, "");
    expect_refusal(call("mirror.set", {{"name", "ids"}, {"segment", "blue"}}), ErrorCode::invalid_params, "/segment");
    expect_refusal(call("mirror.set", {{"name", "none"}}), ErrorCode::not_found, "/name");
}

TEST_F(MirrorMethods, GetTellsWhatWasCopiedAndWhatWasNot) {
    MirrorStats stats{.packets = 3, .bytes = 180};
    stats.lost[static_cast<std::size_t>(CopyLoss::busy)] = 2;
    world.target.copied[{"", "ids"}] = stats;
    const json state = done("mirror.get", {{"name", "ids"}})["state"];
    EXPECT_EQ(state["packets"], 3);
    EXPECT_EQ(state["bytes"], 180);
    EXPECT_EQ(state["drops"],
              json({{"mirror_full", 0}, {"no_buffer", 0}, {"busy", 2}, {"unreachable", 0}, {"unfinished", 0}}));
    EXPECT_EQ(state["status"], "active");
    done("policy.add",
         {{"segment", "blue"}, {"name", "copy"}, {"order", 1}, {"action", "mirror"}, {"to_port", "ids-0"}});
    world.target.copied[{"blue", "copy"}] = stats;
    EXPECT_EQ(done("policy.get", {{"segment", "blue"}, {"name", "copy"}})["state"]["packets"], 3);
}

TEST_F(MirrorMethods, WhatAMirrorNamesIsInUse) {
    done("policy.add", {{"segment", "blue"}, {"name", "allow"}, {"order", 1}, {"action", "allow"}});
    done("mirror.add", {{"name", "rule"}, {"segment", "blue"}, {"policy", "allow"}, {"to", "ids-0"}});
    const auto port = call("port.remove", {{"name", "ids-0"}});
    expect_refusal(port, ErrorCode::in_use, "/name");
    EXPECT_EQ(port.error().message, "port \"ids-0\" is in use by mirror \"ids\"");
    expect_refusal(call("policy.remove", {{"segment", "blue"}, {"name", "allow"}}), ErrorCode::in_use, "/name");
    expect_refusal(call("segment.remove", {{"name", "blue"}}), ErrorCode::in_use, "/name");
    done("mirror.add", {{"name", "port"}, {"port", "web-0"}, {"to", "far-0"}});
    done("segment.remove", {{"name", "blue"}, {"force", true}});
    EXPECT_EQ(names(json::object(), admin), "port ") << "a port's mirror stays with the port";
    done("mirror.remove", {{"name", "port"}});
    done("port.remove", {{"name", "web-0"}});
}

TEST_F(MirrorMethods, ATenantHasBothEndsOfItsMirrors) {
    done("mirror.add", {{"name", "away"}, {"port", "web-0"}, {"to", "far-0"}});
    const auto add = [&](const json& more) {
        json wanted = {{"name", "new"}};
        wanted.update(more);
        return call("mirror.add", wanted, acme);
    };
    expect_refusal(add({{"port", "far-0"}, {"to", "ids-0"}}), ErrorCode::not_found, "/port");
    expect_refusal(add({{"segment", "red"}, {"to", "ids-0"}}), ErrorCode::not_found, "/segment");
    expect_refusal(add({{"port", "web-0"}, {"to", "far-0"}}), ErrorCode::not_found, "/to");
    expect_refusal(add({{"port", "web-0"}, {"to", "edge"}, {"vni", 9}}), ErrorCode::denied, "/vni");
    EXPECT_TRUE(add({{"port", "web-0"}, {"to", "ids-0"}}));
    EXPECT_EQ(names(json::object(), acme), "ids new ");
    EXPECT_EQ(names(json::object(), oper), "away ids new ");
    EXPECT_EQ(names({{"port", "web-0"}}, oper), "away new ");
    EXPECT_EQ(names({{"segment", "blue"}}, oper), "ids ");
    EXPECT_EQ(names({{"owner", "acme"}}, oper), "new ");
    expect_refusal(call("mirror.get", {{"name", "away"}}, acme), ErrorCode::not_found, "/name");
    expect_refusal(call("mirror.set", {{"name", "new"}, {"to", "far-0"}}, acme), ErrorCode::not_found, "/to");
    const auto hidden = call("port.remove", {{"name", "web-0"}}, acme);
    expect_refusal(hidden, ErrorCode::in_use, "/name");
    EXPECT_EQ(hidden.error().message.find("away"), std::string::npos) << hidden.error().message;
}

TEST_F(MirrorMethods, NobodysTrafficComesToAnotherTenantUnasked) {
    done("segment.add", {{"name", "theirs"}, {"vni", 3}, {"tenant", "zeta"}});
    expect_refusal(call("port.set", {{"name", "ids-0"}, {"segment", "theirs"}}), ErrorCode::in_use, "/segment");
    expect_refusal(call("segment.set", {{"name", "blue"}, {"tenant", "zeta"}}), ErrorCode::in_use, "/tenant");
    EXPECT_TRUE(call("port.set", {{"name", "ids-0"}, {"segment", "red"}})) << "red is no tenant's";
    EXPECT_TRUE(call("port.set", {{"name", "far-0"}, {"segment", "theirs"}})) << "no mirror names it";
}

}  // namespace
}  // namespace bulkhead::methods
