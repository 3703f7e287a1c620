// SPDX-License-Identifier: Apache-2.0
// Hostile stations of a segment that the switch answers. The input is one octet (0x40: the frame's checksums are made
// right), two that say what fits through the tunnel, little end first, and the frame. What is answered must be sound.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "tests/fuzz/fix_checksums.h"
#include "vswitch/overlay/address_request.h"
#include "vswitch/overlay/arp_message.h"
#include "vswitch/overlay/neighbor_message.h"
#include "vswitch/overlay/too_big.h"
#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip_packet.h"

namespace bulkhead {
namespace {

const MacAddress kOwner(0x0200'0000'0009);
constexpr std::uint16_t kLongestPacket = 1500;

void require(bool holds) {
    if (!holds) std::abort();
}

void answer_request(const LinkHeader& header, std::span<const std::uint8_t> payload) {
    const auto request = parse_address_request(header.ethertype, header.source,
                                               payload.first(std::min(payload.size(), kLongestRequest)));
    if (!request || !request->target.is_usable()) return;  // of any other address nobody is the owner
    const AddressAnswer answer = answer_of(*request, kOwner);
    const auto octets = std::span(answer.octets).first(answer.length);
    if (request->target.is_v4()) {
        const auto arp = parse_arp(octets);
        require(arp && !arp->is_request && arp->sender_mac == kOwner && arp->sender_ip == request->target);
        return;
    }
    const auto packet = parse_ipv6(octets);
    require(packet.has_value());
    const auto message = parse_neighbor_message(*packet);
    require(message && !message->is_solicitation && message->mac == kOwner && message->target == request->target);
}

void answer_length(const std::vector<std::uint8_t>& frame, std::uint32_t longest_frame) {
    const auto read = std::span(frame).first(std::min(frame.size(), kReadOfTooBig));
    const auto answer = answer_too_big(read, static_cast<std::uint32_t>(frame.size()), longest_frame, kLongestPacket);
    if (!answer) return;
    const auto octets = std::span(answer->packet).first(answer->length);
    const bool is_v4 = answer->asked.ethertype == kEtherTypeIpv4;
    const auto packet = is_v4 ? parse_ipv4(octets) : parse_ipv6(octets);
    require(packet && packet->source.is_usable() && packet->destination.is_usable());
    require(answer->length <= (is_v4 ? 576 : 1280) && packet->payload.size() > sizeof(IcmpTooBigHeader));
    require((is_v4 ? internet_checksum(packet->payload)
                   : icmpv6_checksum(packet->source, packet->destination, packet->payload)) == 0);
    // An error is never answered.
    std::vector<std::uint8_t> error(frame.begin(), frame.begin() + answer->asked.length);
    error.insert(error.end(), octets.begin(), octets.end());
    require(
        !answer_too_big(error, static_cast<std::uint32_t>(error.size()), answer->asked.length + 1U, kLongestPacket));
}

}  // namespace
}  // namespace bulkhead

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bulkhead;
    if (size < 3) return 0;
    // In memory of its own, so that a read past its end is seen.
    std::vector<std::uint8_t> frame(data + 3, data + size);
    frame.shrink_to_fit();
    if ((data[0] & 0x40) != 0) fix_checksums(frame);
    if (const auto header = read_link_header(frame)) answer_request(*header, std::span(frame).subspan(header->length));
    answer_length(frame, data[1] | data[2] << 8U);
    return 0;
}
