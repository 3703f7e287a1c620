// SPDX-License-Identifier: Apache-2.0
// What groups and rules of policy must keep, one line each.
#include <functional>
#include <span>

#include <gtest/gtest.h>

#include "vswitch/model/checks.h"
#include "vswitch/model/validate.h"

namespace bulkhead {
namespace {

IpPrefix cidr(const char* text) {
    return *IpPrefix::parse(text);
}

void put(Model& model, Group group) {
    model.groups[{group.segment, group.name}] = group;
}

Policy& rule(Model& model) {
    return model.policies.at({"blue", "rule"});
}
Port& pod(Model& model) {
    return model.ports.at("pod");
}

// blue has groups web and db, red has web and is where "far" is; "pod" is in blue and of group web.
Model good_model() {
    Model model;
    for (auto [name, vni] : {std::pair{"blue", 100U}, {"red", 200U}}) {
        model.segments[name].name = name;
        model.segments[name].vni = vni;
    }
    put(model, {.owner = {}, .segment = "blue", .name = "web", .id = 10});
    put(model, {.owner = {}, .segment = "blue", .name = "db", .id = kMaxGroupId});
    put(model, {.owner = {}, .segment = "red", .name = "web", .id = 10});
    put(model, {.owner = {}, .segment = "red", .name = "far", .id = 1});
    for (auto [name, segment, group] : {std::tuple{"pod", "blue", "web"}, {"far", "red", "far"}}) {
        Port port;
        port.name = name;
        port.device = TapDevice{.netns = "", .ifname = name, .mac = {}, .owner_uid = {}};
        port.attachments = {{.vlan = {}, .segment = segment, .group = group, .macs = {}}};
        model.ports[name] = port;
    }
    Policy policy;
    policy.segment = "blue";
    policy.name = "rule";
    policy.order = 100;
    policy.from = {.groups = {"web"}, .ips = {cidr("10.1.0.0/16"), cidr("2001:db8::/32")}, .macs = {MacAddress(2)}};
    policy.to = {.groups = {"db", "web"}, .ips = {}, .macs = {}};
    policy.protocol = std::uint8_t{6};
    policy.src_ports = {{.first = 0, .last = UINT16_MAX}};
    policy.dst_ports = {{.first = 443, .last = 443}, {.first = 8000, .last = 8080}};
    model.policies[{"blue", "rule"}] = policy;
    return model;
}

/// A rule with no list that hangs on the protocol.
void without_ports(Policy& policy) {
    policy.protocol.reset();
    policy.src_ports.clear();
    policy.dst_ports.clear();
}

struct BadModel {
    const char* what;
    std::function<void(Model&)> spoil;
    const char* object;
    const char* field;
    ErrorCode code = ErrorCode::invalid_params;
};

const BadModel kBadModels[] = {
    {"group name", [](Model& m) { put(m, {.owner = {}, .segment = "blue", .name = "-x", .id = 1}); }, "group blue/-x",
     "/name"},
    {"group owner", [](Model& m) { put(m, {.owner = "a b", .segment = "blue", .name = "x", .id = 1}); }, "group blue/x",
     "/owner"},
    {"group id 0", [](Model& m) { m.groups[{"blue", "db"}].id = 0; }, "group blue/db", "/id"},
    {"group id taken", [](Model& m) { m.groups[{"blue", "db"}].id = 10; }, "group blue/web", "/id"},
    {"group of no segment", [](Model& m) { put(m, {.owner = {}, .segment = "gray", .name = "x", .id = 1}); },
     "group gray/x", "/segment", ErrorCode::not_found},
    {"attachment of no group", [](Model& m) { pod(m).attachments[0].group = "none"; }, "port pod", "/group",
     ErrorCode::not_found},
    {"attachment of another segment's group", [](Model& m) { pod(m).attachments[0].group = "far"; }, "port pod",
     "/group", ErrorCode::not_found},
    {"tagged attachment of no group",
     [](Model& m) { pod(m).attachments.push_back({.vlan = 7, .segment = "red", .group = "db", .macs = {}}); },
     "port pod", "/vlans/0/group", ErrorCode::not_found},
    {"rule name", [](Model& m) { rule(m).name = "a/b"; }, "policy blue/a/b", "/name"},
    {"rule owner", [](Model& m) { rule(m).owner = "a b"; }, "policy blue/rule", "/owner"},
    {"order", [](Model& m) { rule(m).order = kMaxPolicyOrder + 1; }, "policy blue/rule", "/order"},
    {"rule of no segment", [](Model& m) { rule(m).segment = "gray"; }, "policy gray/rule", "/segment",
     ErrorCode::not_found},
    {"sender of no group", [](Model& m) { rule(m).from.groups = {"web", "none"}; }, "policy blue/rule",
     "/from/groups/1", ErrorCode::not_found},
    {"receiver of another segment's group", [](Model& m) { rule(m).to.groups = {"far"}; }, "policy blue/rule",
     "/to/groups/0", ErrorCode::not_found},
    {"group twice", [](Model& m) { rule(m).to.groups = {"db", "web", "db"}; }, "policy blue/rule", "/to/groups/2"},
    {"network twice", [](Model& m) { rule(m).from.ips = {cidr("10.1.0.0/16"), cidr("10.1.9.9/16")}; },
     "policy blue/rule", "/from/ips/1"},
    {"IPv6 network twice", [](Model& m) { rule(m).to.ips = {cidr("2001:db8::1/63"), cidr("2001:db8:0:1::2/63")}; },
     "policy blue/rule", "/to/ips/1"},
    {"MAC twice", [](Model& m) { rule(m).from.macs = {MacAddress(2), MacAddress(2)}; }, "policy blue/rule",
     "/from/macs/1"},
    {"too many MACs",
     [](Model& m) {
         for (std::uint64_t i = 0; i < kMaxRuleItems; ++i) rule(m).from.macs.emplace_back(0x020000000000 + i);
     },
     "policy blue/rule", "/from/macs"},
    {"ethertype that is a length", [](Model& m) { rule(m).ethertype = std::uint16_t{0x5ff}; }, "policy blue/rule",
     "/ethertype"},
    {"ARP with a protocol", [](Model& m) { rule(m).ethertype = kArpEthertype; }, "policy blue/rule", "/ethertype"},
    {"LLDP with addresses",
     [](Model& m) {
         without_ports(rule(m));
         rule(m).ethertype = std::uint16_t{0x88cc};
     },
     "policy blue/rule", "/ethertype"},
    {"ports of no protocol", [](Model& m) { rule(m).protocol.reset(); }, "policy blue/rule", "/src_ports"},
    {"ports of GRE",
     [](Model& m) {
         rule(m).src_ports.clear();
         rule(m).protocol = std::uint8_t{47};
     },
     "policy blue/rule", "/dst_ports"},
    {"range that runs back", [](Model& m) { rule(m).dst_ports[1] = {.first = 8080, .last = 8000}; }, "policy blue/rule",
     "/dst_ports/1"},
    {"ports twice", [](Model& m) { rule(m).dst_ports.push_back({.first = 443, .last = 443}); }, "policy blue/rule",
     "/dst_ports/2"},
    {"ICMP types of TCP", [](Model& m) { rule(m).icmp_types = {8}; }, "policy blue/rule", "/icmp_types"},
    {"ICMP types of no protocol",
     [](Model& m) {
         without_ports(rule(m));
         rule(m).icmp_types = {8};
     },
     "policy blue/rule", "/icmp_types"},
    {"ICMP type twice",
     [](Model& m) {
         without_ports(rule(m));
         rule(m).protocol = std::uint8_t{58};
         rule(m).icmp_types = {128, 129, 128};
     },
     "policy blue/rule", "/icmp_types/2"},
    {"redirect to nowhere", [](Model& m) { rule(m).action = PolicyAction::redirect; }, "policy blue/rule", "/to_port"},
    {"mirror to nowhere", [](Model& m) { rule(m).action = PolicyAction::mirror; }, "policy blue/rule", "/to_port"},
    {"allow to a port", [](Model& m) { rule(m).to_port = "pod"; }, "policy blue/rule", "/to_port"},
    {"redirect to no port",
     [](Model& m) {
         rule(m).action = PolicyAction::redirect;
         rule(m).to_port = "none";
     },
     "policy blue/rule", "/to_port", ErrorCode::not_found},
    {"mirror out of the segment",
     [](Model& m) {
         rule(m).action = PolicyAction::mirror;
         rule(m).to_port = "far";
     },
     "policy blue/rule", "/to_port"},
};

TEST(PolicyValidate, RefusesBadOnes) {
    ASSERT_TRUE(validate(good_model()));
    for (const BadModel& bad : kBadModels) {
        SCOPED_TRACE(bad.what);
        Model model = good_model();
        bad.spoil(model);
        auto result = validate(model);
        ASSERT_FALSE(result);
        const Error& error = result.error();
        EXPECT_EQ(error.code, bad.code) << error.message;
        EXPECT_EQ(error.object_kind + " " + error.object_name, bad.object);
        EXPECT_EQ(error.field, bad.field) << error.message;
        EXPECT_FALSE(error.got.empty() || error.allowed.empty()) << error.message;
    }
}

TEST(PolicyValidate, TakesWhatIsSound) {
    const std::function<void(Model&)> kSound[] = {
        [](Model& m) {
            rule(m).action = PolicyAction::redirect;
            rule(m).to_port = "pod";
        },
        [](Model& m) { rule(m).ethertype = std::uint16_t{0x86dd}; },
        [](Model& m) {
            without_ports(rule(m));
            rule(m).from.ips.clear();
            rule(m).ethertype = kArpEthertype;
        },
        [](Model& m) {
            without_ports(rule(m));
            rule(m).protocol = std::uint8_t{1};
            rule(m).icmp_types = {0, 8, 255};
        },
        [](Model& m) { rule(m).from.ips = {cidr("10.0.0.0/8"), cidr("10.0.0.0/9"), cidr("0.0.0.0/0"), cidr("::/0")}; },
        [](Model& m) { rule(m).order = kMaxPolicyOrder; },
        [](Model& m) { pod(m).attachments[0].group.clear(); },
    };
    for (const auto& change : kSound) {
        Model model = good_model();
        change(model);
        auto result = validate(model);
        EXPECT_TRUE(result) << (&change - kSound) << " " << result.error().message;
    }
}

void add_rules(Model& model, const std::string& segment, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        Policy policy;
        policy.segment = segment;
        policy.name = "r" + std::to_string(i);
        model.policies[{segment, policy.name}] = policy;
    }
}

TEST(PolicyValidate, BoundsTheRules) {
    Model model = good_model();
    add_rules(model, "blue", kMaxRulesOfSegment - 1);
    ASSERT_TRUE(validate(model));
    add_rules(model, "blue", kMaxRulesOfSegment);
    auto result = validate(model);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::limit);
    EXPECT_EQ(result.error().field, "/segment");

    Model many = good_model();
    many.policies.clear();
    for (std::uint32_t i = 0; i < kMaxRules / kMaxRulesOfSegment; ++i) {
        const std::string segment = "s" + std::to_string(i);
        many.segments[segment].name = segment;
        many.segments[segment].vni = 1000 + i;
        add_rules(many, segment, kMaxRulesOfSegment);
    }
    ASSERT_TRUE(validate(many));
    add_rules(many, "blue", 1);
    result = validate(many);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::limit);
}

}  // namespace
}  // namespace bulkhead
