// SPDX-License-Identifier: Apache-2.0
// IPv4 packets between stations, and rules about them.
#pragma once

#include <cstdint>
#include <string>

#include "tests/unit/support/frames.h"
#include "tests/unit/support/memory_port.h"
#include "vswitch/model/model.h"

namespace bulkhead::test {

inline constexpr std::uint8_t kTcp = 6, kUdp = 17;

struct Ends {
    unsigned from, to;  ///< stations: 02:00:00:00:00:NN with 10.0.0.NN
    std::uint16_t source_port, destination_port;
    [[nodiscard]] Ends back() const { return {to, from, destination_port, source_port}; }
};

inline void put(Bytes& bytes, std::uint64_t value, unsigned octets) {
    for (unsigned at = octets; at-- > 0;) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * at));
}

/// A whole IPv4 packet without payload.
inline Bytes packet(const Ends& ends, std::uint8_t protocol, std::uint8_t tcp_flags = 0, std::uint32_t sequence = 0) {
    Bytes bytes = mac_bytes(ends.to);
    const Bytes source = mac_bytes(ends.from);
    bytes.insert(bytes.end(), source.begin(), source.end());
    put(bytes, 0x0800, 2);
    const unsigned upper = protocol == kTcp ? 20 : 40;
    put(bytes, 0x4500, 2);
    put(bytes, 20 + upper, 2);
    put(bytes, 0, 4);
    put(bytes, 64, 1);
    put(bytes, protocol, 1);
    put(bytes, 0, 2);
    put(bytes, 0x0a00'0000 + ends.from, 4);
    put(bytes, 0x0a00'0000 + ends.to, 4);
    put(bytes, ends.source_port, 2);
    put(bytes, ends.destination_port, 2);
    if (protocol == kTcp) {
        put(bytes, sequence, 4);
        put(bytes, 0, 4);
        put(bytes, 0x5000U | tcp_flags, 2);
    }
    bytes.resize(14 + 20 + upper);
    return bytes;
}

inline Bytes udp(const Ends& ends) {
    return packet(ends, kUdp);
}

inline Policy rule(const std::string& name, std::uint32_t order, PolicyAction action, std::uint8_t protocol,
                   std::uint16_t port) {
    Policy policy{.owner = {}, .segment = "blue", .name = name, .order = order};
    policy.protocol = protocol;
    policy.dst_ports = {{port, port}};
    policy.action = action;
    return policy;
}

}  // namespace bulkhead::test
