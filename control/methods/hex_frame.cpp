// SPDX-License-Identifier: Apache-2.0
#include "control/methods/hex_frame.h"

#include <cstddef>

#include "control/config/object_reader.h"
#include "vswitch/explain/packet_explanation.h"

namespace bulkhead::methods {
namespace {

constexpr std::size_t kShown = 40;

/// -1: it is no digit.
int digit_of(char letter) {
    if (letter >= '0' && letter <= '9') return letter - '0';
    if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
    return letter >= 'A' && letter <= 'F' ? letter - 'A' + 10 : -1;
}

}  // namespace

Result<std::vector<std::uint8_t>> frame_from_hex(const std::string& hex) {
    constexpr const char* kAllowed = "hexadecimal digits, two an octet, from the destination address on";
    if (hex.empty()) return invalid("/frame", "frame has no octets", "\"\"", kAllowed);
    if (hex.size() > 2 * PacketQuestion::kLongest)
        return invalid("/frame", "frame is longer than any that a port takes",
                       std::to_string(hex.size() / 2) + " octets",
                       "at most " + std::to_string(PacketQuestion::kLongest) + " octets");
    if (hex.size() % 2 != 0)
        return invalid("/frame", "frame has half an octet", std::to_string(hex.size()) + " digits", kAllowed);
    std::vector<std::uint8_t> octets;
    for (std::size_t at = 0; at < hex.size(); at += 2) {
        const int high = digit_of(hex[at]), low = digit_of(hex[at + 1]);
        if (high < 0 || low < 0)
            return invalid("/frame", "frame is not in hexadecimal at digit " + std::to_string(at + (high < 0 ? 1 : 2)),
                           "\"" + config::shortened(hex, kShown) + "\"", kAllowed);
        octets.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return octets;
}

}  // namespace bulkhead::methods
