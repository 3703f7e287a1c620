// SPDX-License-Identifier: Apache-2.0
// The table of tests/e2e/lib/stations.py, one test a packet: through the whole pipeline, from each station to its peer.
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/support/bench.h"

namespace bulkhead::test {
namespace {

using nlohmann::json;

Bytes bytes_of(const std::string& hex) {
    Bytes bytes;
    for (std::size_t at = 0; at < hex.size(); at += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(hex.substr(at, 2), nullptr, 16)));
    return bytes;
}

PortSecurity security_of(const std::string& name) {
    if (name == "off") return PortSecurity::off;
    return name == "mac" ? PortSecurity::mac : PortSecurity::strict;
}

Attachment attachment_of(const json& fields) {
    Attachment attachment;
    attachment.segment = "blue";
    if (fields.contains("vlan")) attachment.vlan = fields["vlan"];
    for (const std::string mac : fields.value("macs", json::array()))
        attachment.macs.push_back(*MacAddress::parse(mac));
    for (const std::string ip : fields.value("ips", json::array())) attachment.ips.push_back(*IpPrefix::parse(ip));
    attachment.security = security_of(fields.value("security", "off"));
    for (const std::string guard : fields.value("guards", json::array()))
        (guard == "ra" ? attachment.guards.router : attachment.guards.dhcp_server) = true;
    if (fields.value("tagged", "drop") == "carry") attachment.tagged = TaggedFrames::carry;
    return attachment;
}

class Station : public testing::Test {
  public:
    Station(const json& table, const json& packet) : packet_(packet), peer_(std::to_string(table["peer"].get<int>())) {
        bench_.segment("blue", 100);
        for (const auto& [number, fields] : table["attachments"].items())
            bench_.trunk(number).attachments.push_back(attachment_of(fields));
        bench_.apply();
    }

    void TestBody() override {
        const std::string verdict = packet_["verdict"];
        const std::string sender = std::to_string(packet_["sender"].get<int>());
        const auto sent = bench_.pass(sender, bytes_of(packet_["frame"]));
        EXPECT_FALSE(sent.contains(sender));
        if (verdict == "none") {
            ASSERT_TRUE(sent.contains(peer_));
            EXPECT_EQ(sent.at(peer_), std::vector<Bytes>{bytes_of(packet_["arrives"])});
            return;
        }
        EXPECT_TRUE(sent.empty());
        const auto reason = drop_reason_from(verdict);
        ASSERT_TRUE(reason) << verdict;
        EXPECT_EQ(bench_.drops(*reason), 1U);
        EXPECT_TRUE(learned_nothing()) << "something was learned from it";
    }

  private:
    [[nodiscard]] bool learned_nothing() {
        for (const MacEntry& entry : bench_.vswitch().macs({}))
            if (!entry.is_static) return false;
        return true;
    }

    const json packet_;
    const std::string peer_;
    Bench bench_;
};

/// The file is named by the environment.
bool add_tests() {
    const char* const file = std::getenv("BULKHEAD_STATIONS");
    if (file == nullptr) return false;
    const auto table = std::make_shared<json>(json::parse(std::ifstream(file)));
    for (const json& packet : table->at("cases")) {
        const std::string name = packet["name"];
        testing::RegisterTest("Station", name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [table, packet]() -> testing::Test* { return new Station(*table, packet); });
    }
    return true;
}

const bool kAdded = add_tests();

TEST(Stations, AreThere) {
    EXPECT_TRUE(kAdded) << "BULKHEAD_STATIONS names no table";
}

}  // namespace
}  // namespace bulkhead::test
