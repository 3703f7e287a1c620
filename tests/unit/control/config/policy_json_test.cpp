// SPDX-License-Identifier: Apache-2.0
// Groups and rules: what the codec refuses, and the spellings that it takes.
#include <gtest/gtest.h>

#include "control/config/object_json.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

const json kGroup = json::parse(R"({"segment": "blue", "name": "web", "id": 10})");
const json kRule = json::parse(R"({"segment": "blue", "name": "web-to-db", "order": 100, "action": "redirect",
    "from": {"groups": ["web"], "ips": ["10.1.0.9/16", "2001:db8::/32"], "macs": ["02:00:00:00:00:01"]},
    "to": {"groups": ["db", "cache"], "ips": [], "macs": []}, "ethertype": "ipv4", "protocol": "tcp",
    "src_ports": ["0-65535"], "dst_ports": ["443", "8000-8080"], "icmp_types": [], "to_port": "fw-0",
    "stateful": false, "log": false})");

struct Spoilt {
    const char* pointer;
    json value;  // null: without the field
    const char* field;
};

template <typename Decode>
void expect_refusals(const json& good, std::span<const Spoilt> spoilt, Decode decode) {
    ASSERT_TRUE(decode(good));
    for (const Spoilt& bad : spoilt) {
        SCOPED_TRACE(bad.pointer + (" " + bad.value.dump()));
        json object = good;
        if (bad.value.is_null()) {
            object.erase(std::string(bad.pointer + 1));
        } else {
            object[json::json_pointer(bad.pointer)] = bad.value;
        }
        auto result = decode(object);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, ErrorCode::invalid_params) << result.error().message;
        EXPECT_EQ(result.error().field, bad.field) << result.error().message;
        EXPECT_FALSE(result.error().got.empty() || result.error().allowed.empty()) << result.error().message;
    }
}

TEST(PolicyJson, RefusesBadGroups) {
    const Spoilt spoilt[] = {
        {"/segment", nullptr, "/segment"},
        {"/name", nullptr, "/name"},
        {"/id", nullptr, "/id"},
        {"/id", 0, "/id"},
        {"/id", 65536, "/id"},
        {"/id", "10", "/id"},
        {"/color", 1, "/color"},
    };
    expect_refusals(kGroup, spoilt, [](const json& object) { return decode_group(object); });
}

TEST(PolicyJson, RefusesBadRules) {
    const Spoilt spoilt[] = {
        {"/segment", nullptr, "/segment"},
        {"/name", nullptr, "/name"},
        {"/order", nullptr, "/order"},
        {"/order", -1, "/order"},
        {"/order", 1'000'001, "/order"},
        {"/action", nullptr, "/action"},
        {"/action", "drop", "/action"},
        {"/from", "web", "/from"},
        {"/from/group", {"web"}, "/from/group"},
        {"/from/groups", "web", "/from/groups"},
        {"/from/groups/0", 1, "/from/groups/0"},
        {"/from/ips/1", "10.1.0.9", "/from/ips/1"},
        {"/from/ips/0", "10.1.0.9/33", "/from/ips/0"},
        {"/to/macs", {"02"}, "/to/macs/0"},
        {"/ethertype", "ip", "/ethertype"},
        {"/ethertype", 0x5ff, "/ethertype"},
        {"/ethertype", 65536, "/ethertype"},
        {"/ethertype", -1, "/ethertype"},
        {"/ethertype", "0x5ff", "/ethertype"},
        {"/ethertype", "0x10800", "/ethertype"},
        {"/ethertype", "0x", "/ethertype"},
        {"/ethertype", "0x88ccx", "/ethertype"},
        {"/ethertype", true, "/ethertype"},
        {"/protocol", "TCP", "/protocol"},
        {"/protocol", 256, "/protocol"},
        {"/protocol", -1, "/protocol"},
        {"/protocol", 6.0, "/protocol"},
        {"/protocol", {6}, "/protocol"},
        {"/dst_ports", "443", "/dst_ports"},
        {"/dst_ports/1", "65536", "/dst_ports/1"},
        {"/dst_ports/1", 65536, "/dst_ports/1"},
        {"/dst_ports/1", -1, "/dst_ports/1"},
        {"/dst_ports/1", "", "/dst_ports/1"},
        {"/dst_ports/1", "-", "/dst_ports/1"},
        {"/dst_ports/1", "80-", "/dst_ports/1"},
        {"/dst_ports/1", "-80", "/dst_ports/1"},
        {"/dst_ports/1", "80-90-100", "/dst_ports/1"},
        {"/dst_ports/1", "http", "/dst_ports/1"},
        {"/dst_ports/1", " 80", "/dst_ports/1"},
        {"/icmp_types", {8, 256}, "/icmp_types/1"},
        {"/icmp_types", {"echo"}, "/icmp_types/0"},
        {"/to_port", 1, "/to_port"},
        {"/stateful", "yes", "/stateful"},
        {"/comment", "x", "/comment"},
    };
    expect_refusals(kRule, spoilt, [](const json& object) { return decode_policy(object); });
}

