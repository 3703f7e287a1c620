// SPDX-License-Identifier: Apache-2.0
#include "pmd/cores.h"

#include <gtest/gtest.h>

namespace bulkhead {
namespace {

using Cores = std::vector<std::uint16_t>;

const Cores kMachine{0, 1, 2, 3, 4, 5, 8};

TEST(Cores, ReadsListsInTheOrderWritten) {
    const std::vector<std::pair<const char*, Cores>> table{
        {"0", {0}}, {"1,3-5", {1, 3, 4, 5}}, {"5,0", {5, 0}}, {"0-2", {0, 1, 2}}, {"2-2", {2}}, {"8,0-1", {8, 0, 1}},
    };
    for (const auto& [text, wanted] : table) {
        const auto cores = parse_cores(text, kMachine);
        ASSERT_TRUE(cores) << text << ": " << cores.error().message;
        EXPECT_EQ(*cores, wanted) << text;
    }
}

TEST(Cores, RefusesWithFieldAndWhatIsThere) {
    for (const char* text :
         {"", ",", "1,", ",1", "x", "1-", "-1", "3-1", "1--2", "1 ,2", "0x1", "1-2-3", "70000", "1.5", "+1"}) {
        const auto cores = parse_cores(text, kMachine);
        ASSERT_FALSE(cores) << text;
        EXPECT_EQ(cores.error().code, ErrorCode::invalid_params);
        EXPECT_EQ(cores.error().field, "/cores");
        EXPECT_EQ(cores.error().got, text);
        EXPECT_EQ(cores.error().allowed, "CPUs of 0-5,8");
    }
}

TEST(Cores, SaysWhichCpuIsWrong) {
    EXPECT_EQ(parse_cores("1,6", kMachine).error().message,
              "CPU 6 does not exist here, or this process may not use it");
    EXPECT_EQ(parse_cores("4-9", kMachine).error().message,
              "CPU 6 does not exist here, or this process may not use it");
    EXPECT_EQ(parse_cores("1,0-2", kMachine).error().message, "CPU 1 is named twice");
}

TEST(Cores, RefusesMoreThanTheWorkersThereCanBe) {
    Cores large;
    for (std::uint16_t core = 0; core < 100; ++core) large.push_back(core);
    EXPECT_TRUE(parse_cores("0-63", large));
    EXPECT_EQ(parse_cores("0-64", large).error().allowed, "at most 64");
}

TEST(Cores, FormatsRangesJoined) {
    EXPECT_EQ(format_cores({}), "");
    EXPECT_EQ(format_cores({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
}

TEST(Cores, ThisMachineHasSome) {
    const auto cores = available_cores();
    ASSERT_FALSE(cores.empty());
    EXPECT_TRUE(parse_cores(std::to_string(cores.front())));
}

}  // namespace
}  // namespace bulkhead
