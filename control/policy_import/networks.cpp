// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/networks.h"

#include <algorithm>
#include <utility>

namespace bulkhead::policy_import {
namespace {

constexpr unsigned kBits = 128;

/// Of the sixteen octets, in which an IPv4 address has the last four.
unsigned network_bits(const IpPrefix& prefix) {
    return prefix.length + (prefix.address.is_v4() ? kBits - 32 : 0U);
}

IpPrefix with_length(const IpPrefix& prefix, unsigned length) {
    IpPrefix result{prefix.address, static_cast<std::uint8_t>(length)};
    IpAddress::Octets octets = prefix.address.octets();
    for (unsigned bit = network_bits(result); bit < kBits; ++bit)
        octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] & ~(0x80U >> bit % 8));
    result.address = IpAddress(octets);
    return result;
}

std::pair<IpPrefix, IpPrefix> halves(const IpPrefix& prefix) {
    const IpPrefix lower = with_length(prefix, prefix.length);
    IpAddress::Octets octets = lower.address.octets();
    const unsigned bit = network_bits(lower);
    octets[bit / 8] = static_cast<std::uint8_t>(octets[bit / 8] | 0x80U >> bit % 8);
    const auto length = static_cast<std::uint8_t>(prefix.length + 1);
    return {{lower.address, length}, {IpAddress(octets), length}};
}

bool are_halves(const IpPrefix& a, const IpPrefix& b) {
    return a.length == b.length && a.length > 0 && with_length(a, a.length - 1U) == with_length(b, b.length - 1U);
}

/// Appends a network that comes in the order of addresses, the larger of two at one address first.
void append(Networks& result, const IpPrefix& network) {
    if (!result.empty() && is_inside(network, result.back())) return;
    result.push_back(network);
    while (result.size() > 1 && are_halves(result[result.size() - 2], result.back())) {
        const IpPrefix whole = with_length(result.back(), result.back().length - 1U);
        result.resize(result.size() - 2);
        result.push_back(whole);
    }
}

void cut(const IpPrefix& network, const IpPrefix& hole, Networks& rest) {
    if (is_inside(network, hole)) return;
    if (!is_inside(hole, network)) {
        rest.push_back(network);
        return;
    }
    const auto [lower, upper] = halves(network);
    cut(lower, hole, rest);
    cut(upper, hole, rest);
}

}  // namespace

bool is_inside(const IpPrefix& part, const IpPrefix& whole) {
    return part.length >= whole.length && whole.contains(part.address);
}

Networks merged(Networks networks) {
    for (IpPrefix& network : networks) network = with_length(network, network.length);
    std::ranges::sort(networks, [](const IpPrefix& a, const IpPrefix& b) {
        return std::pair(!a.address.is_v4(), a) < std::pair(!b.address.is_v4(), b);
    });
    Networks result;
    for (const IpPrefix& network : networks) append(result, network);
    return result;
}

Networks without(const IpPrefix& network, const Networks& holes) {
    Networks left{network};
    for (const IpPrefix& hole : holes) {
        Networks rest;
        for (const IpPrefix& part : left) cut(part, hole, rest);
        left = std::move(rest);
    }
    return merged(std::move(left));
}

bool covers(const Networks& whole, const Networks& part) {
    return std::ranges::all_of(part, [&](const IpPrefix& network) {
        return std::ranges::any_of(whole, [&](const IpPrefix& larger) { return is_inside(network, larger); });
    });
}

}  // namespace bulkhead::policy_import
