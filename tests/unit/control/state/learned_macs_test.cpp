// SPDX-License-Identifier: Apache-2.0
#include "control/state/learned_macs.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/unit/control/rpc/temp_folder.h"

namespace bulkhead {
namespace {

using std::chrono::seconds;

const WallTime kNow = WallTime() + std::chrono::hours(24 * 20000);

MacEntry entry(std::uint64_t mac, std::string port, std::uint32_t age_s = 0) {
    MacEntry result{.segment = "blue", .mac = MacAddress(mac), .port = std::move(port)};
    result.age_s = age_s;
    return result;
}

class LearnedMacs : public ::testing::Test {
  protected:
    [[nodiscard]] std::string file() const { return folder_.path() + "/learned-macs.json"; }
    void keep(const std::vector<MacEntry>& entries) { ASSERT_TRUE(keep_learned_macs(folder_.path(), entries, kNow)); }
    auto take(WallTime now = kNow) { return take_learned_macs(folder_.path(), now); }

    TempFolder folder_;
};

TEST_F(LearnedMacs, ComeBackOnceAndOlder) {
    MacEntry behind_a_tunnel = entry(2, {}, 7);
    behind_a_tunnel.tunnel = "edge";
    MacEntry tagged = entry(3, "trunk");
    tagged.vlan = 10;
    MacEntry placed = entry(4, "web");
    placed.is_static = true;
    keep({entry(1, "web", 5), behind_a_tunnel, tagged, placed});
    EXPECT_EQ(std::filesystem::status(file()).permissions(), std::filesystem::perms(0600));

    auto back = take(kNow + seconds(3));
    ASSERT_TRUE(back) << back.error().message;
    ASSERT_EQ(back->size(), 3U) << "static ones are in the configuration";
    EXPECT_EQ((*back)[0].mac, MacAddress(1));
    EXPECT_EQ((*back)[0].port, "web");
    EXPECT_EQ((*back)[0].age_s, 8U);
    EXPECT_EQ((*back)[1].tunnel, "edge");
    EXPECT_EQ((*back)[1].port, "");
    EXPECT_EQ((*back)[2].vlan, 10);
    EXPECT_TRUE(take()->empty()) << "a start after a kill would take them for news";
}

TEST_F(LearnedMacs, CountForNothingWhereTimeHasPassedOrGoneBack) {
    for (const seconds away : {kFreshFor + seconds(1), seconds(-1)}) {
        keep({entry(1, "web")});
        auto back = take(kNow + away);
        ASSERT_FALSE(back) << away.count();
        EXPECT_NE(back.error().message.find(" s old"), std::string::npos) << back.error().message;
        EXPECT_TRUE(take()->empty());
    }
}

TEST_F(LearnedMacs, CountForNothingWhenDamaged) {
    for (const char* content :
         {"", "{", "[]", R"({"format": 2})", R"({"format": 1, "saved_at": 1728000000, "macs": [["blue"]]})",
          R"({"format": 1, "saved_at": 1728000000, "macs": [["blue", "no mac", "p", "", 0, 0]]})",
          R"({"format": 1, "saved_at": 1728000000, "macs": [["blue", "02:00:00:00:00:01", "p", "", "x", 0]]})"}) {
        std::ofstream(file()) << content;
        EXPECT_FALSE(take()) << content;
        EXPECT_FALSE(std::filesystem::exists(file()));
    }
}

TEST_F(LearnedMacs, AreKeptUpToABound) {
    keep(std::vector<MacEntry>(kMostKeptMacs + 5, entry(1, "web")));
    EXPECT_EQ(take()->size(), kMostKeptMacs);
}

}  // namespace
}  // namespace bulkhead
