// SPDX-License-Identifier: Apache-2.0
// The examples of Kubernetes' documentation of NetworkPolicy, as MultiNetworkPolicies, and what they let through.
#include <gtest/gtest.h>

#include "tests/unit/control/policy_import/imported.h"
#include "tests/unit/control/policy_import/packet.h"

namespace bulkhead::policy_import {
namespace {

constexpr const char* kLabels = R"(
ports:
  db: {namespace: default, labels: {role: db}}
  front: {namespace: default, labels: {role: frontend}}
  other: {namespace: default, labels: {}}
  partner: {namespace: myproject, labels: {role: client}}
  idle: {namespace: myproject, labels: {}}
  far: {namespace: elsewhere, labels: {role: frontend}}
namespaces:
  default: {}
  myproject: {labels: {project: myproject, user: alice}}
  elsewhere: {labels: {user: alice}}
)";

struct Question {
    Packet packet;
    bool allowed;
};

struct Example {
    const char* name;
    const char* spec;  ///< in namespace default
    std::vector<Question> questions;
    const char* version = "v1beta1";
};

Packet tcp(const char* from, const char* to, std::uint16_t port, const char* src = "10.1.0.1",
           const char* dst = "10.1.0.2") {
    return {.from = from, .to = to, .src = src, .dst = dst, .protocol = "TCP", .port = port};
}
Packet udp(const char* from, const char* to, std::uint16_t port) {
    return {.from = from, .to = to, .src = "10.1.0.1", .dst = "10.1.0.2", .protocol = "UDP", .port = port};
}

const Packet kNotIp{.from = "front", .to = "db"};

constexpr const char* kBig = R"(
  podSelector: {matchLabels: {role: db}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}
    - namespaceSelector: {matchLabels: {project: myproject}}
    - podSelector: {matchLabels: {role: frontend}}
    ports:
    - {protocol: TCP, port: 6379}
  egress:
  - to:
    - ipBlock: {cidr: 10.0.0.0/24}
    ports:
    - {protocol: TCP, port: 5978}
)";

