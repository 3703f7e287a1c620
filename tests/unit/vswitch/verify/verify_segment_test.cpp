// SPDX-License-Identifier: Apache-2.0
// What a switch says of its own tables, compared with the model that it was given, and with others that it was not:
// whatever is not the same is named, and nothing else.
#include <map>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/support/bench.h"
#include "vswitch/packet/ip.h"

namespace bulkhead::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// "tcp-by-number 6 dst 5432 by web-to-db": enough to tell one from the other.
std::string spoken(const Traffic& traffic) {
    std::string text;
    const auto add = [&](const std::string& word) { text += (text.empty() ? "" : " ") + word; };
    for (const std::uint16_t ethertype : traffic.ethertypes.items)
        add((traffic.ethertypes.all_but ? "not-type-" : "type-") + std::to_string(ethertype));
    for (const std::uint8_t protocol : traffic.protocols.items)
        add((traffic.protocols.all_but ? "not-" : "") + std::to_string(protocol));
    for (const std::uint8_t type : traffic.icmp_types) add("icmp-" + std::to_string(type));
    for (const std::string& source : traffic.sources) add("from " + source);
    for (const std::string& destination : traffic.destinations) add("to " + destination);
    for (const PortRange& ports : traffic.src_ports) add("sport " + to_string(ports));
    for (const PortRange& ports : traffic.dst_ports) add("dport " + to_string(ports));
    for (const MacAddress& mac : traffic.source_macs.items)
        add((traffic.source_macs.all_but ? "not-" : "") + mac.to_string());
    if (!traffic.opens) add("stray");
    if (text.empty()) text = "anything";
    if (!traffic.verdict.rule.empty()) text += " by " + traffic.verdict.rule;
    if (!traffic.verdict.via.empty()) text += " via " + traffic.verdict.via;
    return text;
}

std::vector<std::string> spoken(const std::vector<Traffic>& list) {
    std::vector<std::string> texts;
    for (const Traffic& traffic : list) texts.push_back(spoken(traffic));
    return texts;
}

