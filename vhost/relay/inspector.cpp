// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/inspector.h"

#include <algorithm>
#include <bit>

#include "vhost/guest_features.h"
#include "vhost/relay/guest_file.h"

namespace bulkhead::vhost {
namespace {

using Objection = std::optional<std::string>;

constexpr std::uint32_t kLargestRing = 32768;                    // virtio 1.1, section 2.6
constexpr std::uint64_t kSmallestMtu = 68, kLargestMtu = 65535;  // RFC 791, section 3.2; virtio 1.1, section 5.1.4.1

/// What a request carries: payload, and descriptors.
struct Shape {
    Request request;
    std::uint32_t bytes;
    std::uint32_t descriptors = 0;
};
// SET_MEM_TABLE and the descriptors of rings are of more than one shape.
constexpr Shape kShapes[] = {
    {Request::get_features, 0},
    {Request::set_features, 8},
    {Request::set_owner, 0},
    {Request::reset_owner, 0},
    {Request::set_log_base, sizeof(LogArea), 1},
    {Request::set_log_fd, 0, 1},
    {Request::set_vring_num, sizeof(VringState)},
    {Request::set_vring_addr, 40},
    {Request::set_vring_base, sizeof(VringState)},
    {Request::get_vring_base, sizeof(VringState)},
    {Request::get_protocol_features, 0},
    {Request::set_protocol_features, 8},
    {Request::get_queue_num, 0},
    {Request::set_vring_enable, sizeof(VringState)},
    {Request::send_rarp, 8},
    {Request::net_set_mtu, 8},
    {Request::set_status, 8},
    {Request::get_status, 0},
};

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

bool is_about_a_rings_descriptor(Request request) {
    return request == Request::set_vring_kick || request == Request::set_vring_call ||
           request == Request::set_vring_err;
}

Objection to_shape(const Message& message) {
    const auto is = [&](std::size_t bytes, std::size_t descriptors) -> Objection {
        if (message.payload.size() == bytes && message.descriptors.size() == descriptors) return std::nullopt;
        return "message " + number(message.header.request) + " with " + number(message.payload.size()) + " bytes and " +
               number(message.descriptors.size()) + " descriptors (" + number(bytes) + " and " + number(descriptors) +
               ")";
    };
    if (is_about_a_rings_descriptor(message.request())) {
        const bool comes_without = (message.get<std::uint64_t>().value_or(0) & kNoDescriptor) != 0;
        return is(sizeof(std::uint64_t), comes_without ? 0 : 1);
    }
    if (message.request() == Request::set_mem_table) {
        const auto regions = message.get<std::uint32_t>().value_or(0);
        if (regions < 1 || regions > kMostRegions) return number(regions) + " memory regions (1 to 8)";
        return is(kRegionsBegin + regions * sizeof(MemoryRegion), regions);
    }
    for (const Shape& shape : kShapes)
        if (shape.request == message.request()) return is(shape.bytes, shape.descriptors);
    return "message " + number(message.header.request) + ", which is none for a network device";
}

Objection to_memory(const Message& message) {
    for (std::size_t at = 0; at < message.descriptors.size(); ++at) {
        const auto region = *message.get<MemoryRegion>(kRegionsBegin + at * sizeof(MemoryRegion));
        std::uint64_t end = 0;
        const bool overflows = __builtin_add_overflow(region.offset, region.size, &end) ||
                               region.guest_address + region.size < region.size ||
                               region.user_address + region.size < region.size;
        if (region.size == 0 || overflows) return "memory region " + number(at) + " is empty or wraps";
        if (auto objection = objection_to_memory(message.descriptors[at].get(), end)) return objection;
    }
    return std::nullopt;
}

Objection to_log(const Message& message) {
    const auto log = *message.get<LogArea>();
    std::uint64_t end = 0;
    if (log.size == 0 || __builtin_add_overflow(log.size, log.offset, &end)) return "a log that is empty or wraps";
    return objection_to_memory(message.descriptors[0].get(), end);
}

Objection to_mtu(std::uint64_t mtu) {
    if (mtu >= kSmallestMtu && mtu <= kLargestMtu) return std::nullopt;
    return "an MTU of " + number(mtu) + " (68 to 65535)";
}

/// The number of the ring that a message is about.
std::optional<std::uint64_t> ring_of(const Message& message) {
    switch (message.request()) {
        case Request::set_vring_num:
        case Request::set_vring_base:
        case Request::get_vring_base:
        case Request::set_vring_enable:
        case Request::set_vring_addr:
            return message.get<std::uint32_t>();
        case Request::set_vring_kick:
        case Request::set_vring_call:
        case Request::set_vring_err:
            return message.get<std::uint64_t>().value_or(0) & kRingMask;
        default:
            return std::nullopt;
    }
}

}  // namespace

bool Inspector::is_packed() const {
    return (features_.value_or(0) & feature::kRingPacked) != 0;
}

Objection Inspector::objection_to(const Message& message) {
    if ((message.header.flags & (kVersionMask | kIsReply)) != kVersion)
        return "message flags " + number(message.header.flags) + " (version 1, and no reply)";
    if (auto objection = to_shape(message)) return objection;
    if (const auto ring = ring_of(message); ring && *ring >= rings_.size())
        return "ring " + number(*ring) + " (" + number(rings_.size()) + " there are)";
    return to_content(message);
}

Objection Inspector::to_content(const Message& message) {
    const auto state = message.get<VringState>().value_or(VringState{});
    switch (message.request()) {
        case Request::reset_owner:  // vhost-user.rst: ignore it; so nobody may wait for an answer
            return (message.header.flags & kNeedsReply) == 0 ? Objection() : "RESET_OWNER that wants a reply";
        case Request::set_features:
            return to_features(*message.get<std::uint64_t>());
        case Request::set_mem_table:
            return to_memory(message);
        case Request::set_log_base:
            return to_log(message);
        case Request::set_vring_num:
            return to_size(rings_[state.index], state.number);
        case Request::set_vring_base:
            if (rings_[state.index].has_addresses) return "a new position for a ring in use";
            rings_[state.index].base = state.number;
            return std::nullopt;
        case Request::set_vring_addr:
            return to_addresses(rings_[state.index]);
        case Request::get_vring_base:  // "the ring is stopped"
            rings_[state.index] = {};
            return std::nullopt;
        case Request::set_log_fd:
        case Request::set_vring_kick:
        case Request::set_vring_call:
        case Request::set_vring_err:
            return message.descriptors.empty() ? Objection() : objection_to_eventfd(message.descriptors[0].get());
        case Request::net_set_mtu:
            return to_mtu(*message.get<std::uint64_t>());
        default:
            return std::nullopt;
    }
}

Objection Inspector::to_features(std::uint64_t features) {
    const bool rings_go_by_them = std::ranges::any_of(rings_, [](const Ring& ring) { return ring.size != 0; });
    if (rings_go_by_them && ((features ^ features_.value_or(0)) & ~feature::kLogAll) != 0)
        return "other features for rings in use";
    features_ = features;
    return std::nullopt;
}

Objection Inspector::to_size(Ring& ring, std::uint32_t size) const {
    if (!features_) return "a ring before the features";
    if (ring.has_addresses) return "a new size for a ring in use";
    if (size < 1 || size > kLargestRing || (!is_packed() && !std::has_single_bit(size)))
        return "a ring of " + number(size) + " (a power of two, at most 32768)";
    ring.size = size;
    return std::nullopt;
}

Objection Inspector::to_addresses(Ring& ring) const {
    if (ring.size == 0) return "a ring's addresses before its size";
    if (is_packed() && (ring.base & 0x7fff) >= ring.size)  // vhost-user.rst: bits 0 to 14; bit 15 is the wrap counter
        return "position " + number(ring.base & 0x7fff) + " in a ring of " + number(ring.size);
    ring.has_addresses = true;
    return std::nullopt;
}

}  // namespace bulkhead::vhost
