// SPDX-License-Identifier: Apache-2.0
// The table of tests/e2e/lib/policy_cases.py, one test a scene: its frames go through the whole pipeline in their
// order, and each is explained before.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/support/bench.h"
#include "vswitch/policy/dissect.h"

namespace bulkhead::test {
namespace {

using nlohmann::json;

constexpr const char* kSegment = "scene";
const json kNone = json::array();

Bytes bytes_of(const std::string& hex) {
    Bytes bytes;
    for (std::size_t at = 0; at < hex.size(); at += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(at, 2), nullptr, 16)));
    return bytes;
}

std::vector<MacAddress> macs_of(const json& fields) {
    std::vector<MacAddress> macs;
    for (const std::string mac : fields.value("macs", kNone)) macs.push_back(MacAddress::parse(mac).value());
    return macs;
}

std::vector<IpPrefix> ips_of(const json& fields) {
    std::vector<IpPrefix> ips;
    for (const std::string ip : fields.value("ips", kNone)) ips.push_back(IpPrefix::parse(ip).value());
    return ips;
}

Attachment attachment_of(const json& fields) {
    Attachment attachment;
    attachment.segment = kSegment;
    attachment.group = fields.value("group", "");
    attachment.macs = macs_of(fields);
    attachment.ips = ips_of(fields);
    attachment.isolated = fields.value("isolated", false);
    if (fields.value("security", "off") == "strict") attachment.security = PortSecurity::strict;
    if (fields.value("tagged", "drop") == "carry") attachment.tagged = TaggedFrames::carry;
    return attachment;
}

PolicyEnd end_of(const json& fields) {
    return {
        .groups = fields.value("groups", std::vector<std::string>{}), .ips = ips_of(fields), .macs = macs_of(fields)};
}

/// "443" or "8000-8080".
std::vector<PortRange> ranges_of(const json& texts) {
    std::vector<PortRange> ranges;
    for (const std::string text : texts) {
        const std::size_t dash = text.find('-');
        const auto first = static_cast<std::uint16_t>(std::stoul(text));
        const bool is_one = dash == std::string::npos;
        ranges.push_back({first, is_one ? first : static_cast<std::uint16_t>(std::stoul(text.substr(dash + 1)))});
    }
    return ranges;
}

/// By name or by number.
template <typename Number>
std::optional<Number> number_of(const json& rule, const char* key, const std::map<std::string, Number>& names) {
    if (!rule.contains(key)) return std::nullopt;
    return rule[key].is_string() ? names.at(rule[key]) : rule[key].get<Number>();
}

Policy policy_of(const json& rule) {
    Policy policy;
    policy.segment = kSegment;
    policy.name = rule["name"];
    policy.order = rule["order"];
    policy.from = end_of(rule.value("from", json::object()));
    policy.to = end_of(rule.value("to", json::object()));
    policy.ethertype =
        number_of<std::uint16_t>(rule, "ethertype", {{"ipv4", 0x0800}, {"ipv6", 0x86dd}, {"arp", 0x0806}});
    policy.protocol = number_of<std::uint8_t>(rule, "protocol",
                                              {{"icmp", 1}, {"tcp", 6}, {"udp", 17}, {"icmpv6", 58}, {"sctp", 132}});
    policy.src_ports = ranges_of(rule.value("src_ports", kNone));
    policy.dst_ports = ranges_of(rule.value("dst_ports", kNone));
    policy.icmp_types = rule.value("icmp_types", std::vector<std::uint8_t>{});
    policy.action = rule["action"] == "deny" ? PolicyAction::deny : PolicyAction::allow;
    policy.stateful = rule.value("stateful", true);
    return policy;
}

class Scene : public testing::Test {
  public:
    explicit Scene(const json& scene) : scene_(scene) {
        Segment& segment = bench_.segment(kSegment, 100);
        if (scene_["default_policy"] == "deny") segment.default_policy = DefaultPolicy::deny;
        std::uint16_t id = 0;
        for (const std::string name : scene_["groups"])
            bench_.model.groups[{kSegment, name}] = {.owner = {}, .segment = kSegment, .name = name, .id = ++id};
        for (const auto& [name, fields] : scene_["ports"].items()) {
            Port& port = bench_.trunk(name);
            port.attachments.push_back(attachment_of(fields));
            if (fields.contains("limits")) port.limits.connections = fields["limits"]["connections"];
        }
        for (const json& rule : scene_["rules"]) bench_.model.policies[{kSegment, rule["name"]}] = policy_of(rule);
        bench_.apply();
    }

