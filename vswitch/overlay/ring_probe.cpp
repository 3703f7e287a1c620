// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/ring_probe.h"

#include <cstring>

#include "vswitch/packet/big_endian.h"

namespace bulkhead {
namespace {

constexpr std::uint32_t kMagic = 0x4248'5250;  // "BHRP"
constexpr std::uint8_t kVersion = 1;
constexpr std::uint64_t kLocalSource = 0x0200'0000'0000ULL;
constexpr std::uint64_t kLowOctets = 0x00ff'ffff'ffffULL;

struct Layout {
    BigEndian16 destination_high;
    BigEndian32 destination_low;
    BigEndian16 source_high;
    BigEndian32 source_low;
    BigEndian16 ethertype;
    BigEndian32 magic;
    std::uint8_t version = 0;
    std::uint8_t kind = 0;
    std::uint8_t hops = 0;
    std::uint8_t zero = 0;
    BigEndian<std::uint64_t> sender;
    BigEndian32 vni;
    BigEndian32 sequence;
};
static_assert(sizeof(Layout) == 38);

}  // namespace

RingProbeFrame write_ring_probe(const RingProbe& probe) noexcept {
    const std::uint64_t source = kLocalSource | (probe.sender & kLowOctets);
    const Layout layout{.destination_high = static_cast<std::uint16_t>(kRingProbeAddress >> 32),
                        .destination_low = static_cast<std::uint32_t>(kRingProbeAddress),
                        .source_high = static_cast<std::uint16_t>(source >> 32),
                        .source_low = static_cast<std::uint32_t>(source),
                        .ethertype = kEtherTypeRingProbe,
                        .magic = kMagic,
                        .version = kVersion,
                        .kind = static_cast<std::uint8_t>(probe.kind),
                        .hops = probe.hops,
                        .sender = probe.sender,
                        .vni = probe.vni,
                        .sequence = probe.sequence};
    RingProbeFrame frame{};
    std::memcpy(frame.data(), &layout, sizeof layout);
    return frame;
}

std::optional<RingProbe> read_ring_probe(std::span<const std::uint8_t> frame) noexcept {
    const auto layout = read_header<Layout>(frame);
    if (!layout || layout->ethertype.value() != kEtherTypeRingProbe) return std::nullopt;
    if (layout->magic.value() != kMagic || layout->version != kVersion) return std::nullopt;
    const auto kind = static_cast<RingProbe::Kind>(layout->kind);
    if (kind < RingProbe::Kind::question || kind > RingProbe::Kind::change) return std::nullopt;
    return RingProbe{.sender = layout->sender.value(),
                     .vni = layout->vni.value(),
                     .sequence = layout->sequence.value(),
                     .kind = kind,
                     .hops = layout->hops};
}

}  // namespace bulkhead
