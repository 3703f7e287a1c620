// SPDX-License-Identifier: Apache-2.0
#include "control/api/api_markdown.h"

#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace bulkhead::api {
namespace {

TEST(ApiMarkdown, ThePageInTheRepositoryIsFresh) {
    std::ifstream file(API_PAGE, std::ios::binary);
    const std::string page(std::istreambuf_iterator<char>(file), {});
    EXPECT_TRUE(page == api_markdown()) << "make it anew: build/control/api/docs/generate_api_docs docs/api.md";
}

TEST(ApiMarkdown, BarsInTextDoNotBreakTables) {
    const std::string page = api_markdown();
    for (std::size_t from = 0, to = 0; (to = page.find('\n', from)) != std::string::npos; from = to + 1) {
        const std::string line = page.substr(from, to - from);
        if (!line.starts_with("| ")) continue;
        int bars = 0;
        for (std::size_t at = 0; at < line.size(); ++at)
            if (line[at] == '|' && (at == 0 || line[at - 1] != '\\')) ++bars;
        EXPECT_TRUE(bars >= 3 && bars <= 5) << line;
    }
}

}  // namespace
}  // namespace bulkhead::api
