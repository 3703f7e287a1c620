// SPDX-License-Identifier: Apache-2.0
// The first packet of a conversation, and two judges of it that share no code: what Kubernetes says of it, and what the
// rules of a segment do with it.
#pragma once

#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "vswitch/model/policy_model.h"

namespace bulkhead::policy_import {

struct Packet {
    std::string from, to;    ///< ports; empty: outside, behind no labelled port
    std::string src, dst;    ///< addresses; empty: not IP
    std::string protocol;    ///< "TCP", "UDP", "SCTP", or another one
    std::uint16_t port = 0;  ///< destination
};

std::ostream& operator<<(std::ostream& out, const Packet& packet);

/// Kubernetes: `policies` are MultiNetworkPolicy objects that are all for the network, `cluster` is a labels file.
[[nodiscard]] bool kubernetes_allows(const nlohmann::json& policies, const nlohmann::json& cluster,
                                     const Packet& packet);

/// The sender's half of it alone.
[[nodiscard]] bool kubernetes_lets_out(const nlohmann::json& policies, const nlohmann::json& cluster,
                                       const Packet& packet);

/// Where the frame is judged, which groups are known there.
enum class Node { both, sender, receiver };

struct Verdict {
    bool allowed = true;
    std::optional<std::string> rule;  ///< nothing: the segment's default, which opens no connection
};

/// The rules in their order, first match, default allow (docs/policy.md). On the sender's node the receiver is behind a
/// tunnel; on the receiver's node the tunnel carried the sender's group.
[[nodiscard]] Verdict first_match(const std::vector<Policy>& rules, const std::map<std::string, std::string>& group_of,
                                  const Packet& packet, Node node = Node::both);

}  // namespace bulkhead::policy_import
