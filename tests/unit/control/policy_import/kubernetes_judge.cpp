// SPDX-License-Identifier: Apache-2.0
// NetworkPolicy as its documentation tells it, sentence by sentence, on the JSON as users write it.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <ostream>

#include "tests/unit/control/policy_import/packet.h"

namespace bulkhead::policy_import {
namespace {

using nlohmann::json;

json list(const json& object, const char* name) {
    return object.contains(name) ? object.at(name) : json::array();
}

bool selects(const json& selector, const json& labels) {
    const json wanted = selector.value("matchLabels", json::object());
    for (const auto& [key, value] : wanted.items())
        if (!labels.contains(key) || labels.at(key) != value) return false;
    const json expressions = list(selector, "matchExpressions");
    for (const json& expression : expressions) {
        const auto key = expression.at("key").get<std::string>(), op = expression.at("operator").get<std::string>();
        const json values = list(expression, "values");
        const bool has = labels.contains(key);
        const bool listed = has && std::ranges::count(values, labels.at(key)) > 0;
        if (op == "In" && !listed) return false;
        if (op == "NotIn" && listed) return false;
        if (op == "Exists" && !has) return false;
        if (op == "DoesNotExist" && has) return false;
    }
    return true;
}

/// Family and bits, the first bit first.
std::pair<int, std::vector<bool>> bits_of(const std::string& address) {
    std::array<unsigned char, 16> octets{};
    const int family = address.find(':') == std::string::npos ? AF_INET : AF_INET6;
    inet_pton(family, address.c_str(), octets.data());
    std::vector<bool> bits;
    for (std::size_t at = 0; at < (family == AF_INET ? 32U : 128U); ++at)
        bits.push_back((octets[at / 8] >> (7 - at % 8) & 1) != 0);
    return {family, bits};
}

bool is_in(const std::string& address, const std::string& cidr) {
    if (address.empty()) return false;
    const auto slash = cidr.find('/');
    const auto [family, bits] = bits_of(address);
    const auto [network_family, network] = bits_of(cidr.substr(0, slash));
    return family == network_family &&
           std::equal(bits.begin(), bits.begin() + std::stoi(cidr.substr(slash + 1)), network.begin());
}

bool is_peer(const json& peer, const std::string& port, const std::string& address, const std::string& space,
             const json& cluster) {
    if (peer.contains("ipBlock")) {
        const json& block = peer.at("ipBlock");
        const json holes = list(block, "except");
        return is_in(address, block.at("cidr")) &&
               std::ranges::none_of(holes, [&](const json& hole) { return is_in(address, hole); });
    }
    if (port.empty()) return false;
    const json& pod = cluster.at("ports").at(port);
    const auto own = pod.at("namespace").get<std::string>();
    json labels_of_space = cluster.at("namespaces").at(own).value("labels", json::object());
    labels_of_space["kubernetes.io/metadata.name"] = own;
    if (peer.contains("namespaceSelector") ? !selects(peer.at("namespaceSelector"), labels_of_space) : own != space)
        return false;
    return !peer.contains("podSelector") || selects(peer.at("podSelector"), pod.value("labels", json::object()));
}

bool has_port(const json& port, const Packet& packet) {
    if (port.value("protocol", "TCP") != packet.protocol || packet.src.empty()) return false;
    if (!port.contains("port")) return true;
    const int first = port.at("port");
    return packet.port >= first && packet.port <= port.value("endPort", first);
}

/// What one end may do: `port` is the end that policies select, the peer the other one.
bool direction_allows(const json& policies, const json& cluster, const Packet& packet, bool is_ingress) {
    const std::string& port = is_ingress ? packet.to : packet.from;
    const std::string& peer = is_ingress ? packet.from : packet.to;
    const std::string& address = is_ingress ? packet.src : packet.dst;
    if (port.empty()) return true;
    const json& pod = cluster.at("ports").at(port);
    bool is_isolated = false;
    for (const json& policy : policies) {
        const json& spec = policy.at("spec");
        const auto space = policy.at("metadata").at("namespace").get<std::string>();
        if (pod.at("namespace") != space || !selects(spec.at("podSelector"), pod.value("labels", json::object())))
            continue;
        const json types = list(spec, "policyTypes");
        const json rules = list(spec, is_ingress ? "ingress" : "egress");
        const bool speaks = types.empty() ? is_ingress || !rules.empty()
                                          : std::ranges::count(types, is_ingress ? "Ingress" : "Egress") > 0;
        if (!speaks) continue;
        is_isolated = true;
        for (const json& rule : rules) {
            const json peers = list(rule, is_ingress ? "from" : "to"), ports = list(rule, "ports");
            const bool peer_fits = peers.empty() || std::ranges::any_of(peers, [&](const json& one) {
                                       return is_peer(one, peer, address, space, cluster);
                                   });
            const bool port_fits =
                ports.empty() || std::ranges::any_of(ports, [&](const json& one) { return has_port(one, packet); });
            if (peer_fits && port_fits) return true;
        }
    }
    return !is_isolated;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Packet& packet) {
    return out << packet.from << " " << packet.src << " -> " << packet.to << " " << packet.dst << " " << packet.protocol
               << " " << packet.port;
}

bool kubernetes_allows(const json& policies, const json& cluster, const Packet& packet) {
    return direction_allows(policies, cluster, packet, true) && direction_allows(policies, cluster, packet, false);
}

bool kubernetes_lets_out(const json& policies, const json& cluster, const Packet& packet) {
    return direction_allows(policies, cluster, packet, false);
}

}  // namespace bulkhead::policy_import
