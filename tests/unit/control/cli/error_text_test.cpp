// SPDX-License-Identifier: Apache-2.0
#include "control/cli/error_text.h"

#include <gtest/gtest.h>

namespace bulkhead::cli {
namespace {

using nlohmann::json;

TEST(ErrorText, NamesObjectFieldGotAndAllowed) {
    const json error = {{"code", -32602},
                        {"message", "no such segment"},
                        {"data", {{"field", "/segment"}, {"got", "bleu"}, {"allowed", "blue, red"}}}};
    EXPECT_EQ(error_text(error, "port.add", {{"name", "x"}}),
              "port \"x\": /segment: no such segment; got bleu; allowed blue, red");
}

TEST(ErrorText, DoesNotRepeatWhatTheMessageSays) {
    const json error = {{"code", -32002}, {"message", "port \"x\" exists"}, {"data", {{"retryable", false}}}};
    EXPECT_EQ(error_text(error, "port.add", {{"name", "x"}}), "port \"x\" exists");
}

TEST(ErrorText, SaysWhenToTryAgain) {
    const json error = {{"code", -32007}, {"message", "starting"}, {"data", {{"retryable", true}}}};
    EXPECT_EQ(error_text(error, "config.apply", json::object()), "config apply: starting (try again)");
}

TEST(ErrorText, BearsWithOddErrors) {
    EXPECT_EQ(error_text("what?", "a.b", json::array()), "a b: refused");
    EXPECT_EQ(error_text({{"message", 5}, {"data", 7}}, "a.b", json::object()), "a b: 5");
    EXPECT_EQ(error_text({{"message", "\033[2J"}}, "a.b", json::object()), "a b: ?[2J");
}

}  // namespace
}  // namespace bulkhead::cli
