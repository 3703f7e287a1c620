// SPDX-License-Identifier: Apache-2.0
#include "control/cli/arguments.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Words = std::vector<std::string>;

std::expected<std::string, std::string> files(const std::string& path) {
    if (path == "node.json" || path == "-") return R"({"version": 1, "segments": []})";
    if (path == "vlans.json") return R"([{"vlan": 10, "segment": "blue"}])";
    return std::unexpected("\"" + path + "\": No such file or directory");
}

std::expected<json, UsageError> parse(const char* method, const Words& words) {
    return parse_arguments(*api::find_method(method), words, files);
}

json good(const char* method, const Words& words) {
    const auto params = parse(method, words);
    EXPECT_TRUE(params) << params.error().message;
    return params.value_or(json());
}

std::string bad(const char* method, const Words& words) {
    const auto params = parse(method, words);
    EXPECT_FALSE(params) << params->dump();
    return params ? "" : params.error().message;
}

TEST(Arguments, RequiredOnesStandBareInTheOrderOfTheTable) {
    EXPECT_EQ(good("segment.add", {"blue", "100"}), json({{"name", "blue"}, {"vni", 100}}));
    EXPECT_EQ(good("segment.add", {"--vni", "100", "blue"}), json({{"name", "blue"}, {"vni", 100}}));
    EXPECT_EQ(good("segment.add", {"100", "--name", "blue"}), json({{"name", "blue"}, {"vni", 100}}));
    EXPECT_EQ(good("fdb.add", {"blue", "02:00:00:00:00:0a", "web-0"}),
              json({{"segment", "blue"}, {"mac", "02:00:00:00:00:0a"}, {"port", "web-0"}}));
    EXPECT_EQ(good("fdb.add", {"blue", "02:00:00:00:00:0a", "--tunnel", "edge-2"}),
              json({{"segment", "blue"}, {"mac", "02:00:00:00:00:0a"}, {"tunnel", "edge-2"}}));
}

TEST(Arguments, TheExampleOfTheContract) {
    EXPECT_EQ(good("port.add",
                   {"web-0", "--type", "tap", "--netns", "/run/netns/web", "--ifname", "net1", "--segment", "blue"}),
              json({{"name", "web-0"},
                    {"type", "tap"},
                    {"netns", "/run/netns/web"},
                    {"ifname", "net1"},
                    {"segment", "blue"}}));
}

TEST(Arguments, DashesAndUnderscoresAreTheSame) {
    const json expected = {{"name", "b"}, {"mac_age_s", 5}};
    EXPECT_EQ(good("segment.set", {"b", "--mac-age-s", "5"}), expected);
    EXPECT_EQ(good("segment.set", {"b", "--mac_age_s=5"}), expected);
    EXPECT_EQ(bad("segment.set", {"b", "--mac", "5"}).substr(0, 32), "segment set has no option --mac;");
}

TEST(Arguments, BooleansAreFlagsOrSaidInFull) {
    EXPECT_EQ(good("segment.remove", {"blue", "--force"}), json({{"name", "blue"}, {"force", true}}));
    EXPECT_EQ(good("segment.remove", {"--force", "blue"}), json({{"name", "blue"}, {"force", true}}));
    EXPECT_EQ(good("segment.remove", {"--force", "false", "blue"}), json({{"name", "blue"}, {"force", false}}));
    EXPECT_EQ(good("segment.remove", {"blue", "--force=false"}), json({{"name", "blue"}, {"force", false}}));
    EXPECT_THAT(bad("segment.remove", {"blue", "--force=maybe"}), HasSubstr("allowed true or false"));
}

TEST(Arguments, Integers) {
    EXPECT_EQ(good("segment.set", {"b", "--vni", "-5"}).at("vni"), -5);  // out of range is the switch's to say
    EXPECT_EQ(good("segment.set", {"b", "--vni", "18446744073709551615"}).at("vni"), 18446744073709551615ULL);
    for (const char* text : {"", "12x", "0x10", "1.5", "18446744073709551616", " 1"})
        EXPECT_THAT(bad("segment.set", {"b", "--vni", text}), HasSubstr("allowed a whole number")) << text;
}

