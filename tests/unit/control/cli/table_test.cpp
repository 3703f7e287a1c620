// SPDX-License-Identifier: Apache-2.0
#include "control/cli/table.h"

#include <sstream>

#include <gtest/gtest.h>

namespace bulkhead::cli {
namespace {

Table people() {
    Table table({"NAME", "AGE", "TOWN"});
    table.add({{"ada"}, {"36", true}, {"London and its surroundings"}});
    table.add({{"grace-hopper"}, {"7", true}, {"Arlington"}});
    return table;
}

TEST(Table, AlignsNumbersRightAndTextLeft) {
    EXPECT_EQ(people().text({}),
              "NAME          AGE  TOWN\n"
              "ada            36  London and its surroundings\n"
              "grace-hopper    7  Arlington\n");
}

TEST(Table, HasABoldHeadingOnlyWithColour) {
    EXPECT_TRUE(people().text({.width = 0, .colour = true}).starts_with("\033[1mNAME"));
    EXPECT_EQ(people().text({}).find('\033'), std::string::npos);
}

TEST(Table, CutsTheWidestTextOnANarrowScreen) {
    const std::string text = people().text({.width = 30, .colour = false});
    EXPECT_NE(text.find("London and…"), std::string::npos) << text;
    EXPECT_NE(text.find("grace-hopper"), std::string::npos) << text;
}

TEST(Table, NeverExceedsTheScreen) {
    for (std::size_t width = 1; width < 60; ++width) {
        std::istringstream lines(people().text({.width = width, .colour = false}));
        for (std::string line; std::getline(lines, line);) EXPECT_LE(display_width(line), width) << line;
    }
}

TEST(Text, MakesControlCharactersHarmless) {
    EXPECT_EQ(printable("a\033[2Jb\nc\177"), "a?[2Jb?c?");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "?31m");  // U+009B is CSI in one character
    EXPECT_EQ(printable("grün …"), "grün …");
}

TEST(Text, ShortensByColumnsNotBytes) {
    EXPECT_EQ(shortened("grün", 4), "grün");
    EXPECT_EQ(shortened("grüner", 4), "grü…");
    EXPECT_EQ(shortened("abc", 0), "");
}

TEST(Text, WritesValuesInALine) {
    EXPECT_EQ(one_line(true), "yes");
    EXPECT_EQ(one_line(nullptr), "-");
    EXPECT_EQ(one_line(""), "-");
    EXPECT_EQ(one_line(nlohmann::json::array()), "-");
    EXPECT_EQ(one_line({"a", 2}), "a, 2");
}

}  // namespace
}  // namespace bulkhead::cli
