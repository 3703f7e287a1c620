// SPDX-License-Identifier: Apache-2.0
// The sample configurations are what a user starts from: each must decode, fit together and come back from the codec.
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

#include "control/config/config_file.h"
#include "vswitch/model/validate.h"

namespace bulkhead::config {
namespace {

TEST(Samples, AllAreGood) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(BULKHEAD_CONFIGS)) {
        if (entry.path().extension() != ".json") continue;
        SCOPED_TRACE(entry.path());
        names.insert(entry.path().filename());
        auto document = load_config_file(entry.path(), FileCheck::whole);
        ASSERT_TRUE(document) << document.error().message;
        ASSERT_TRUE(document->node);
        EXPECT_FALSE(document->model.ports.empty());
        auto again = decode_document(encode_document(*document));
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(again->model, document->model);
    }
    EXPECT_EQ(names, (std::set<std::string>{"guests.json", "pods.json", "trunk-firewall.json"}));
}

}  // namespace
}  // namespace bulkhead::config
