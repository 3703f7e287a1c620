// SPDX-License-Identifier: Apache-2.0
#include "control/config/merge.h"

#include <gtest/gtest.h>

#include "control/config/object_json.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

json guest() {
    return encode(*decode_port(json::parse(
        R"({"name": "p", "type": "vhost-user", "path": "/a", "mode": "server", "mtu": 1400, "segment": "s"})")));
}

TEST(Merge, NullBringsTheDefaultBack) {
    auto port = decode_port(merged(
        guest(),
        {{"mtu", nullptr}, {"segment", nullptr}, {"isolated", nullptr}, {"macs", nullptr}, {"tagged", nullptr}}));
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_FALSE(port->mtu);
    EXPECT_TRUE(port->attachments.empty());
}

TEST(Merge, DetachingNeedsOnlyTheSegmentsNull) {
    auto port = decode_port(merged(guest(), {{"segment", nullptr}}));
    ASSERT_TRUE(port) << port.error().message;
    EXPECT_TRUE(port->attachments.empty());
}

TEST(Merge, ReplacesListsWhole) {
    auto port = decode_port(merged(guest(), json::parse(R"({"vlans": [{"vlan": 5, "segment": "t"}]})")));
    ASSERT_TRUE(port);
    EXPECT_EQ(port->attachments.size(), 2U);
}

TEST(Immutable, RefusesEachOne) {
    const std::pair<const char*, json> changes[] = {{"name", "q"},   {"type", "tap"},    {"path", "/b"},
                                                    {"queues", 2},   {"mode", "client"}, {"owner_uid", 5},
                                                    {"path", json()}};
    for (const auto& [field, value] : changes) {
        SCOPED_TRACE(field);
        auto result = check_immutable(api::port_fields(), "port", guest(), merged(guest(), {{field, value}}));
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().field, "/" + std::string(field));
        EXPECT_NE(result.error().message.find("remove the port and add it again"), std::string::npos);
    }
}

TEST(Immutable, LetsTheOthersAndTheSameValuePass) {
    EXPECT_TRUE(check_immutable(api::port_fields(), "port", guest(), merged(guest(), {{"path", "/a"}, {"mtu", 1300}})));
}

}  // namespace
}  // namespace bulkhead::config
