// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/opening.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace bulkhead::policy_import {
namespace {

std::vector<PortRange> joined(std::vector<PortRange> ranges) {
    std::ranges::sort(ranges);
    std::vector<PortRange> result;
    for (const PortRange& range : ranges) {
        if (!result.empty() && range.first <= result.back().last + 1)
            result.back().last = std::max(result.back().last, range.last);
        else
            result.push_back(range);
    }
    return result;
}

std::vector<PortRange> common_ports(const std::vector<PortRange>& a, const std::vector<PortRange>& b) {
    std::vector<PortRange> result;
    for (const PortRange& x : a)
        for (const PortRange& y : b)
            if (const PortRange both{std::max(x.first, y.first), std::min(x.last, y.last)}; both.first <= both.last)
                result.push_back(both);
    return joined(std::move(result));
}

bool covers_addresses(const Networks& whole, const Networks& part) {
    return whole.empty() || (!part.empty() && covers(whole, part));
}

bool covers(const Opening& whole, const Opening& part) {
    if (!covers_addresses(whole.from, part.from) || !covers_addresses(whole.to, part.to)) return false;
    if (!whole.protocol) return true;
    return whole.protocol == part.protocol && common_ports(whole.ports, part.ports) == part.ports;
}

}  // namespace

Opening everything() {
    return {.ports = {kEveryPort}};
}

std::vector<Opening> simplified(std::vector<Opening> openings) {
    std::map<std::tuple<Networks, Networks, std::optional<std::uint8_t>>, std::vector<PortRange>> ports_of;
    for (Opening& opening : openings) {
        auto& ports = ports_of[{std::move(opening.from), std::move(opening.to), opening.protocol}];
        ports.insert(ports.end(), opening.ports.begin(), opening.ports.end());
    }
    std::vector<Opening> together;
    for (auto& [key, ports] : ports_of)
        together.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), joined(std::move(ports))});
    std::vector<Opening> result;
    for (const Opening& opening : together) {
        const bool is_needless = std::ranges::any_of(
            together, [&](const Opening& other) { return &other != &opening && covers(other, opening); });
        if (!is_needless) result.push_back(opening);  // no two cover each other: they would be one already
    }
    std::ranges::sort(result);
    return result;
}

std::optional<Opening> common(const Opening& egress, const Opening& ingress) {
    Opening both{.from = ingress.from, .to = egress.to, .protocol = egress.protocol, .ports = egress.ports};
    if (egress.protocol && ingress.protocol) {
        if (egress.protocol != ingress.protocol) return std::nullopt;
        both.ports = common_ports(egress.ports, ingress.ports);
        if (both.ports.empty()) return std::nullopt;
    } else if (ingress.protocol) {
        both.protocol = ingress.protocol;
        both.ports = ingress.ports;
    }
    return both;
}

}  // namespace bulkhead::policy_import
