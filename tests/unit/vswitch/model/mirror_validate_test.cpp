// SPDX-License-Identifier: Apache-2.0
// What mirrors must keep, one line each.
#include <functional>

#include <gtest/gtest.h>

#include "vswitch/model/validate.h"

namespace bulkhead {
namespace {

Mirror& mirror(Model& model) {
    return model.mirrors.at("m");
}

/// Segment blue with pod "a", pod "ids" in none, a tunnel over a NIC, a rule that allows, and a mirror of blue.
Model good_model() {
    Model model;
    Segment& blue = model.segments["blue"];
    blue.name = "blue";
    blue.vni = 100;
    blue.mtu = 1400;
    for (const char* name : {"a", "ids", "nic"}) {
        Port& port = model.ports[name];
        port.name = name;
        port.device = TapDevice{.netns = "", .ifname = name, .mac = {}, .owner_uid = {}};
    }
    model.ports["a"].attachments = {{.vlan = {}, .segment = "blue", .group = {}, .macs = {}}};
    model.ports["nic"].device = EthdevDevice{.devargs = "net_null0", .mac = {}};
    model.underlays["u0"] = {
        .name = "u0", .port = "nic", .addresses = {IpPrefix::parse("192.0.2.1/24").value()}, .host_tap = {}};
    model.tunnels["edge"] = {
        .name = "edge", .underlay = "u0", .remote = IpAddress::parse("192.0.2.2").value(), .segments = {"blue"}};
    for (const auto& [name, action] : {std::pair{"allow", PolicyAction::allow}, {"copy", PolicyAction::mirror}}) {
        Policy& policy = model.policies[{"blue", name}];
        policy.segment = "blue";
        policy.name = name;
        policy.action = action;
        if (action == PolicyAction::mirror) policy.to_port = "a";
    }
    Mirror& made = model.mirrors["m"];
    made.name = "m";
    made.segment = "blue";
    made.to = "ids";
    return model;
}

TEST(MirrorValidate, TakesEverySourceAndTarget) {
    Model model = good_model();
    EXPECT_TRUE(validate(model)) << validate(model).error().message;
    mirror(model).policy = "allow";
    EXPECT_TRUE(validate(model));
    mirror(model) = {.owner = {}, .name = "m", .segment = {}, .port = "a", .policy = {}, .to = "edge", .vni = kMaxVni};
    EXPECT_TRUE(validate(model));
    mirror(model).direction = MirrorDirection::out;
    mirror(model).snaplen = kMinSnaplen;
    EXPECT_TRUE(validate(model));
}

struct Bad {
    const char* what;
    std::function<void(Model&)> spoil;
    const char* field;
    ErrorCode code = ErrorCode::invalid_params;
};

const Bad kBad[] = {
    {"no source", [](Model& m) { mirror(m).segment.clear(); }, "/port"},
    {"two sources", [](Model& m) { mirror(m).port = "a"; }, "/segment"},
    {"a rule of no segment",
     [](Model& m) {
         mirror(m).segment.clear();
         mirror(m).policy = "allow";
     },
     "/segment"},
    {"a segment that is not there", [](Model& m) { mirror(m).segment = "red"; }, "/segment", ErrorCode::not_found},
    {"a rule that is not there", [](Model& m) { mirror(m).policy = "x"; }, "/policy", ErrorCode::not_found},
    {"a rule that mirrors", [](Model& m) { mirror(m).policy = "copy"; }, "/policy"},
    {"a rule in one direction",
     [](Model& m) {
         mirror(m).policy = "allow";
         mirror(m).direction = MirrorDirection::in;
     },
     "/direction"},
    {"a port that is not there",
     [](Model& m) {
         mirror(m).segment.clear();
         mirror(m).port = "x";
     },
     "/port", ErrorCode::not_found},
    {"an underlay's port",
     [](Model& m) {
         mirror(m).segment.clear();
         mirror(m).port = "nic";
     },
     "/port"},
    {"to nobody", [](Model& m) { mirror(m).to = "x"; }, "/to", ErrorCode::not_found},
    {"to an underlay's port", [](Model& m) { mirror(m).to = "nic"; }, "/to"},
    {"to the source",
     [](Model& m) {
         mirror(m).segment.clear();
         mirror(m).port = mirror(m).to;
     },
     "/to"},
    {"to a tunnel without VNI", [](Model& m) { mirror(m).to = "edge"; }, "/vni"},
    {"to a port with VNI", [](Model& m) { mirror(m).vni = 9; }, "/to", ErrorCode::not_found},
    {"VNI of a segment",
     [](Model& m) {
         mirror(m).to = "edge";
         mirror(m).vni = 100;
     },
     "/vni"},
    {"VNI of 25 bits", [](Model& m) { mirror(m).vni = kMaxVni + 1; }, "/vni"},
    {"snaplen below a header", [](Model& m) { mirror(m).snaplen = 13; }, "/snaplen"},
};

TEST(MirrorValidate, RefusesBadOnesByField) {
    for (const Bad& bad : kBad) {
        SCOPED_TRACE(bad.what);
        Model model = good_model();
        bad.spoil(model);
        const auto result = validate(model);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().object_kind, "mirror");
        EXPECT_EQ(result.error().object_name, "m");
        EXPECT_EQ(result.error().field, bad.field) << result.error().message;
        EXPECT_EQ(result.error().code, bad.code) << result.error().message;
    }
}

TEST(MirrorValidate, KnowsHowManyThereMayBe) {
    Model model = good_model();
    for (std::size_t count = 1; count <= kMaxMirrors; ++count) {
        EXPECT_TRUE(validate(model)) << count;
        const std::string name = "m" + std::to_string(count);
        model.mirrors[name] = mirror(model);
        model.mirrors[name].name = name;
    }
    EXPECT_EQ(validate(model).error().code, ErrorCode::limit);

    model = good_model();
    for (std::size_t count = 1; count <= kMaxMirrorRulesOfSegment; ++count) {
        EXPECT_TRUE(validate(model)) << count;
        const std::string name = "copy" + std::to_string(count);
        model.policies[{"blue", name}] = model.policies.at({"blue", "copy"});
        model.policies[{"blue", name}].name = name;
    }
    EXPECT_EQ(validate(model).error().code, ErrorCode::limit);
    EXPECT_EQ(validate(model).error().field, "/action");
}

}  // namespace
}  // namespace bulkhead
