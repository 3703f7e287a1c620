// SPDX-License-Identifier: Apache-2.0
// Frames as tests write them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace bulkhead::test {

using Bytes = std::vector<std::uint8_t>;

struct Tag {
    std::uint16_t vid = 0;
    std::uint16_t type = 0x8100;
    std::uint16_t priority = 0;
};

/// Stations are numbers: 02:00:00:00:00:NN. 0xff is broadcast.
[[nodiscard]] inline Bytes mac_bytes(unsigned station) {
    if (station == 0xff) return Bytes(6, 0xff);
    return {2, 0, 0, 0, static_cast<std::uint8_t>(station >> 8), static_cast<std::uint8_t>(station)};
}

/// An Ethernet frame: addresses, tags, EtherType 0x0800 and `payload` bytes that tell one frame from another.
[[nodiscard]] inline Bytes frame(unsigned to, unsigned from, const std::vector<Tag>& tags = {},
                                 std::size_t payload = 46) {
    Bytes bytes = mac_bytes(to);
    const Bytes source = mac_bytes(from);
    bytes.insert(bytes.end(), source.begin(), source.end());
    const auto put = [&bytes](std::uint16_t value) {
        bytes.push_back(static_cast<std::uint8_t>(value >> 8));
        bytes.push_back(static_cast<std::uint8_t>(value));
    };
    for (const Tag& tag : tags) {
        put(tag.type);
        put(static_cast<std::uint16_t>(tag.priority << 13 | tag.vid));
    }
    put(0x0800);
    for (std::size_t at = 0; at < payload; ++at) bytes.push_back(static_cast<std::uint8_t>(at * 7 + from));
    return bytes;
}

}  // namespace bulkhead::test
