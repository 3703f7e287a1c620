// SPDX-License-Identifier: Apache-2.0
#include "control/state/audit_log.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/control/rpc/temp_folder.h"

namespace bulkhead {
namespace {

using nlohmann::json;
using testing::MatchesRegex;

AuditEntry entry(std::uint64_t generation) {
    return {.uid = 1001,
            .pid = 4711,
            .role = "operator",
            .method = "segment.add",
            .object = "segment blue",
            .generation = generation,
            .result = "ok"};
}

class AuditLogTest : public testing::Test {
  protected:
    std::vector<json> lines(const std::string& name = "audit.log") {
        std::vector<json> parsed;
        std::ifstream file(folder / name);
        for (std::string line; std::getline(file, line);) parsed.push_back(json::parse(line));
        return parsed;
    }

    TempFolder folder;
    std::string path = folder / "audit.log";
};

TEST_F(AuditLogTest, WritesALineAChange) {
    AuditLog(folder.path()).append(entry(12));
    AuditLog(folder.path()).append(entry(13));  // another start goes on
    ASSERT_EQ(lines().size(), 2U);
    json line = lines()[0];
    EXPECT_THAT(line.at("time").get<std::string>(), MatchesRegex("20[0-9-]*T[0-9:.]*Z"));
    line.erase("time");
    EXPECT_EQ(line, json::parse(R"({"uid":1001,"pid":4711,"role":"operator","method":"segment.add",
                                    "object":"segment blue","generation":12,"result":"ok"})"));
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(AuditLogTest, NobodyForgesALine) {
    AuditEntry forged = entry(1);
    forged.object = "a\n{\"uid\":0}\xff";
    AuditLog(folder.path()).append(forged);
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(lines()[0].at("object"), "a\n{\"uid\":0}\xef\xbf\xbd");
}

TEST_F(AuditLogTest, RotatesAtItsBoundAndKeepsAFew) {
    AuditLog log(folder.path(), 1000, 3);
    for (std::uint64_t i = 1; i <= 100; ++i) log.append(entry(i));
    std::uint64_t expected = 100;
    for (const char* name : {"audit.log", "audit.log.1", "audit.log.2", "audit.log.3"}) {
        EXPECT_LE(std::filesystem::file_size(folder / name), 1000U);
        auto found = lines(name);
        ASSERT_FALSE(found.empty());
        for (auto line = found.rbegin(); line != found.rend(); ++line) EXPECT_EQ(line->at("generation"), expected--);
    }
    EXPECT_FALSE(std::filesystem::exists(folder / "audit.log.4"));
}

TEST_F(AuditLogTest, AnUnfinishedLineDoesNotSpoilTheNext) {
    std::ofstream(path) << R"({"time":"20)";
    AuditLog log(folder.path());
    log.append(entry(1));
    log.append(entry(2));
    std::ifstream file(path);
    std::string torn, first, second;
    std::getline(file, torn);
    std::getline(file, first);
    std::getline(file, second);
    EXPECT_EQ(json::parse(first).at("generation"), 1);
    EXPECT_EQ(json::parse(second).at("generation"), 2);
}

TEST_F(AuditLogTest, WhatCannotBeWrittenStopsNothingAndRecovers) {
    std::filesystem::create_directory(path);
    AuditLog log(folder.path());
    log.append(entry(1));
    std::filesystem::remove(path);
    log.append(entry(2));
    ASSERT_EQ(lines().size(), 1U);
    EXPECT_EQ(lines()[0].at("generation"), 2);
}

}  // namespace
}  // namespace bulkhead
