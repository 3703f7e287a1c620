// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/link_format.h"

#include <algorithm>

#include "vswitch/packet/big_endian.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kVidMask = 0x0fff;

void append(std::vector<std::uint8_t>& bytes, std::span<const std::uint8_t> more) {
    bytes.insert(bytes.end(), more.begin(), more.end());
}

void append(std::vector<std::uint8_t>& bytes, std::uint16_t value) {
    append(bytes, header_octets(BigEndian16(value)));
}

}  // namespace

std::expected<LinkFrame, LinkFault> LinkFormat::parse(std::span<const std::uint8_t> frame) const {
    if (frame.size() < kEthernetHeader) return std::unexpected(LinkFault::truncated);
    std::size_t header = kEthernetHeader;
    std::uint16_t vid = 0;
    auto ethertype = load_big_endian<std::uint16_t>(&frame[kMacPair]);
    if (ethertype == kEtherTypeVlan) {
        header += kVlanTag;
        if (frame.size() < header) return std::unexpected(LinkFault::truncated);
        vid = load_big_endian<std::uint16_t>(&frame[kMacPair + 2]) & kVidMask;
        ethertype = load_big_endian<std::uint16_t>(&frame[header - 2]);
    }
    if (vid != vlan_.value_or(0)) return std::unexpected(LinkFault::other_vlan);
    return LinkFrame{.destination = MacAddress::from_octets(frame.data()),
                     .source = MacAddress::from_octets(frame.data() + 6),
                     .ethertype = ethertype,
                     .payload = frame.subspan(header)};
}

std::vector<std::uint8_t> LinkFormat::build(const MacAddress& destination, std::uint16_t ethertype,
                                            std::span<const std::uint8_t> payload) const {
    std::vector<std::uint8_t> frame;
    frame.reserve(std::max<std::size_t>(kShortestFrame, kEthernetHeader + kVlanTag + payload.size()));
    append(frame, destination.octets());
    append(frame, mac_.octets());
    if (vlan_) {
        append(frame, kEtherTypeVlan);
        append(frame, *vlan_);
    }
    append(frame, ethertype);
    append(frame, payload);
    if (frame.size() < kShortestFrame) frame.resize(kShortestFrame);
    return frame;
}

}  // namespace bulkhead
