// SPDX-License-Identifier: Apache-2.0
// How a verification is asked for, and how the answer is shown.
#include "tests/unit/control/methods/desk.h"

namespace bulkhead::methods {
namespace {

class Verifying : public Desk {
  protected:
    Verifying() {
        done("segment.add", {{"name", "blue"}, {"vni", 1}, {"tenant", "acme"}});
        done("segment.add", {{"name", "red"}, {"vni", 2}});
        for (const char* port : {"web-0", "db-0"}) done("port.add", guest(port, "blue"));
        json both = guest("both", "blue");
        both["vlans"] = {{{"vlan", 5}, {"segment", "red"}}};
        done("port.add", both);
        done("policy.add",
             {{"segment", "blue"}, {"name", "door"}, {"order", 1}, {"action", "redirect"}, {"to_port", "both"}});
        world.target.verify = [this](const VerificationQuestion& question) {
            asked_from = question.from;
            asked_to = question.to;
            asked_after = question.after;
            asked_limit = question.limit;
            sees_both = !question.is_visible || question.is_visible("both");
            return found;
        };
    }

    std::string asked_from, asked_to;
    std::optional<std::pair<AttachmentName, AttachmentName>> asked_after;
    std::size_t asked_limit = 0;
    bool sees_both = false;
    SegmentVerification found;
};

TEST_F(Verifying, WhatIsAsked) {
    done("segment.verify", {{"name", "blue"}});
    EXPECT_EQ(world.target.asked_segment, "blue");
    EXPECT_EQ(asked_limit, 100U);
    EXPECT_EQ(asked_from, "");
    EXPECT_FALSE(asked_after);
    EXPECT_TRUE(sees_both);
    done("segment.verify",
         {{"name", "blue"}, {"from", "web-0"}, {"to", "db-0"}, {"limit", 7}, {"cursor", "both:5 web-0"}});
    EXPECT_EQ(asked_from, "web-0");
    EXPECT_EQ(asked_to, "db-0");
    EXPECT_EQ(asked_limit, 7U);
    EXPECT_EQ(asked_after, std::pair(AttachmentName("both", 5), AttachmentName("web-0", 0)));
    ASSERT_TRUE(call("segment.verify", {{"name", "blue"}}, acme));
    EXPECT_FALSE(sees_both) << "it is in a segment of somebody else's, too";
    EXPECT_EQ(audited.size(), 6U) << "asking is no change";
}

TEST_F(Verifying, WhatIsShown) {
    VerifiedPair pair{.from = {"web-0", 0}, .to = {"both", 0}, .reachable = true, .intended = true};
    pair.allowed = {{.verdict = {.passes = true, .ground = "rule", .rule = "sql"},
                     .protocols = {.items = {6}},
                     .destinations = {"10.0.0.0/8"},
                     .dst_ports = {{5432, 5432}, {6000, 6010}}},
                    {.verdict = {.passes = true, .ground = "rule", .rule = "door", .via = "both"},
                     .ethertypes = {.items = {0x0800, 0x88cc}, .all_but = true},
                     .opens = false}};
    pair.differences = {{.installed = {.passes = false, .ground = "none"},
                         .intended = {.passes = true, .ground = "rule", .rule = "door", .via = "both"},
                         .traffic = {{.protocols = {.items = {1}}, .icmp_types = {8}}},
                         .sample = {.ethertype = 0x0800,
                                    .protocol = 1,
                                    .source = IpAddress::v4(0x0a000001),
                                    .icmp_type = 8,
                                    .source_mac = MacAddress(1),
                                    .destination_mac = MacAddress(2)},
                         .from_group = "web",
                         .to_group = {}}};
    pair.incomplete = "too many";
    found.pairs = {pair};
    found.attachments = {{.name = {"both", 5}, .differences = {"it is not installed"}}};
    found.has_more = true;
    const json shown = done("segment.verify", {{"name", "blue"}});
    EXPECT_EQ(shown["pairs"][0], json::parse(R"({
        "from": "web-0", "to": "both", "reachable": true, "intended": true, "complete": false, "why_incomplete": "too many",
        "allowed": [{"rule": "sql", "protocols": ["tcp"], "destinations": ["10.0.0.0/8"], "dst_ports": ["5432", "6000-6010"]},
                    {"rule": "door", "via": "both", "ethertypes_except": ["ipv4", "0x88cc"], "opens": false}],
        "allowed_by_intent": [],
        "differences": [{"traffic": [{"protocols": ["icmp"], "icmp_types": [8]}],
            "installed": {"action": "deny", "ground": "none", "rule": null},
            "intended": {"action": "redirect", "ground": "rule", "rule": "door", "to_port": "both"},
            "fields": {"ethertype": "ipv4", "protocol": "icmp", "source": "10.0.0.1", "icmp_type": 8, "from_group": "web",
                       "to_group": "", "source_mac": "00:00:00:00:00:01", "destination_mac": "00:00:00:00:00:02"}}]})"));
    EXPECT_EQ(shown["attachments"],
              json::parse(R"([{"attachment": "both:5", "differences": ["it is not installed"]}])"));
    EXPECT_EQ(shown["complete"], false);
    EXPECT_EQ(shown["cursor"], "web-0 both");
    EXPECT_EQ(shown["generation"], world.engine.generation());

    const auto hidden = call("segment.verify", {{"name", "blue"}}, acme);
    ASSERT_TRUE(hidden);
    EXPECT_EQ((*hidden)["pairs"][0]["allowed"][1]["via"], nullptr) << "that port is not a tenant's alone";
    EXPECT_EQ((*hidden)["pairs"][0]["allowed"][1]["rule"], nullptr);
}

TEST_F(Verifying, WhatIsRefused) {
    const auto refused = [&](const json& params, std::string_view field, ErrorCode code = ErrorCode::invalid_params) {
        expect_refusal(call("segment.verify", params), code, field);
    };
    refused({{"name", "none"}}, "/name", ErrorCode::not_found);
    refused({{"name", "blue"}, {"from", "none"}}, "/from", ErrorCode::not_found);
    refused({{"name", "red"}, {"to", "web-0"}}, "/to");
    refused({{"name", "blue"}, {"limit", 1001}}, "/limit");
    for (const char* cursor : {"", "web-0", "web-0:x db-0", " db-0"})
        refused({{"name", "blue"}, {"cursor", cursor}}, "/cursor");
    expect_refusal(call("segment.verify", {{"name", "red"}}, acme), ErrorCode::not_found, "/name");
    expect_refusal(call("segment.verify", {{"name", "blue"}, {"from", "both"}}, acme), ErrorCode::not_found, "/from");
}

}  // namespace
}  // namespace bulkhead::methods