const Example kExamples[] = {
    {"default deny ingress",
     "{podSelector: {}, policyTypes: [Ingress]}",
     {{tcp("front", "db", 1), false},
      {tcp("", "db", 1), false},
      {kNotIp, false},
      {tcp("db", "partner", 1), true},
      {tcp("db", "", 1), true},
      {tcp("partner", "far", 1), true}}},
    {"allow all ingress",
     "{podSelector: {}, ingress: [{}], policyTypes: [Ingress]}",
     {{tcp("front", "db", 1), true}, {udp("", "db", 1), true}, {kNotIp, true}}},
    {"an empty from is all sources",
     "{podSelector: {}, ingress: [{from: [], ports: [{port: 80}]}]}",
     {{tcp("", "db", 80), true}, {tcp("far", "db", 80), true}, {tcp("far", "db", 81), false}}},
    {"default deny egress",
     "{podSelector: {}, policyTypes: [Egress]}",
     {{tcp("db", "front", 1), false},
      {tcp("db", "", 1), false},
      {tcp("db", "far", 1), false},
      {tcp("far", "db", 1), true},
      {tcp("", "db", 1), true}}},
    {"allow all egress",
     "{podSelector: {}, egress: [{}], policyTypes: [Egress]}",
     {{tcp("db", "front", 1), true}, {tcp("db", "", 1), true}}},
    {"default deny all",
     "{podSelector: {}, policyTypes: [Ingress, Egress]}",
     {{tcp("db", "front", 1), false}, {tcp("far", "db", 1), false}, {tcp("far", "partner", 1), true}}},
    {"egress rules alone close ingress, too",
     "{podSelector: {matchLabels: {role: db}}, egress: [{}]}",
     {{tcp("front", "db", 1), false}, {tcp("db", "front", 1), true}}},
    {"the big one",
     kBig,
     {{tcp("", "db", 6379, "172.17.0.1"), true},
      {tcp("", "db", 6379, "172.17.1.1"), false},
      {tcp("other", "db", 6379, "172.17.2.1"), true},
      {tcp("front", "db", 6379), true},
      {tcp("front", "db", 6380), false},
      {udp("front", "db", 6379), false},
      {tcp("far", "db", 6379), false},
      {tcp("idle", "db", 6379), true},
      {tcp("db", "", 5978, "10.1.0.1", "10.0.0.7"), true},
      {tcp("db", "front", 5978, "10.1.0.1", "10.0.0.7"), true},
      {tcp("db", "", 5978, "10.1.0.1", "10.0.1.7"), false},
      {tcp("front", "other", 1), true}},
     "v1beta2"},
    {"one peer with both selectors is AND",
     "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {user: alice}}, podSelector: "
     "{matchLabels: {role: client}}}]}]}",
     {{tcp("partner", "db", 1), true}, {tcp("idle", "db", 1), false}, {tcp("far", "db", 1), false}}},
    {"two peers are OR",
     "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {user: alice}}}, {podSelector: "
     "{matchLabels: {role: frontend}}}]}]}",
     {{tcp("partner", "db", 1), true},
      {tcp("far", "db", 1), true},
      {tcp("front", "db", 1), true},
      {tcp("other", "db", 1), false}}},
    {"a range of ports",
     "{podSelector: {matchLabels: {role: db}}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/24}}], ports: [{protocol: TCP, "
     "port: 32000, endPort: 32768}]}], policyTypes: [Egress]}",
     {{tcp("db", "", 31999, "10.1.0.1", "10.0.0.1"), false},
      {tcp("db", "", 32000, "10.1.0.1", "10.0.0.1"), true},
      {tcp("db", "", 32768, "10.1.0.1", "10.0.0.1"), true},
      {tcp("db", "", 32769, "10.1.0.1", "10.0.0.1"), false}}},
    {"namespaces by name",
     "{podSelector: {}, egress: [{to: [{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, "
     "operator: In, values: [myproject]}]}}]}], policyTypes: [Egress]}",
     {{tcp("db", "idle", 1), true}, {tcp("db", "far", 1), false}}},
    {"In, NotIn, Exists, DoesNotExist",
     "{podSelector: {matchExpressions: [{key: role, operator: In, values: [db, cache]}]}, ingress: ["
     "{from: [{podSelector: {matchExpressions: [{key: role, operator: Exists}]}}], ports: [{port: 1}]},"
     "{from: [{podSelector: {matchExpressions: [{key: role, operator: DoesNotExist}]}}], ports: [{port: 2}]},"
     "{from: [{podSelector: {matchExpressions: [{key: role, operator: NotIn, values: [frontend]}]}}], ports: [{port: "
     "3}]}]}",
     {{tcp("front", "db", 1), true},
      {tcp("other", "db", 1), false},
      {tcp("front", "db", 2), false},
      {tcp("other", "db", 2), true},
      {tcp("front", "db", 3), false},
      {tcp("other", "db", 3), true},
      {tcp("", "db", 3), false},
      {tcp("other", "front", 9), true}}},
    {"protocols without ports",
     "{podSelector: {}, ingress: [{ports: [{protocol: UDP}, {protocol: SCTP, port: 7}, {port: 9}]}]}",
     {{udp("", "db", 77), true}, {tcp("", "db", 77), false}, {tcp("", "db", 9), true}, {tcp("", "db", 7), false}}},
};

std::string indented(const std::string& spec) {
    return spec.front() == '{' ? " " + spec : spec;
}

TEST(Documentation, Examples) {
    for (const Example& example : kExamples) {
        SCOPED_TRACE(example.name);
        const std::string policy = std::string("apiVersion: k8s.cni.cncf.io/") + example.version +
                                   "\nkind: MultiNetworkPolicy\nmetadata:\n  name: x\n  annotations: "
                                   "{k8s.v1.cni.cncf.io/policy-for: blue}\nspec:" +
                                   indented(example.spec) + "\n";
        const Import import = imported(policy, kLabels);
        EXPECT_EQ(import.policies, 1U);
        for (const auto& [packet, allowed] : example.questions)
            EXPECT_EQ(first_match(import.rules, import.group_of, packet).allowed, allowed) << packet;
    }
}

}  // namespace
}  // namespace bulkhead::policy_import