TEST(Arguments, ArraysAreCommaListsOrJsonAndGrow) {
    EXPECT_EQ(good("port.set", {"p", "--macs", "02:00:00:00:00:01,02:00:00:00:00:02"}).at("macs").size(), 2U);
    EXPECT_EQ(good("port.set", {"p", "--workers", "0,1"}).at("workers"), json({0, 1}));
    EXPECT_EQ(good("port.set", {"p", "--workers", "[0, 1]"}).at("workers"), json({0, 1}));
    EXPECT_EQ(good("port.set", {"p", "--macs", "a", "--macs", "b"}).at("macs"), json({"a", "b"}));
    EXPECT_EQ(good("port.set", {"p", "--macs", ""}).at("macs"), json::array());
    EXPECT_EQ(good("port.set", {"p", "--macs="}).at("macs"), json::array());
    EXPECT_EQ(good("events.subscribe", {"--kinds", "1,2"}).at("kinds"),
              json({"1", "2"}));  // names that look like numbers
    EXPECT_THAT(bad("port.set", {"p", "--workers", "0,one"}), HasSubstr("got \"one\""));
}

TEST(Arguments, ArraysOfObjectsAreJson) {
    const json expected = json::parse(R"([{"vlan": 10, "segment": "blue"}])");
    EXPECT_EQ(good("port.set", {"p", "--vlans", R"({"vlan": 10, "segment": "blue"})"}).at("vlans"), expected);
    EXPECT_EQ(good("port.set", {"p", "--vlans", R"([{"vlan": 10, "segment": "blue"}])"}).at("vlans"), expected);
    EXPECT_EQ(good("port.set", {"p", "--vlans", "@vlans.json"}).at("vlans"), expected);
    EXPECT_THAT(bad("port.set", {"p", "--vlans", "10,blue"}), HasSubstr("allowed JSON"));
}

TEST(Arguments, ObjectsComeAsJsonOrFromAFile) {
    const json config = {{"version", 1}, {"segments", json::array()}};
    for (const char* where : {"@node.json", "node.json", "-", R"({"version": 1, "segments": []})"})
        EXPECT_EQ(good("config.apply", {where}).at("config"), config) << where;
    EXPECT_EQ(good("config.apply", {"--config", "-", "--dry-run"}), json({{"config", config}, {"dry_run", true}}));
    EXPECT_THAT(bad("config.apply", {"nodo.json"}), HasSubstr("No such file"));
    EXPECT_THAT(bad("config.apply", {"@vlans.json"}), HasSubstr("allowed a JSON object"));
}

TEST(Arguments, JsonThatWouldLoseSomethingIsRefused) {
    EXPECT_THAT(bad("config.apply", {R"({"version": 1, "version": 2})"}), HasSubstr("\"version\" stands twice"));
    EXPECT_THAT(bad("config.apply", {R"({"ports": [{"name": "a", "name": "b"}]})"}), HasSubstr("stands twice"));
    EXPECT_EQ(good("config.apply", {R"({"ports": [{"name": "a"}, {"name": "b"}]})"}).at("config").at("ports").size(),
              2U);
    EXPECT_THAT(bad("config.apply", {R"({"version": )"}), HasSubstr("line 1, column 13"));
}

TEST(Arguments, SetTakesNullForTheDefault) {
    EXPECT_EQ(good("port.set", {"p", "--mtu", "null"}).at("mtu"), nullptr);
    EXPECT_EQ(good("segment.set", {"null"}).at("name"), "null");
    EXPECT_THAT(bad("port.add", {"p", "tap", "--mtu", "null"}), HasSubstr("allowed a whole number"));
}

TEST(Arguments, MistakesAreTold) {
    EXPECT_THAT(bad("port.add", {"web-0"}), HasSubstr("port add needs type (--type): vhost-user, tap or ethdev"));
    EXPECT_THAT(bad("port.get", {"a", "b"}), HasSubstr("\"b\" is one word too many for port get"));
    EXPECT_THAT(bad("port.get", {"a", "--name", "b"}), HasSubstr("\"a\" is one word too many"));
    EXPECT_THAT(bad("port.list", {"--type", "tap", "--type", "ethdev"}), HasSubstr("--type is given twice"));
    EXPECT_THAT(bad("port.list", {"--typ", "tap"}), HasSubstr("no option --typ; it has --segment, --type"));
    EXPECT_THAT(bad("port.list", {"--type"}), HasSubstr("--type"));
    EXPECT_EQ(good("port.get", {"--", "--odd"}).at("name"), "--odd");
}

/// The examples that help and docs/api.md show must work as they stand.
TEST(Arguments, EveryExampleOfTheTableParses) {
    for (const api::Method& method : api::method_table()) {
        if (method.example.empty()) continue;
        std::istringstream text{std::string(method.example)};
        Words words(std::istream_iterator<std::string>(text), {});
        // The shell's quotes, which the examples have around whole words.
        for (std::string& word : words) std::erase(word, '\'');
        ASSERT_GE(words.size(), 2U);
        EXPECT_EQ(words[0] + "." + words[1], method.name);
        EXPECT_TRUE(parse_arguments(method, std::span(words).subspan(2), files)) << method.example;
    }
}

}  // namespace
}  // namespace bulkhead::cli
