// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/traffic.h"

#include <algorithm>
#include <map>

#include "vswitch/packet/ethernet.h"
#include "vswitch/verify/kind_words.h"
#include "vswitch/verify/stations.h"

namespace bulkhead {
namespace {

Cells unite(const Cells& a, const Cells& b, const Cells& main) {
    const Cells &first = a.empty() ? main : a, &second = b.empty() ? main : b;
    Cells both;
    std::ranges::set_union(first, second, std::back_inserter(both));
    return both == main ? Cells() : both;
}

/// Puts those together that differ in nothing but what `take` takes out of them.
template <typename Take, typename Unite>
std::vector<Atom> merged_in(std::vector<Atom> atoms, Take take, Unite unite_in) {
    const auto key_of = [&](Atom atom) {
        take(atom);
        return std::pair(std::move(atom.kinds), std::move(atom.cells));
    };
    std::map<decltype(key_of(Atom())), std::size_t> places;
    std::vector<Atom> result;
    for (Atom& atom : atoms) {
        const auto [place, is_new] = places.emplace(key_of(atom), result.size());
        if (is_new)
            result.push_back(std::move(atom));
        else
            unite_in(result[place->second], atom);
    }
    return result;
}

bool holds(const Cells& all, const Cells& some) {
    return all.empty() || (!some.empty() && std::ranges::includes(all, some));
}

bool is_source_address(std::size_t slot) {
    return slot == index_of(Slot::source_v4) || slot == index_of(Slot::source_v6);
}

bool has_no_main(const Cells& cells, const Axis& axis) {
    return !cells.empty() &&
           std::ranges::none_of(cells, [&](std::uint32_t cell) { return axis.cells()[cell].is_main; });
}

bool says_as_much(const Atom& more, const Atom& atom) {
    for (std::size_t slot = 0; slot < kSlots; ++slot) {
        const bool covers =
            is_source_address(slot) ? more.cells[slot].empty() : holds(more.cells[slot], atom.cells[slot]);
        if (!covers) return false;
    }
    return std::ranges::includes(more.kinds, atom.kinds);
}

/// The values of cells, neighbours together.
std::vector<ValueRange> ranges_of(const Cells& cells, const Axis& axis) {
    std::vector<ValueRange> ranges;
    for (const std::uint32_t cell : cells) {
        const ValueRange& range = axis.cells()[cell].range;
        if (!ranges.empty() && ranges.back().last + 1 == range.first)
            ranges.back().last = range.last;
        else
            ranges.push_back(range);
    }
    return ranges;
}

std::string words_of(FlowFamily family, const ValueRange& range) {
    const IpAddress first = address_of(family, range.first);
    const FieldValue hosts = range.last - range.first;
    const bool is_network = (hosts & (hosts + 1)) == 0 && (range.first & hosts) == 0;
    if (!is_network) return first.to_string() + "-" + address_of(family, range.last).to_string();
    unsigned length = family == FlowFamily::ipv4 ? 32 : 128;
    for (FieldValue left = hosts; left != 0; left >>= 1) --length;
    return IpPrefix{first, static_cast<std::uint8_t>(length)}.to_string();
}

std::vector<PortRange> ports_of(const Atom& atom, const FlowSpace& space, Slot slot) {
    std::vector<PortRange> ports;
    for (const ValueRange& range : ranges_of(atom.cells[index_of(slot)], space.axis(slot)))
        ports.push_back({static_cast<std::uint16_t>(range.first), static_cast<std::uint16_t>(range.last)});
    return ports;
}

Choice<MacAddress> macs_of(const Atom& atom, const FlowSpace& space, Slot slot) {
    const auto& cells = space.axis(slot).cells();
    const Cells& chosen = atom.cells[index_of(slot)];
    Choice<MacAddress> macs;
    macs.all_but = std::ranges::any_of(chosen, [&](std::uint32_t cell) { return cells[cell].is_others; });
    for (std::uint32_t cell = 0; cell < cells.size() && !chosen.empty(); ++cell)
        if (std::ranges::binary_search(chosen, cell) != macs.all_but)
            macs.items.emplace_back(static_cast<std::uint64_t>(cells[cell].range.first));
    return macs;
}

std::vector<std::string> addresses_of(const Atom& atom, const FlowSpace& space, Slot v4, Slot v6) {
    std::vector<std::string> words;
    for (const auto& [slot, family] : {std::pair(v4, FlowFamily::ipv4), {v6, FlowFamily::ipv6}})
        for (const ValueRange& range : ranges_of(atom.cells[index_of(slot)], space.axis(slot)))
            words.push_back(words_of(family, range));
    return words;
}

}  // namespace

std::vector<Atom> merged(std::vector<Atom> atoms, const FlowSpace& space) {
    std::array<Cells, kSlots> main;
    for (std::size_t slot = 0; slot < kSlots; ++slot) main[slot] = space.main_cells(static_cast<Slot>(slot));
    std::size_t before = 0;
    do {
        before = atoms.size();
        for (std::size_t slot = kSlots; slot-- > 0;)
            atoms = merged_in(
                std::move(atoms), [slot](Atom& atom) { atom.cells[slot].clear(); },
                [&](Atom& into, const Atom& from) {
                    into.cells[slot] = unite(into.cells[slot], from.cells[slot], main[slot]);
                });
        atoms = merged_in(
            std::move(atoms), [](Atom& atom) { atom.kinds.clear(); },
            [](Atom& into, const Atom& from) {
                std::vector<std::uint16_t> both;
                std::ranges::set_union(into.kinds, from.kinds, std::back_inserter(both));
                into.kinds = std::move(both);
            });
    } while (atoms.size() < before);
    return atoms;
}

void leave_out_addressless(std::vector<Atom>& atoms, const FlowSpace& space) {
    const std::vector<Atom> all = atoms;
    std::erase_if(atoms, [&](const Atom& atom) {
        const bool has_no_address = has_no_main(atom.cells[index_of(Slot::source_v4)], space.axis(Slot::source_v4)) ||
                                    has_no_main(atom.cells[index_of(Slot::source_v6)], space.axis(Slot::source_v6));
        return has_no_address && std::ranges::any_of(all, [&](const Atom& more) { return says_as_much(more, atom); });
    });
}

std::vector<Traffic> traffic_of(const std::vector<Atom>& atoms, const FlowSpace& space, const SegmentRules& rules) {
    std::vector<Traffic> result;
    for (const Atom& atom : atoms) {
        for (Traffic traffic : words_of_kinds(atom.kinds, rules)) {
            traffic.sources = addresses_of(atom, space, Slot::source_v4, Slot::source_v6);
            traffic.destinations = addresses_of(atom, space, Slot::destination_v4, Slot::destination_v6);
            traffic.src_ports = ports_of(atom, space, Slot::source_port);
            traffic.dst_ports = ports_of(atom, space, Slot::service);
            traffic.source_macs = macs_of(atom, space, Slot::source_mac);
            traffic.destination_macs = macs_of(atom, space, Slot::destination_mac);
            const bool has_family = !traffic.sources.empty() || !traffic.destinations.empty();
            if (has_family && (!traffic.protocols.items.empty() || !traffic.icmp_types.empty()))
                traffic.ethertypes = {};
            result.push_back(std::move(traffic));
        }
    }
    return result;
}

}  // namespace bulkhead
