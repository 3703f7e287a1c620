// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/line_buffer.h"

#include <gtest/gtest.h>

namespace bulkhead::rpc {
namespace {

TEST(LineBuffer, HandsOutLinesHoweverTheyArrive) {
    const std::string text = "a\n\nbc\n" + std::string(300'000, 'd') + "\ne";
    for (const std::size_t piece : {1UL, 2UL, 3UL, 7UL, 65536UL, text.size()}) {
        LineBuffer buffer;
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < text.size(); at += piece) {
            buffer.append(std::string_view(text).substr(at, piece));
            while (const auto line = buffer.next()) lines.emplace_back(*line);
        }
        EXPECT_EQ(lines, (std::vector<std::string>{"a", "", "bc", std::string(300'000, 'd')})) << piece;
        EXPECT_EQ(buffer.size(), 1U);
        EXPECT_FALSE(buffer.has_line());
        EXPECT_EQ(buffer.take_rest(), "e");
        EXPECT_EQ(buffer.take_rest(), std::nullopt);
        EXPECT_EQ(buffer.size(), 0U);
    }
}

}  // namespace
}  // namespace bulkhead::rpc
