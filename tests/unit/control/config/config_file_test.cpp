// SPDX-License-Identifier: Apache-2.0
#include "control/config/config_file.h"

#include <cstdio>
#include <fstream>

#include <gtest/gtest.h>

#include "control/config/text_position.h"

namespace bulkhead::config {
namespace {

std::string refusal(std::string_view text, FileCheck check = FileCheck::whole) {
    auto result = read_config_text(text, "f", check);
    return result ? "" : result.error().message;
}

TEST(ConfigFile, SaysWhereTheTextBreaks) {
    const std::string message = refusal("{\n  \"version\": 1,\n  \"ports\" []\n}");
    EXPECT_TRUE(message.starts_with("f:3:11: ")) << message;
    EXPECT_TRUE(refusal("").starts_with("f:1:1: "));
}

TEST(ConfigFile, SaysWhereAFieldIsWrong) {
    EXPECT_EQ(
        refusal("{\"version\": 1,\n \"segments\": [{\"name\": \"a\", \"vni\": 1},\n  {\"name\": \"b\", \"vni\": 0}]}"),
        "f:3:24: /segments/1/vni: vni 0 is out of range");
}

TEST(ConfigFile, SaysWhereObjectsDoNotFitTogether) {
    const char* text =
        "{\"version\": 1, \"segments\": [{\"name\": \"a\", \"vni\": 1},\n{\"name\": \"b\", \"vni\": 1}]}";
    EXPECT_EQ(refusal(text), "f:2:22: /segments/1/vni: segment \"b\": vni 1 is taken by segment \"a\"");
    EXPECT_EQ(refusal(text, FileCheck::objects), "");
}

TEST(ConfigFile, PointsAtTheObjectThatLacksAField) {
    EXPECT_TRUE(refusal("{\"version\": 1,\n\"segments\": [{\"vni\": 1}]}")
                    .starts_with("f:2:14: /segments/0/name: name is missing"));
}

TEST(ConfigFile, RefusesAKeyThatComesTwice) {
    EXPECT_EQ(refusal(R"({"version": 1, "segments": [], "segments": []})"),
              "f: not valid JSON: the key \"segments\" stands twice in one object");
    EXPECT_EQ(refusal(R"({"version": 1, "segments": [{"name": "a", "vni": 1}, {"name": "b", "vni": 2}]})"), "");
}

TEST(ConfigFile, RefusesWhatJsonCanWriteAndNobodyCanRead) {
    EXPECT_EQ(refusal("{\"version\": 1,\n \"segments\": [{\"name\": \"a\", \"vni\": 1e999}]}"),
              "f:2:36: not valid JSON: number overflow parsing '1e999'");
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    EXPECT_EQ(refusal(deep), "f: not valid JSON: nested deeper than 64 levels");
}

TEST(ConfigFile, SaysThatAnEmptyFileIsNoJson) {
    const std::string path = testing::TempDir() + "/bulkhead-empty.json";
    std::ofstream(path).flush();
    auto result = load_config_file(path, FileCheck::whole);
    std::remove(path.c_str());
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().message.starts_with(path + ":1:1: not valid JSON: syntax error"))
        << result.error().message;
}

TEST(ConfigFile, SaysThatAFolderCanNotBeRead) {
    auto result = load_config_file(testing::TempDir(), FileCheck::whole);
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().message.ends_with(": can't be read: Is a directory")) << result.error().message;
}

TEST(ConfigFile, RefusesObjectsOfOtherOwners) {
    const char* text =
        "{\"version\": 1, \"ports\": [\n{\"name\": \"p\", \"type\": \"tap\", \"ifname\": \"a\", \"owner\": \"cni\"}]}";
    EXPECT_EQ(refusal(text),
              "f:2:54: /ports/0/owner: owner \"cni\" is none that the file's objects can have: leave owner out");
    EXPECT_TRUE(
        refusal(R"({"version": 1, "segments": [{"name": "a", "vni": 1, "owner": ""}]})").contains("leave owner out"));
    EXPECT_EQ(refusal(R"({"version": 1, "segments": [{"name": "a", "vni": 1, "owner": "file"}]})"), "");
}

TEST(ConfigFile, NamesAFileThatIsNotThere) {
    auto result = load_config_file("/nonexistent/bulkhead.json", FileCheck::whole);
    ASSERT_FALSE(result);
    EXPECT_TRUE(result.error().message.starts_with("/nonexistent/bulkhead.json: ")) << result.error().message;
}

TEST(ConfigFile, ObjectsAreTheFiles) {
    auto document = read_config_text(R"({"version": 1, "segments": [{"name": "a", "vni": 1}]})", "f", FileCheck::whole);
    ASSERT_TRUE(document);
    EXPECT_EQ(document->model.segments.at("a").owner, "file");
}

TEST(TextPosition, FindsValues) {
    constexpr std::string_view kText = "{\"a\": [1, \"]\\\"\", {\"x/y\": true}],\n \"b\": {\"c\": null}}";
    EXPECT_EQ(position_of_pointer(kText, "/a/0"), (TextPosition{1, 8}));
    EXPECT_EQ(position_of_pointer(kText, "/a/1"), (TextPosition{1, 11}));
    EXPECT_EQ(position_of_pointer(kText, "/a/2/x~1y"), (TextPosition{1, 26}));
    EXPECT_EQ(position_of_pointer(kText, "/b/c"), (TextPosition{2, 13}));
    EXPECT_EQ(position_of_pointer(kText, "/b/d"), (TextPosition{2, 7}));
    EXPECT_EQ(position_of_pointer(kText, ""), (TextPosition{1, 1}));
}

}  // namespace
}  // namespace bulkhead::config
