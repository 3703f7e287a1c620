// SPDX-License-Identifier: Apache-2.0
// Random policies, labels and packets: the rules do what Kubernetes says.
#include <random>

#include <gtest/gtest.h>

#include "control/policy_import/import.h"
#include "control/policy_import/read_policies.h"
#include "tests/unit/control/policy_import/packet.h"

namespace bulkhead::policy_import {
namespace {

using nlohmann::json;

class Dice {
  public:
    explicit Dice(unsigned seed) : engine_(seed) {}
    unsigned below(unsigned end) { return std::uniform_int_distribution<unsigned>(0, end - 1)(engine_); }
    bool one_in(unsigned n) { return below(n) == 0; }
    template <typename List>
    auto of(const List& list) {
        return *(std::begin(list) + below(static_cast<unsigned>(std::size(list))));
    }

  private:
    std::mt19937 engine_;
};

constexpr const char *kSpaces[] = {"shop", "ops", "default"}, *kKeys[] = {"app", "tier", "env"},
                     *kValues[] = {"a", "b", "c"}, *kProtocols[] = {"TCP", "UDP", "SCTP"};

json labels(Dice& dice) {
    json result = json::object();
    for (const char* key : kKeys)
        if (dice.one_in(2)) result[key] = dice.of(kValues);
    return result;
}

json selector(Dice& dice) {
    json result = json::object();
    if (dice.one_in(2)) result["matchLabels"][dice.of(kKeys)] = dice.of(kValues);
    if (dice.one_in(3)) {
        const char* op = dice.of(std::array{"In", "NotIn", "Exists", "DoesNotExist"});
        json expression = {{"key", dice.of(kKeys)}, {"operator", op}};
        if (std::string(op).ends_with("In")) expression["values"] = {dice.of(kValues), dice.of(kValues)};
        result["matchExpressions"].push_back(expression);
    }
    return result;
}

std::string address(Dice& dice) {
    if (dice.one_in(4)) return "2001:db8::" + std::to_string(dice.below(8));
    return "10.0.0." + std::to_string(dice.below(16));
}

json ip_block(Dice& dice) {
    const std::string base = address(dice);
    const unsigned widest = base.find(':') == std::string::npos ? 28 : 125, most = widest == 28 ? 32 : 128;
    const unsigned length = dice.one_in(8) ? 0 : widest + dice.below(most - widest);
    json block = {{"cidr", base + "/" + std::to_string(length)}};
    if (dice.one_in(2)) block["except"] = {base + "/" + std::to_string(length + 1 + dice.below(most - length))};
    return block;
}

json peer(Dice& dice) {
    if (dice.one_in(3)) return {{"ipBlock", ip_block(dice)}};
    json result = json::object();
    if (dice.one_in(2)) result["namespaceSelector"] = selector(dice);
    if (result.empty() || dice.one_in(2)) result["podSelector"] = selector(dice);
    return result;
}

json port(Dice& dice) {
    json result = json::object();
    if (dice.one_in(2)) result["protocol"] = dice.of(kProtocols);
    if (dice.one_in(6)) return result;
    const unsigned first = 1 + dice.below(8);
    result["port"] = first;
    if (dice.one_in(3)) result["endPort"] = first + dice.below(4);
    return result;
}

json rules(Dice& dice, const char* peers) {
    json result = json::array();
    for (unsigned count = dice.below(3); count > 0; --count) {
        json rule = json::object();
        for (unsigned more = dice.below(3); more > 0; --more) rule[peers].push_back(peer(dice));
        for (unsigned more = dice.below(3); more > 0; --more) rule["ports"].push_back(port(dice));
        result.push_back(rule);
    }
    return result;
}

json policy(Dice& dice, unsigned number) {
    json spec = {{"podSelector", selector(dice)}};
    if (dice.one_in(2)) spec["ingress"] = rules(dice, "from");
    if (dice.one_in(2)) spec["egress"] = rules(dice, "to");
    if (dice.one_in(2)) spec["policyTypes"].push_back("Egress");
    if (dice.one_in(3)) spec["policyTypes"].push_back("Ingress");
    return {{"apiVersion", "k8s.cni.cncf.io/v1beta1"},
            {"kind", "MultiNetworkPolicy"},
            {"metadata",
             {{"name", "p" + std::to_string(number)},
              {"namespace", dice.of(kSpaces)},
              {"annotations", {{"k8s.v1.cni.cncf.io/policy-for", "blue"}}}}},
            {"spec", spec}};
}

json cluster(Dice& dice) {
    json result;
    for (const char* space : kSpaces) result["namespaces"][space]["labels"] = labels(dice);
    for (unsigned at = 0; at < 8; ++at)
        result["ports"]["port-" + std::to_string(at)] = {{"namespace", dice.of(kSpaces)}, {"labels", labels(dice)}};
    return result;
}

std::string end(Dice& dice) {
    return dice.one_in(6) ? std::string() : "port-" + std::to_string(dice.below(8));
}

Packet packet(Dice& dice) {
    Packet result{.from = end(dice), .to = end(dice), .protocol = dice.one_in(8) ? "ICMP" : dice.of(kProtocols)};
    if (result.protocol != "ICMP") result.port = static_cast<std::uint16_t>(dice.below(13));
    if (dice.one_in(20)) return result;  // not IP
    result.src = address(dice);
    do result.dst = address(dice);
    while ((result.src.find(':') == std::string::npos) != (result.dst.find(':') == std::string::npos));
    return result;
}

Packet turned(Packet packet) {
    std::swap(packet.from, packet.to);
    std::swap(packet.src, packet.dst);
    return packet;
}

/// Whether there is any receiver that the sender might send this to.
bool is_for_anyone(const json& policies, const json& labels, Packet packet) {
    packet.to.clear();
    if (kubernetes_lets_out(policies, labels, packet)) return true;
    for (const auto& [port, pod] : labels.at("ports").items()) {
        packet.to = port;
        if (kubernetes_lets_out(policies, labels, packet)) return true;
    }
    return false;
}

void expect_as_kubernetes(const Import& import, const json& policies, const json& labels, const Packet& packet) {
    const auto judge = [&](const Packet& one, Node node) {
        return first_match(import.rules, import.group_of, one, node);
    };
    const bool allowed = kubernetes_allows(policies, labels, packet);
    const Verdict here = judge(packet, Node::both), sender = judge(packet, Node::sender),
                  receiver = judge(packet, Node::receiver);
    ASSERT_EQ(here.allowed, allowed) << packet << " by " << here.rule.value_or("default") << "\n"
                                     << policies.dump(1) << labels.dump(1);
    // Through a tunnel both nodes must agree to what passes, and the receiver's has the last word.
    EXPECT_EQ(sender.allowed && receiver.allowed, allowed) << packet;
    // The receiver's node need not know who sent it (trust_groups): what nobody may get does not leave.
    EXPECT_TRUE(!sender.allowed || is_for_anyone(policies, labels, packet)) << packet;
    // What is answered against the rules needs a connection, and only an allow opens one.
    if (allowed && !kubernetes_allows(policies, labels, turned(packet))) {
        EXPECT_TRUE(here.rule) << packet;
        EXPECT_TRUE(receiver.rule) << packet;
        EXPECT_TRUE(sender.rule || judge(turned(packet), Node::receiver).allowed) << packet;
    }
}

TEST(RandomPolicies, TheRulesDoWhatKubernetesSays) {
    constexpr unsigned kClusters = 200, kPackets = 150;
    unsigned allowed = 0, denied = 0;
    for (unsigned seed = 1; seed <= kClusters; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Dice dice(seed);
        const json labels = cluster(dice);
        json policies = json::array();
        for (unsigned count = 1 + dice.below(5); count > 0; --count) policies.push_back(policy(dice, count));
        const auto read = read_policies(json({{"kind", "List"}, {"items", policies}}).dump());
        ASSERT_TRUE(read) << text_of(read.error());
        const auto pods = read_cluster(labels.dump());
        ASSERT_TRUE(pods) << text_of(pods.error());
        const auto import = translate(*read, *pods, "blue");
        ASSERT_TRUE(import) << text_of(import.error());
        for (unsigned count = 0; count < kPackets; ++count) {
            const Packet one = packet(dice);
            expect_as_kubernetes(*import, policies, labels, one);
            ++(kubernetes_allows(policies, labels, one) ? allowed : denied);
            if (testing::Test::HasFailure()) return;
        }
    }
    // The dice must not have made it easy.
    EXPECT_GT(allowed, kClusters * kPackets / 5);
    EXPECT_GT(denied, kClusters * kPackets / 5);
}

}  // namespace
}  // namespace bulkhead::policy_import