class Verified : public testing::Test {
  protected:
    Verified() {
        bench.segment("blue", 100);
        std::uint16_t id = 0;
        for (const char* group : {"web", "db"})
            bench.model.groups[{"blue", group}] = {.owner = {}, .segment = "blue", .name = group, .id = ++id};
        station("w", 1).group = "web";
        station("d", 2).group = "db";
        station("x", 3);
    }
    /// An attachment with 02:00:00:00:00:NN and 10.0.0.NN.
    Attachment& station(const std::string& port, unsigned number) {
        Attachment& attachment = bench.access(port, "blue").attachments[0];
        attachment.macs = {MacAddress(0x0200'0000'0000ULL | number)};
        attachment.ips = {{IpAddress::v4(0x0a00'0000 | number), 32}};
        return attachment;
    }
    static Attachment& attachment(Model& model, const std::string& port) { return model.ports.at(port).attachments[0]; }
    static Policy& rule(Model& model, const std::string& name, std::uint32_t order,
                        PolicyAction action = PolicyAction::allow) {
        Policy& policy = model.policies[{"blue", name}];
        policy.segment = "blue";
        policy.name = name;
        policy.order = order;
        policy.action = action;
        return policy;
    }
    /// web may ask db at TCP 5432, and nothing else.
    void close() {
        bench.model.segments["blue"].default_policy = DefaultPolicy::deny;
        Policy& sql = rule(bench.model, "sql", 10);
        sql.from.groups = {"web"};
        sql.to.groups = {"db"};
        sql.protocol = kProtocolTcp;
        sql.dst_ports = {{5432, 5432}};
    }
    SegmentVerification verify(const Model& intent) {
        return bench.vswitch().verify_segment({.segment = "blue", .intent = intent});
    }
    SegmentVerification verify() { return verify(bench.model); }
    static const VerifiedPair& pair(const SegmentVerification& found, const std::string& from, const std::string& to) {
        for (const VerifiedPair& pair : found.pairs)
            if (pair.from.to_string() == from && pair.to.to_string() == to) return pair;
        ADD_FAILURE() << from << " -> " << to << " is not there";
        static const VerifiedPair none;
        return none;
    }
    static void expect_no_difference(const SegmentVerification& found) {
        EXPECT_THAT(found.differences, IsEmpty());
        for (const VerifiedAttachment& attachment : found.attachments)
            ADD_FAILURE() << attachment.name.to_string() << ": " << attachment.differences.front();
        for (const VerifiedPair& pair : found.pairs) {
            EXPECT_THAT(pair.differences, IsEmpty()) << pair.from.to_string() << " -> " << pair.to.to_string();
            EXPECT_EQ(pair.reachable, pair.intended);
            EXPECT_EQ(pair.allowed, pair.meant);
            EXPECT_EQ(pair.incomplete, "");
        }
    }
    /// The only difference of the only pair that has one.
    static Difference only_difference(const SegmentVerification& found, const std::string& from,
                                      const std::string& to) {
        Difference result;
        for (const VerifiedPair& pair : found.pairs) {
            const bool is_it = pair.from.to_string() == from && pair.to.to_string() == to;
            EXPECT_THAT(pair.differences, SizeIs(is_it ? 1U : 0U))
                << pair.from.to_string() << " -> " << pair.to.to_string();
            if (is_it && pair.differences.size() == 1) result = pair.differences.front();
        }
        return result;
    }

    Bench bench;
};

TEST_F(Verified, WithoutRulesEverybodyReachesEverybody) {
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    ASSERT_THAT(found.pairs, SizeIs(6));
    for (const VerifiedPair& pair : found.pairs) {
        EXPECT_TRUE(pair.reachable);
        EXPECT_THAT(spoken(pair.allowed), ElementsAre("anything"));
    }
}

TEST_F(Verified, InAClosedSegmentWhatARuleAllows) {
    close();
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    for (const VerifiedPair& pair : found.pairs)
        EXPECT_EQ(pair.reachable, pair.from.port == "w" && pair.to.port == "d") << pair.from.port << pair.to.port;
    EXPECT_THAT(spoken(pair(found, "w", "d").allowed), ElementsAre("6 dport 5432 by sql"));
    EXPECT_THAT(pair(found, "d", "w").allowed, IsEmpty()) << "answers are of the connection, and open nothing";
}

TEST_F(Verified, RulesThatHideOneAnother) {
    close();
    Policy& all = rule(bench.model, "all", 20);
    all.from.groups = {"web"};
    all.protocol = kProtocolTcp;
    all.dst_ports = {{5000, 6000}};
    Policy& ping = rule(bench.model, "ping", 30);
    ping.protocol = kProtocolIcmp;
    ping.icmp_types = {8};
    rule(bench.model, "off", 15, PolicyAction::deny).dst_ports = {{5100, 5199}};
    bench.model.policies[{"blue", "off"}].protocol = kProtocolTcp;
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    EXPECT_THAT(
        spoken(pair(found, "w", "d").allowed),
        testing::UnorderedElementsAre("6 dport 5432 by sql", "6 dport 5000-5099 dport 5200-5431 dport 5433-6000 by all",
                                      "type-2048 1 icmp-8 by ping"));
    EXPECT_THAT(spoken(pair(found, "x", "d").allowed), ElementsAre("type-2048 1 icmp-8 by ping"));
}

TEST_F(Verified, WhoIsHeldToItsAddressesIsAskedAboutTheseAlone) {
    close();
    for (const char* port : {"w", "d"}) attachment(bench.model, port).security = PortSecurity::strict;
    rule(bench.model, "near", 20).from.ips = {{IpAddress::v4(0x0a00'0000), 30}};
    bench.model.policies[{"blue", "near"}].to.ips = {{IpAddress::v4(0x0a00'0000), 29}};
    rule(bench.model, "far", 30).from.ips = {{IpAddress::v4(0x0b00'0000), 8}};
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    const std::vector<std::string> near = spoken(pair(found, "w", "d").allowed);
    EXPECT_THAT(near, testing::Contains("6 dport 5432 by sql"));
    EXPECT_THAT(near, testing::Contains(HasSubstr("by near")));
    EXPECT_THAT(near, testing::Not(testing::Contains(HasSubstr("by far")))) << "it has no such address";
    EXPECT_THAT(spoken(pair(found, "x", "d").allowed), testing::Contains(HasSubstr("by far")));
}

TEST_F(Verified, ADhcpClientMayAskBeforeItHasAnAddress) {
    close();
    attachment(bench.model, "w").security = PortSecurity::strict;
    Policy& dhcp = rule(bench.model, "dhcp", 5);
    dhcp.from.ips = {{IpAddress::v4(0), 32}};
    dhcp.protocol = kProtocolUdp;
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    EXPECT_THAT(spoken(pair(found, "w", "x").allowed), ElementsAre("17 from 0.0.0.0/32 sport 68 dport 67 by dhcp"));
}

TEST_F(Verified, NothingPassesBetweenIsolatedOnes) {
    for (const char* port : {"w", "x"}) attachment(bench.model, port).isolated = true;
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    EXPECT_FALSE(pair(found, "w", "x").reachable);
    EXPECT_TRUE(pair(found, "w", "d").reachable);
}

TEST_F(Verified, ADetourIsNamed) {
    close();
    bench.model.policies[{"blue", "sql"}].action = PolicyAction::redirect;
    bench.model.policies[{"blue", "sql"}].to_port = "x";
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    EXPECT_THAT(spoken(pair(found, "w", "d").allowed), ElementsAre("6 dport 5432 by sql via x"));
}

TEST_F(Verified, VlansOfATrunkAreEndsOfTheirOwn) {
    bench.trunk("t");
    bench.vlan("t", 7, "blue").group = "web";
    close();
    bench.apply();
    const SegmentVerification found = verify();
    expect_no_difference(found);
    EXPECT_TRUE(pair(found, "t:7", "d").reachable);
    EXPECT_FALSE(pair(found, "t:7", "x").reachable);
}

// ---- what is not as it was meant ----

TEST_F(Verified, ARuleThatIsMissing) {
    close();
    const Model intent = bench.model;
    bench.model.policies.clear();
    bench.apply();
    const SegmentVerification found = verify(intent);
    const Difference difference = only_difference(found, "w", "d");
    EXPECT_FALSE(pair(found, "w", "d").reachable);
    EXPECT_TRUE(pair(found, "w", "d").intended);
    EXPECT_FALSE(difference.installed.passes);
    EXPECT_EQ(difference.installed.ground, "none");
    EXPECT_TRUE(difference.intended.passes);
    EXPECT_EQ(difference.intended.rule, "sql");
    EXPECT_THAT(spoken(difference.traffic), ElementsAre("6 dport 5432"));
    EXPECT_EQ(difference.sample.destination_port, 5432);
    EXPECT_EQ(difference.sample.protocol, kProtocolTcp);
    EXPECT_EQ(difference.from_group, "web");
}

TEST_F(Verified, ARuleThatIsInstalledAndNobodyWrote) {
    close();
    const Model intent = bench.model;
    Policy& more = rule(bench.model, "more", 20);
    more.from.macs = {MacAddress(0x0200'0000'0003)};
    more.to.groups = {"db"};
    more.protocol = kProtocolUdp;
    bench.apply();
    const SegmentVerification found = verify(intent);
    // x, whose security is off, and w can both send from that address.
    for (const char* from : {"w", "x"}) {
        const VerifiedPair& seen = pair(found, from, "d");
        ASSERT_THAT(seen.differences, SizeIs(1));
        EXPECT_TRUE(seen.differences[0].installed.passes);
        EXPECT_EQ(seen.differences[0].installed.rule, "more");
        EXPECT_THAT(spoken(seen.differences[0].traffic), ElementsAre("17 02:00:00:00:00:03"));
    }
    EXPECT_THAT(pair(found, "d", "w").differences, IsEmpty());
}

TEST_F(Verified, APrefixAndAPortThatHaveChanged) {
    close();
    Policy& sql = bench.model.policies[{"blue", "sql"}];
    sql.to.ips = {{IpAddress::v4(0x0a00'0000), 24}};
    Model intent = bench.model;
    sql.to.ips = {{IpAddress::v4(0x0a00'0000), 25}};
    bench.apply();
    Difference difference = only_difference(verify(intent), "w", "d");
    EXPECT_THAT(spoken(difference.traffic), ElementsAre("6 to 10.0.0.128/25 dport 5432"));
    EXPECT_EQ(difference.intended.rule, "sql");

    sql.to.ips = {{IpAddress::v4(0x0a00'0000), 24}};
    sql.dst_ports = {{5430, 5432}};
    bench.apply();
    difference = only_difference(verify(intent), "w", "d");
    EXPECT_TRUE(difference.installed.passes);
    EXPECT_THAT(spoken(difference.traffic), ElementsAre("6 to 10.0.0.0/24 dport 5430-5431"));
}

TEST_F(Verified, ARuleThatWasMeantToBeOfOneDirectionOnly) {
    close();
    Model intent = bench.model;
    intent.policies[{"blue", "sql"}].stateful = false;
    bench.apply();
    const Difference difference = only_difference(verify(intent), "w", "d");
    EXPECT_THAT(spoken(difference.traffic), ElementsAre("6 dport 5432 stray"));
    EXPECT_TRUE(difference.intended.passes);
    EXPECT_FALSE(difference.installed.passes);
}

TEST_F(Verified, AnIsolatedFlagThatIsMissing) {
    for (const char* port : {"w", "x"}) attachment(bench.model, port).isolated = true;
    const Model intent = bench.model;
    attachment(bench.model, "x").isolated = false;
    bench.apply();
    const SegmentVerification found = verify(intent);
    ASSERT_THAT(found.attachments, SizeIs(1));
    EXPECT_EQ(found.attachments[0].name.to_string(), "x");
    EXPECT_THAT(found.attachments[0].differences, ElementsAre("isolated: installed is no, meant was yes"));
    const VerifiedPair& open = pair(found, "w", "x");
    EXPECT_TRUE(open.reachable);
    EXPECT_FALSE(open.intended);
    ASSERT_THAT(open.differences, SizeIs(testing::Ge(1)));
    EXPECT_EQ(open.differences[0].intended.why, "both are isolated");
    EXPECT_THAT(pair(found, "w", "d").differences, IsEmpty());
}

TEST_F(Verified, AnotherGroupThanWasMeant) {
    close();
    const Model intent = bench.model;
    attachment(bench.model, "x").group = "web";
    bench.apply();
    const SegmentVerification found = verify(intent);
    ASSERT_THAT(found.attachments, SizeIs(1));
    EXPECT_THAT(found.attachments[0].differences[0], HasSubstr("group"));
    EXPECT_TRUE(pair(found, "x", "d").reachable);
    EXPECT_FALSE(pair(found, "x", "d").intended);
}

TEST_F(Verified, SecurityThatIsNotInForce) {
    Model intent = bench.model;
    attachment(intent, "w").security = PortSecurity::strict;
    bench.apply();
    SegmentVerification found = verify(intent);
    ASSERT_THAT(found.attachments, SizeIs(1));
    EXPECT_THAT(found.attachments[0].differences[0], HasSubstr("station is checked"));

    attachment(bench.model, "w").security = PortSecurity::strict;
    attachment(intent, "w").ips = {{IpAddress::v4(0x0a00'0009), 32}};
    bench.apply();
    found = verify(intent);
    ASSERT_THAT(found.attachments, SizeIs(1));
    EXPECT_THAT(found.attachments[0].differences[0], HasSubstr("ips"));
    ASSERT_FALSE(pair(found, "w", "d").differences.empty()) << "what it should say is taken for spoofed";
    EXPECT_EQ(pair(found, "w", "d").differences[0].installed.ground, "port");
}

TEST_F(Verified, AttachmentsThatAreMissingAndThatNobodyConfigured) {
    close();
    Model intent = bench.model;
    intent.ports["late"] = intent.ports["w"];
    intent.ports["late"].name = "late";
    intent.ports.erase("x");
    bench.apply();
    const SegmentVerification found = verify(intent);
    std::map<std::string, std::string> told;
    for (const VerifiedAttachment& attachment : found.attachments)
        told[attachment.name.to_string()] = attachment.differences.front();
    EXPECT_EQ(told, (std::map<std::string, std::string>{{"late", "it is not installed"},
                                                        {"x", "it is installed, and nobody configured it"}}));
    EXPECT_FALSE(pair(found, "late", "d").reachable);
    EXPECT_TRUE(pair(found, "late", "d").intended);
    const Difference& late = pair(found, "late", "d").differences.back();
    EXPECT_EQ(late.installed.why, "late: it is not installed");
    EXPECT_EQ(late.intended.rule, "sql");
}

TEST_F(Verified, TheSegmentItself) {
    Model intent = bench.model;
    intent.segments["blue"].default_policy = DefaultPolicy::deny;
    intent.segments["blue"].flood = FloodMode::none;
    bench.apply();
    const SegmentVerification found = verify(intent);
    EXPECT_THAT(found.differences, testing::UnorderedElementsAre("flood: installed is all, meant was none",
                                                                 "default_policy: installed is allow, meant was deny"));
    EXPECT_TRUE(pair(found, "w", "d").reachable);
    EXPECT_FALSE(pair(found, "w", "d").intended);
    EXPECT_THAT(bench.vswitch().verify_segment({.segment = "none", .intent = intent}).differences,
                ElementsAre("it is not installed"));
}

// ---- how much is asked for and answered ----

TEST_F(Verified, PageByPage) {
    close();
    bench.apply();
    std::vector<std::string> seen;
    VerificationQuestion question{.segment = "blue", .intent = bench.model, .limit = 4};
    bool has_more = true;
    while (has_more) {
        const SegmentVerification found = bench.vswitch().verify_segment(question);
        ASSERT_FALSE(found.pairs.empty());
        for (const VerifiedPair& pair : found.pairs) seen.push_back(pair.from.port + pair.to.port);
        question.after = {found.pairs.back().from, found.pairs.back().to};
        has_more = found.has_more;
    }
    EXPECT_THAT(seen, ElementsAre("dw", "dx", "wd", "wx", "xd", "xw"));

    const auto pairs = [&](const VerificationQuestion& asked) { return bench.vswitch().verify_segment(asked).pairs; };
    EXPECT_THAT(pairs({.segment = "blue", .intent = bench.model, .from = "w"}), SizeIs(2));
    EXPECT_THAT(pairs({.segment = "blue", .intent = bench.model, .from = "w", .to = "d"}), SizeIs(1));
    const auto is_visible = [](const std::string& port) { return port != "x"; };
    EXPECT_THAT(pairs({.segment = "blue", .intent = bench.model, .is_visible = is_visible}), SizeIs(2));
}

TEST_F(Verified, MoreThanIsLookedAtIsSaid) {
    close();
    bench.apply();
    const SegmentVerification found =
        bench.vswitch().verify_segment({.segment = "blue", .intent = bench.model, .most_flows_of_pair = 3});
    EXPECT_THAT(pair(found, "w", "d").incomplete, HasSubstr("about 3"));
}

}  // namespace
}  // namespace bulkhead::test
