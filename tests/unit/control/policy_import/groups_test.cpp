// SPDX-License-Identifier: Apache-2.0
// Networks, groups and their numbers, bounds.
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "control/policy_import/networks.h"
#include "control/policy_import/pod_classes.h"
#include "control/policy_import/rules.h"
#include "tests/unit/control/policy_import/imported.h"

namespace bulkhead::policy_import {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> texts(const Networks& networks) {
    std::vector<std::string> result;
    for (const IpPrefix& prefix : networks) result.push_back(prefix.to_string());
    return result;
}

Networks parsed(std::initializer_list<const char*> list) {
    Networks result;
    for (const char* text : list) result.push_back(*IpPrefix::parse(text));
    return result;
}

TEST(Networks, AreMergedToTheFewest) {
    EXPECT_THAT(texts(merged(parsed({"10.0.1.0/24", "2001:db8::/32", "10.0.0.7/24", "10.0.1.9/32"}))),
                ElementsAre("10.0.0.0/23", "2001:db8::/32"));
    EXPECT_THAT(texts(merged(parsed({"128.0.0.0/1", "0.0.0.0/1", "8000::/1", "::/1"}))),
                ElementsAre("0.0.0.0/0", "::/0"));
    EXPECT_THAT(texts(merged(parsed({"::/0", "10.0.0.0/8"}))), ElementsAre("10.0.0.0/8", "::/0"));
}

TEST(Networks, LeaveOutHoles) {
    EXPECT_THAT(texts(without(*IpPrefix::parse("10.0.0.0/30"), parsed({"10.0.0.1/32"}))),
                ElementsAre("10.0.0.0/32", "10.0.0.2/31"));
    EXPECT_EQ(without(*IpPrefix::parse("0.0.0.0/0"), parsed({"10.1.2.3/32"})).size(), 32U);
    EXPECT_EQ(without(*IpPrefix::parse("::/0"), parsed({"::5/128"})).size(), 128U);
    EXPECT_THAT(without(*IpPrefix::parse("10.0.0.0/31"), parsed({"10.0.0.0/32", "10.0.0.1/32"})), testing::IsEmpty());
}

Cluster many_pods(unsigned count) {
    Cluster cluster;
    cluster.namespaces["shop"];
    for (unsigned at = 0; at < count; ++at)
        cluster.ports["p" + std::to_string(at)] = {.space = "shop", .labels = {{"n", std::to_string(at)}}};
    return cluster;
}

TEST(PodClasses, HaveNamesAndNumbersOfTheirOwn) {
    const auto classes = pod_classes(many_pods(5000));
    ASSERT_TRUE(classes);
    std::set<std::string> names;
    std::set<std::uint16_t> ids;
    const std::regex allowed("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    for (const PodClass& one : *classes) {
        EXPECT_TRUE(std::regex_match(one.name, allowed)) << one.name;
        EXPECT_GE(one.id, kFirstGroupId);
        names.insert(one.name);
        ids.insert(one.id);
    }
    EXPECT_EQ(names.size(), 5000U);
    EXPECT_EQ(ids.size(), 5000U);
    EXPECT_FALSE(pod_classes(many_pods(32769)));
}

/// They are the same on every node and in every version: tunnels carry the numbers.
TEST(PodClasses, NeverChangeTheirNames) {
    Cluster cluster;
    cluster.ports["web-0"] = {.space = "shop", .labels = {{"app", "web"}, {"url", "a/b c"}}};
    cluster.ports["web-1"] = cluster.ports["web-0"];
    const auto classes = pod_classes(cluster);
    ASSERT_EQ(classes->size(), 1U);
    EXPECT_EQ(classes->front().name, "shop-web-a-b-c-76e43fde");
    EXPECT_EQ(classes->front().id, 62418);
    EXPECT_THAT(classes->front().ports, ElementsAre("web-0", "web-1"));
}

std::string policies(unsigned count) {
    std::string text;
    for (unsigned at = 1; at <= count; ++at)
        text +=
            "---\nkind: MultiNetworkPolicy\napiVersion: k8s.cni.cncf.io/v1beta1\nmetadata: {name: p, namespace: "
            "shop, annotations: {k8s.v1.cni.cncf.io/policy-for: blue}}\nspec: {podSelector: {matchLabels: {n: \"" +
            std::to_string(at % 3) + "\"}}, ingress: [{from: [{ipBlock: {cidr: \"2001:db8::" + std::to_string(at) +
            "/128\"}}], ports: [{port: " + std::to_string(at) + "}]}]}\n";
    return text;
}

constexpr const char* kThree =
    "{ports: {a: {namespace: shop, labels: {n: \"0\"}}, b: {namespace: shop, labels: {n: \"1\"}}, c: {namespace: shop, "
    "labels: {n: \"2\"}}}, namespaces: {shop: {}}}";

TEST(Rules, KeepTheirNamesWhenOthersChange) {
    std::set<std::string> names;
    for (const Policy& rule : imported(policies(8), kThree).rules) names.insert(rule.name);
    std::size_t kept = 0;
    for (const Policy& rule : imported(policies(9), kThree).rules) kept += names.count(rule.name);
    EXPECT_EQ(kept, names.size());
}

TEST(Rules, MoreThanASegmentMayHaveAreRefused) {
    const auto read = read_policies(policies(2100));
    ASSERT_TRUE(read) << text_of(read.error());
    const auto import = translate(*read, *read_cluster(kThree), "blue");
    ASSERT_FALSE(import);
    EXPECT_EQ(import.error().code, ErrorCode::limit);
    EXPECT_THAT(text_of(import.error()), HasSubstr("allowed at most 4096"));
}

}  // namespace
}  // namespace bulkhead::policy_import
