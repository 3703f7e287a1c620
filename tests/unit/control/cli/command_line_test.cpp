// SPDX-License-Identifier: Apache-2.0
#include "control/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/api/methods.h"

namespace bulkhead::cli {
namespace {

using testing::ElementsAre;
using Words = std::vector<std::string>;

TEST(CommandLine, OptionsMayStandAnywhere) {
    const auto line =
        read_command_line(Words{"--json", "port", "list", "--socket", "/tmp/s", "--segment", "blue"}, nullptr);
    ASSERT_TRUE(line);
    EXPECT_TRUE(line->json);
    EXPECT_EQ(line->socket, "/tmp/s");
    EXPECT_THAT(line->words, ElementsAre("port", "list", "--segment", "blue"));
}

TEST(CommandLine, TheSocketComesFromOptionThenEnvironmentThenDefault) {
    EXPECT_EQ(read_command_line(Words{"--socket=/tmp/s"}, "/env")->socket, "/tmp/s");
    EXPECT_EQ(read_command_line(Words{}, "/env")->socket, "/env");
    EXPECT_EQ(read_command_line(Words{}, "")->socket, kDefaultSocket);
    EXPECT_EQ(read_command_line(Words{}, nullptr)->socket, kDefaultSocket);
}

TEST(CommandLine, MistakesAreTold) {
    EXPECT_EQ(read_command_line(Words{"--frob"}, nullptr).error().message, "unknown option --frob");
    EXPECT_EQ(read_command_line(Words{"--socket"}, nullptr).error().message, "--socket needs a value");
    for (const char* time : {"0", "-1", "x", "nan", "1e9", "3x"})
        EXPECT_FALSE(read_command_line(Words{"--timeout", time}, nullptr)) << time;
    EXPECT_EQ(read_command_line(Words{"--timeout", "0.5"}, nullptr)->timeout, std::chrono::milliseconds(500));
}

TEST(CommandLine, NoParameterOfAnyMethodIsHiddenByAnOptionOfOurs) {
    for (const api::Method& method : api::method_table())
        for (const api::Field& field : method.params)
            for (const char* ours : {"json", "socket", "timeout", "help", "version"})
                EXPECT_NE(field.name, ours) << method.name;
}

}  // namespace
}  // namespace bulkhead::cli
