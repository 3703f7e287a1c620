// SPDX-License-Identifier: Apache-2.0
// Files that are refused, and what is said of them; the samples.
#include "control/policy_import/read_policies.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/policy_import/imported.h"
#include "tests/unit/control/policy_import/packet.h"

namespace bulkhead::policy_import {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string with_spec(const std::string& spec) {
    return "kind: MultiNetworkPolicy\napiVersion: k8s.cni.cncf.io/v1beta1\nmetadata: {name: web, namespace: "
           "shop}\nspec: " +
           spec + "\n";
}

std::string refusal_of(const std::string& text) {
    const auto read = read_policies(text);
    return read ? "accepted" : text_of(read.error());
}

std::string labels_refusal_of(const std::string& text) {
    const auto read = read_cluster(text);
    return read ? "accepted" : text_of(read.error());
}

TEST(ReadPolicies, BadSpecsAreToldOfWithDocumentAndPointer) {
    struct Bad {
        const char* spec;
        const char* said;
    };
    const Bad bad[] = {
        {"{}", "/spec/podSelector: podSelector is missing"},
        {"{podSelector: }", "/spec/podSelector: podSelector is missing"},
        {"{podSelector: {matchLabels: {app: }}}", "/spec/podSelector/matchLabels/app: a label's value is a string"},
        {"{podSelector: {matchLabels: {app: 5}}}", "numbers and booleans want quotes; got 5"},
        {"{podSelector: {}, ingres: []}", "/spec/ingres: a policy's spec has no field"},
        {"{podSelector: {}, ingress: [{from: [{}]}]}", "/spec/ingress/0/from/0: a peer must name somebody"},
        {"{podSelector: {}, ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}",
         "/spec/ingress/0/from/0/ipBlock: ipBlock {\"cidr\":\"10.0.0.0/8\"} stands beside a selector"},
        {"{podSelector: {}, ingress: [{ports: [{port: http}]}]}",
         "/spec/ingress/0/ports/0/port: port \"http\" is a name, and a switch knows no containers' ports"},
        {"{podSelector: {}, ingress: [{ports: [{port: \"80\"}]}]}",
         "/spec/ingress/0/ports/0/port: port \"80\" is a name"},
        {"{podSelector: {}, ingress: [{ports: [{port: 0}]}]}", "allowed 1-65535"},
        {"{podSelector: {}, egress: [{}, {ports: [{port: 80, endPort: 79}]}]}",
         "/spec/egress/1/ports/0/endPort: endPort 79 is out of range; got 79; allowed 80-65535"},
        {"{podSelector: {}, egress: [{ports: [{endPort: 79}]}]}", "endPort 79 stands without port"},
        {"{podSelector: {}, egress: [{ports: [{protocol: ICMP}]}]}", "allowed TCP, UDP or SCTP"},
        {"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0}}]}]}",
         "/spec/egress/0/to/0/ipBlock/cidr: cidr \"10.0.0.0\" is no network"},
        {"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 11.0.0.0/9]}}]}]}",
         "/spec/egress/0/to/0/ipBlock/except/1: "},
        {"{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]}",
         "is no part of cidr"},
        {"{podSelector: {}, policyTypes: [Ingress, ingress]}", "/spec/policyTypes/1: "},
        {"{podSelector: {matchExpressions: [{key: a, operator: In}]}}",
         "/spec/podSelector/matchExpressions/0/values: values is missing; got nothing; allowed at least one value"},
        {"{podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
         "values [\"b\"] is not for this operator"},
        {"{podSelector: {matchExpressions: [{key: a, operator: Equals, values: [b]}]}}",
         "In, NotIn, Exists or DoesNotExist"},
    };
    for (const auto& [spec, said] : bad) {
        const std::string refusal = refusal_of("---\n---\n" + with_spec(spec));
        EXPECT_THAT(refusal, StartsWith("document 2 (shop/web): ")) << spec;
        EXPECT_THAT(refusal, HasSubstr(said)) << spec;
    }
}

TEST(ReadPolicies, WhatIsNoPolicyIsRefused) {
    EXPECT_THAT(refusal_of("{kind: NetworkPolicy}"), HasSubstr("document 1: /kind: this is no MultiNetworkPolicy"));
    EXPECT_THAT(refusal_of("kind: List\nitems: [{kind: Pod}]"), HasSubstr("document 1: /items/0/kind: "));
    EXPECT_THAT(refusal_of("kind: List"), HasSubstr("/items: must be an array"));
    EXPECT_THAT(refusal_of("kind: MultiNetworkPolicy\napiVersion: k8s.cni.cncf.io/v1\nmetadata: {name: a}\nspec: "
                           "{podSelector: {}}"),
                HasSubstr("/apiVersion: "));
    EXPECT_THAT(refusal_of("a: [1, 2"), HasSubstr("not valid YAML: line 1"));
    EXPECT_THAT(refusal_of("{\"kind\": \"List\", \"kind\": \"List\", \"items\": []}"), HasSubstr("stands twice"));
    EXPECT_THAT(refusal_of("kind: List\nitems: []\nitems: []"),
                HasSubstr("line 3, column 1: the key \"items\" stands"));
    EXPECT_THAT(refusal_of("kind: !!binary abcd"), HasSubstr("the tag"));
    EXPECT_THAT(refusal_of("just text"), HasSubstr("must be an object"));
}

TEST(ReadPolicies, WhatWouldTakeAllMemoryIsRefused) {
    EXPECT_THAT(refusal_of("a: " + std::string(200, '[') + std::string(200, ']')), HasSubstr("nested deeper"));
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int level = 1; level < 9; ++level) {
        const std::string now = "a" + std::to_string(level), before = "*a" + std::to_string(level - 1);
        bomb += now + ": &" + now + " [" + before;
        for (int more = 0; more < 9; ++more) bomb += ", " + before;
        bomb += "]\n";
    }
    EXPECT_THAT(refusal_of(bomb), HasSubstr("more than 1000000 values"));
}

