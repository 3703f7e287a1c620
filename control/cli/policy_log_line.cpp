// SPDX-License-Identifier: Apache-2.0
#include "control/cli/policy_log_line.h"

#include "control/cli/text.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;

/// What is not there is no word.
std::string word(const json& facts, const char* name) {
    return facts.contains(name) ? one_line(facts.at(name)) : std::string();
}

std::string end(const json& facts, const char* address, const char* port, const char* mac) {
    if (!facts.contains(address)) return word(facts, mac);
    const std::string ip = word(facts, address);
    if (!facts.contains(port)) return ip;
    return (ip.contains(':') ? "[" + ip + "]" : ip) + ":" + word(facts, port);
}

/// Of a trunk port with the VLAN.
std::string place(const json& facts) {
    std::string text = word(facts, "segment");
    if (facts.contains("rule")) text += "/" + word(facts, "rule");
    for (const char* kind : {"port", "tunnel", "vlan"})
        if (facts.contains(kind)) text += concat({" ", kind, " ", word(facts, kind)});
    return text;
}

std::string packet(const json& facts) {
    std::string text = word(facts, facts.contains("protocol") ? "protocol" : "ethertype");
    if (facts.contains("icmp_type")) text += " type " + word(facts, "icmp_type") + " code " + word(facts, "icmp_code");
    text += " " + end(facts, "source", "source_port", "source_mac") + " > " +
            end(facts, "destination", "destination_port", "destination_mac");
    if (facts.contains("tcp_flags")) text += " [" + word(facts, "tcp_flags") + "]";
    return text + " " + word(facts, "length") + " octets";
}

}  // namespace

std::string policy_log_line(const json& facts) {
    std::string line = word(facts, "time") + " " + word(facts, "kind");
    if (facts.contains("action")) line += " " + word(facts, "action");
    line += " " + place(facts) + ":";
    if (facts.contains("action")) line += " " + packet(facts);
    if (const std::string reason = word(facts, "reason"); !reason.empty() && reason != "policy_denied")
        line += ", dropped: " + reason;
    if (facts.value("suppressed", json(0)) != 0)
        line += std::string(facts.contains("action") ? ", and " : " ") + word(facts, "suppressed") +
                " more frames without a line";
    return line;
}

}  // namespace bulkhead::cli