TEST(PolicyJson, ARuleMayLog) {
    json rule = kRule;
    rule["log"] = true;
    const auto decoded = decode_policy(rule);
    ASSERT_TRUE(decoded);
    EXPECT_TRUE(decoded->log);
    EXPECT_EQ(encode(*decoded)["log"], true);
    EXPECT_FALSE(decode_policy(kRule)->log);
}

TEST(PolicyJson, WhatIsWrittenIsRead) {
    json group = encode(*decode_group(kGroup)), rule = encode(*decode_policy(kRule));
    for (json* object : {&group, &rule}) object->erase("owner");
    EXPECT_EQ(group, kGroup);
    EXPECT_EQ(rule, kRule);
}

TEST(PolicyJson, OneSpellingComesOut) {
    const auto back = [](const char* field, const json& value) {
        json rule = {{"segment", "s"}, {"name", "n"}, {"order", 0}, {"action", "allow"}, {field, value}};
        const auto decoded = decode_policy(rule);
        return decoded ? encode(*decoded).at(field) : json(decoded.error().message);
    };
    EXPECT_EQ(back("ethertype", 0x0800), "ipv4");
    EXPECT_EQ(back("ethertype", "0x86DD"), "ipv6");
    EXPECT_EQ(back("ethertype", "0x806"), "arp");
    EXPECT_EQ(back("ethertype", 35020), "0x88cc");
    EXPECT_EQ(back("ethertype", "0x0600"), "0x0600");
    EXPECT_EQ(back("protocol", 6), "tcp");
    EXPECT_EQ(back("protocol", "ah"), "ah");
    EXPECT_EQ(back("protocol", 0), 0);
    EXPECT_EQ(back("protocol", 255), 255);
    EXPECT_EQ(back("dst_ports", {443, "80-80", "1-2", 0}), json::parse(R"(["443", "80", "1-2", "0"])"));
    EXPECT_EQ(back("from", {{"macs", {"02:00:00:00:00:0A"}}})["macs"][0], "02:00:00:00:00:0a");
}

TEST(PolicyJson, DefaultsSayEverything) {
    const auto rule = decode_policy({{"segment", "s"}, {"name", "n"}, {"order", 7}, {"action", "deny"}}, "me");
    ASSERT_TRUE(rule) << rule.error().message;
    Policy expected;
    expected.owner = "me";
    expected.segment = "s";
    expected.name = "n";
    expected.order = 7;
    expected.action = PolicyAction::deny;
    EXPECT_EQ(*rule, expected);
    EXPECT_TRUE(rule->stateful);
    EXPECT_TRUE(rule->from.is_any());
    EXPECT_FALSE(encode(*rule).contains("protocol"));
}

}  // namespace
}  // namespace bulkhead::config
