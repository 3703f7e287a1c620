// SPDX-License-Identifier: Apache-2.0
// Kubernetes' own words as plain values: label selectors, policies and the pods that they are about, behind a check of
// their form (https://kubernetes.io/docs/concepts/services-networking/network-policies; MultiNetworkPolicy is the same
// for the additional networks that an annotation names).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/policy_import/networks.h"
#include "vswitch/model/policy_model.h"

namespace bulkhead::policy_import {

using Labels = std::map<std::string, std::string>;

struct Requirement {
    enum class Operator : std::uint8_t { in, not_in, exists, does_not_exist };
    std::string key;
    Operator op = Operator::exists;
    std::vector<std::string> values;  ///< of in and not_in
};

/// All of the requirements; with none it selects everything. What matchLabels says are requirements like others.
struct Selector {
    std::vector<Requirement> requirements;
};

/// An absent key is not_in any values, as Kubernetes has it.
[[nodiscard]] bool matches(const Selector& selector, const Labels& labels);

/// Pods by selectors, or addresses.
struct Peer {
    std::optional<Selector> pods;        ///< nothing: all pods of the namespaces
    std::optional<Selector> namespaces;  ///< nothing: the policy's own
    std::optional<Networks> ips;  ///< ipBlock without what it excepts, which may be all; then there are no selectors
};

struct Traffic {
    std::uint8_t protocol = 0;  ///< of IP
    PortRange ports;
};

struct NetworkPolicyRule {
    std::vector<Peer> peers;       ///< none: all
    std::vector<Traffic> traffic;  ///< none: all
};

struct NetworkPolicy {
    std::string space;  ///< its namespace
    std::string name;
    std::vector<std::string> networks;  ///< that it is for, without their namespaces
    Selector pods;
    std::optional<std::vector<NetworkPolicyRule>> ingress;  ///< nothing: it does not speak of this direction
    std::optional<std::vector<NetworkPolicyRule>> egress;
};

struct Pod {
    std::string space;  ///< its namespace
    Labels labels;
    auto operator<=>(const Pod&) const = default;
};

/// What the labels file says.
struct Cluster {
    std::map<std::string, Pod> ports;          ///< by the name of the port
    std::map<std::string, Labels> namespaces;  ///< with kubernetes.io/metadata.name; has those of all ports
};

}  // namespace bulkhead::policy_import
