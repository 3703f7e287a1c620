// SPDX-License-Identifier: Apache-2.0
// The name of a connection, the same for both of its directions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vswitch/policy/flow.h"

namespace bulkhead {

struct ConnectionKey {
    /// The lower endpoint's address, the higher one's, then ports, segment, protocol and family. Of IPv4 both addresses
    /// are in the fourth word, so that the last two say all.
    std::array<std::uint64_t, 5> words{};
    bool from_low = false;  ///< the frame comes from the lower endpoint

    [[nodiscard]] bool is_v4() const noexcept {
        return (words[4] & 0xff) == static_cast<std::uint8_t>(FlowFamily::ipv4);
    }
};

[[nodiscard]] inline ConnectionKey connection_key(const Flow& flow) noexcept {
    ConnectionKey key;
    std::uint64_t low_port = flow.source_port, high_port = flow.destination_port;
    if (flow.family == FlowFamily::ipv4) [[likely]] {
        const std::uint64_t source = flow.source[1] << 16 | low_port,
                            destination = flow.destination[1] << 16 | high_port;
        key.from_low = source < destination;
        const std::uint64_t low = key.from_low ? source : destination, high = key.from_low ? destination : source;
        key.words[3] = (low >> 16) << 32 | high >> 16;
        low_port = low & 0xffff;
        high_port = high & 0xffff;
    } else {
        key.from_low = flow.source != flow.destination ? flow.source < flow.destination : low_port < high_port;
        const FlowAddress &low = key.from_low ? flow.source : flow.destination,
                          &high = key.from_low ? flow.destination : flow.source;
        key.words = {low[0], low[1], high[0], high[1], 0};
        if (!key.from_low) std::swap(low_port, high_port);
    }
    key.words[4] = low_port << 48 | high_port << 32 | static_cast<std::uint64_t>(flow.segment) << 16 |
                   static_cast<std::uint64_t>(flow.protocol) << 8 | static_cast<std::uint8_t>(flow.family);
    return key;
}

/// `secret` is this process's, so that guests can't choose connections that meet in one place.
[[nodiscard]] inline std::uint64_t hash_of(const ConnectionKey& key,
                                           const std::array<std::uint64_t, 2>& secret) noexcept {
    __extension__ using Product = unsigned __int128;
    const auto fold = [](std::uint64_t a, std::uint64_t b) {
        const Product product = static_cast<Product>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    };
    std::uint64_t hash = fold(key.words[3] ^ secret[0], key.words[4] ^ secret[1]);  // as hash_v4() has it
    if (!key.is_v4()) [[unlikely]]
        hash = fold(hash ^ key.words[0] ^ secret[1], fold(key.words[1] ^ secret[0], key.words[2] ^ secret[1]));
    return hash * 0xd6e8'feb8'6659'fd93ULL;
}

}  // namespace bulkhead