TEST(ReadPolicies, ListsDocumentsAndJsonAreRead) {
    const std::string one = with_spec("{podSelector: {}}");
    EXPECT_EQ(read_policies(one + "---\n" + one)->size(), 2U);
    EXPECT_EQ(read_policies("")->size(), 0U);
    const auto listed = read_policies(
        R"({"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "k8s.cni.cncf.io/v1beta2",
            "kind": "MultiNetworkPolicy", "metadata": {"name": "w\u0065b", "managedFields": [{}],
            "annotations": {"k8s.v1.cni.cncf.io/policy-for": " shop/blue ,red"}},
            "spec": {"podSelector": {}, "ingress": null}}]})");
    ASSERT_TRUE(listed) << text_of(listed.error());
    EXPECT_EQ(listed->front().name, "web");
    EXPECT_EQ(listed->front().space, "default");
    EXPECT_THAT(listed->front().networks, ElementsAre("blue", "red"));
    EXPECT_TRUE(listed->front().ingress);
    EXPECT_FALSE(listed->front().egress);
}

TEST(ReadCluster, BadLabelsFilesAreToldOf) {
    EXPECT_THAT(labels_refusal_of("ports: {}"), HasSubstr("/namespaces: namespaces is missing"));
    EXPECT_THAT(labels_refusal_of("{ports: {a: {namespace: x}}, namespaces: {}}"),
                HasSubstr("/ports/a/namespace: namespace \"x\" is not among /namespaces"));
    EXPECT_THAT(labels_refusal_of("{ports: {a: {namespace: x, labels: {app: true}}}, namespaces: {x: {}}}"),
                HasSubstr("/ports/a/labels/app: "));
    EXPECT_THAT(labels_refusal_of("{ports: {a/b: {}}, namespaces: {}}"), HasSubstr("/ports/a~1b/namespace: "));
    EXPECT_THAT(labels_refusal_of("{ports: {a: }, namespaces: {}}"), HasSubstr("/ports/a: a port must be an object"));
    EXPECT_THAT(labels_refusal_of("---\n---\n"), HasSubstr("one document"));
}

std::string sample(const char* name) {
    std::ifstream file(std::string(BULKHEAD_CONFIGS) + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Samples, DoWhatTheirCommentsSay) {
    const Import import = imported(sample("multi-network-policy.yaml"), sample("port-labels.yaml"));
    EXPECT_EQ(import.policies, 3U);
    EXPECT_THAT(import.others, IsEmpty());
    const auto allowed = [&](const char* from, const char* to, const char* protocol, std::uint16_t port,
                             const char* src = "192.0.2.1") {
        return first_match(import.rules, import.group_of,
                           {.from = from, .to = to, .src = src, .dst = "192.0.2.2", .protocol = protocol, .port = port})
            .allowed;
    };
    EXPECT_TRUE(allowed("web-0", "db-0", "TCP", 5432));
    EXPECT_FALSE(allowed("web-0", "db-0", "TCP", 5433));
    EXPECT_TRUE(allowed("web-1", "dns-0", "UDP", 53));
    EXPECT_FALSE(allowed("web-1", "probe-0", "UDP", 53));
    EXPECT_TRUE(allowed("probe-0", "db-0", "UDP", 9));
    EXPECT_FALSE(allowed("dns-0", "db-0", "UDP", 9));
    EXPECT_TRUE(allowed("", "web-0", "TCP", 443, "10.8.0.1"));
    EXPECT_TRUE(allowed("", "web-0", "TCP", 8079, "10.8.0.1"));
    EXPECT_FALSE(allowed("", "web-0", "TCP", 443, "10.9.0.1"));
    EXPECT_FALSE(allowed("web-0", "web-1", "TCP", 443));
    EXPECT_EQ(imported(sample("multi-network-policy.yaml"), sample("port-labels.yaml"), "red").policies, 1U);
}

}  // namespace
}  // namespace bulkhead::policy_import