    void TestBody() override {
        for (const json& step : scene_["steps"]) {
            SCOPED_TRACE(step["note"].get<std::string>());
            play(step);
        }
    }

  private:
    /// What the switch says of a step that has not happened yet.
    void foretell(const json& step) {
        const auto connections = bench_.vswitch().connection_count();
        const auto macs = bench_.vswitch().mac_count();
        const auto said =
            bench_.vswitch().explain_packet({.port = step["sender"], .frame = bytes_of(step["frame"]), .vlan = {}});
        ASSERT_TRUE(said) << said.error().message;
        std::set<std::string> ports;
        for (const FramePlace& place : said->egress) ports.insert(place.to_string());
        EXPECT_EQ(ports, step["to"].get<std::set<std::string>>());
        const bool is_dropped = step["reason"].is_string();
        EXPECT_EQ(said->verdict, is_dropped ? PacketVerdict::drop : PacketVerdict::forward);
        EXPECT_EQ(to_string(said->reason), is_dropped ? step["reason"].get<std::string>() : "none");
        EXPECT_EQ(bench_.vswitch().connection_count(), connections);
        EXPECT_EQ(bench_.vswitch().mac_count(), macs);
    }

    /// The rules as they are written and as they are compiled say the same of a frame, whoever sent it to whom.
    void ask_rules_both_ways(const Bytes& frame) {
        if (frame.size() < 14) return;
        std::vector<const Policy*> rules;
        for (const auto& [key, rule] : bench_.model.policies) rules.push_back(&rule);
        std::ranges::sort(rules, {}, [](const Policy* rule) { return std::tie(rule->order, rule->name); });
        RuleQuestion question;
        dissect(frame, static_cast<std::uint32_t>(frame.size()), question.flow);
        if (question.flow.role == FlowRole::later_fragment) return;
        question.destination_mac = MacAddress::from_octets(frame.data()).value();
        question.source_mac = MacAddress::from_octets(frame.data() + 6).value();
        std::vector<std::string> groups = {""};
        for (const std::string group : scene_["groups"]) groups.push_back(group);
        for (const std::string& from : groups) {
            for (const std::string& to : groups) {
                question.from_group = from;
                question.to_group = to;
                const RuleAnswer written = ask_rules(rules, bench_.model.segments[kSegment].default_policy, question);
                const InstalledAnswer installed = bench_.vswitch().ask_installed_rules(kSegment, question);
                EXPECT_TRUE(installed.agrees(written))
                    << "from \"" << from << "\" to \"" << to << "\": " << (written.rule ? written.rule->name : "none")
                    << " written, " << installed.rule << " installed";
            }
        }
    }

    void play(const json& step) {
        ask_rules_both_ways(bytes_of(step["frame"]));
        {
            SCOPED_TRACE("as it is explained");
            foretell(step);
        }
        const Bytes frame = bytes_of(step["frame"]);
        const bool is_dropped = step["reason"].is_string();
        const auto reason = is_dropped ? drop_reason_from(step["reason"].get<std::string>()) : DropReason::none;
        EXPECT_TRUE(reason) << "no such reason: " << step["reason"];
        const std::uint64_t before = reason ? bench_.drops(*reason) : 0;

        const auto sent = bench_.pass(step["sender"], frame);
        std::set<std::string> ports;
        for (const auto& [port, frames] : sent) {
            ports.insert(port);
            EXPECT_EQ(frames, std::vector<Bytes>{frame}) << port;
        }
        EXPECT_EQ(ports, step["to"].get<std::set<std::string>>());
        if (is_dropped && reason) {
            EXPECT_GE(bench_.drops(*reason), before + 1) << step["reason"];
        }
    }

    const json scene_;
    Bench bench_;
};

/// The file is named by the environment.
bool add_tests() {
    const char* const file = std::getenv("BULKHEAD_POLICY_CASES");
    if (file == nullptr) return false;
    const auto scenes = std::make_shared<json>(json::parse(std::ifstream(file)));
    for (const json& scene : *scenes) {
        const std::string name = scene["name"];
        testing::RegisterTest("PolicyCases", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [scenes, &scene]() -> testing::Test* { return new Scene(scene); });
    }
    return true;
}

const bool kAdded = add_tests();

TEST(PolicyCases, AreThere) {
    EXPECT_TRUE(kAdded) << "BULKHEAD_POLICY_CASES names no table";
}

}  // namespace
}  // namespace bulkhead::test
