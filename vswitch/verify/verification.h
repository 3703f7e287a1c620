// SPDX-License-Identifier: Apache-2.0
// What the installed tables of a segment let pass between its attachments, and what was meant. Plain values, by the
// names that users gave; docs/policy.md, "Verified", tells what they mean.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "vswitch/base/mac_address.h"
#include "vswitch/explain/flow_fields.h"
#include "vswitch/model/model.h"

namespace bulkhead {

struct AttachmentName {
    std::string port;
    std::uint16_t vlan = 0;  ///< 0: untagged
    auto operator<=>(const AttachmentName&) const = default;
    /// "web-0", "fw-0:10"
    [[nodiscard]] std::string to_string() const { return vlan == 0 ? port : port + ":" + std::to_string(vlan); }
};

/// Some of all values of a field. Without items: every one.
template <typename Value>
struct Choice {
    std::vector<Value> items = {};
    bool all_but = false;
    auto operator<=>(const Choice&) const = default;
};

/// What becomes of frames on the way from one attachment to another.
struct Verdict {
    bool passes = false;
    std::string ground = {};  ///< as of policy.explain: "rule", "none", "resolution"; or "port": no rule was asked
    std::string rule = {};    ///< empty: none
    std::string via = {};     ///< port that they are redirected to first; empty: none
    std::string why = {};     ///< of ground "port", and of a rule that redirects to nowhere
    auto operator<=>(const Verdict&) const = default;
};

/// Frames, exactly: those that all of its fields hold of. What is empty holds of all.
struct Traffic {
    Verdict verdict = {};
    Choice<std::uint16_t> ethertypes = {};
    Choice<std::uint8_t> protocols = {};
    std::vector<std::uint8_t> icmp_types = {};
    std::vector<std::string> sources = {}, destinations = {};  ///< "10.0.0.0/8", or "10.0.0.1-10.0.0.9"
    std::vector<PortRange> src_ports = {}, dst_ports = {};
    Choice<MacAddress> source_macs = {}, destination_macs = {};
    bool opens = true;  ///< false: only what can't begin anything, such as TCP segments without a SYN
    bool operator==(const Traffic&) const = default;
};

/// Where what is installed and what was meant are not the same.
struct Difference {
    Verdict installed, intended;
    std::vector<Traffic> traffic;  ///< all of it; their verdicts say nothing
    std::size_t left_out = 0;      ///< of `traffic`
    FlowFields sample;             ///< one of these frames
    std::string from_group, to_group;
};

struct VerifiedPair {
    AttachmentName from, to;
    bool reachable = false;  ///< something but ARP and Neighbor Discovery can get there without a connection being open
    bool intended = false;
    std::vector<Traffic> allowed, meant;  ///< what can get there, and what should
    std::size_t allowed_left_out = 0, meant_left_out = 0;
    std::vector<Difference> differences;
    std::string incomplete;  ///< why not all flows were looked at; empty: they were
};

/// An attachment that is not installed as it was meant; what is wrong, one sentence each.
struct VerifiedAttachment {
    AttachmentName name;
    std::vector<std::string> differences;
};

struct VerificationQuestion {
    /// Representative flows of one pair, and of one answer: then what is left waits for the next.
    static constexpr std::size_t kMostFlowsOfPair = 20'000, kMostFlows = 40'000;
    static constexpr std::size_t kMostTraffic = 32;  ///< items of one list

    std::string segment;
    const Model& intent;
    std::function<bool(const std::string& port)> is_visible = {};         ///< not set: every port is
    std::string from = {}, to = {};                                       ///< only this port's; empty: every one's
    std::optional<std::pair<AttachmentName, AttachmentName>> after = {};  ///< only pairs behind it
    std::size_t limit = SIZE_MAX;                                         ///< pairs
    std::size_t most_flows_of_pair = kMostFlowsOfPair;
};

struct SegmentVerification {
    std::vector<VerifiedAttachment> attachments;  ///< only those that differ
    std::vector<std::string> differences;         ///< of the segment itself
    std::vector<VerifiedPair> pairs;              ///< by `from` and `to`; not of one port
    bool has_more = false;                        ///< pairs behind the last one
};

}  // namespace bulkhead
