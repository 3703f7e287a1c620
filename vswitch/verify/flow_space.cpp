// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/flow_space.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "vswitch/packet/icmp.h"
#include "vswitch/packet/ip.h"
#include "vswitch/verify/stations.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kDhcpServer = 67, kDhcpClient = 68;  // RFC 2131, section 4.1
constexpr std::uint16_t kDhcpv6Client = 546;                 // RFC 8415, section 7.2

FlowFamily family_of(Slot slot) {
    return slot == Slot::source_v4 || slot == Slot::destination_v4 ? FlowFamily::ipv4 : FlowFamily::ipv6;
}

bool is_port(Slot slot) {
    return slot == Slot::source_port || slot == Slot::service;
}

/// The fields that frames of a kind have.
std::vector<Slot> slots_of(const FrameKind& kind) {
    using enum Slot;
    const std::vector<Slot> ports = {source_port, service};
    std::vector<Slot> slots = {source_mac, destination_mac};
    if (kind.family() == FlowFamily::ipv4) slots = {source_mac, destination_mac, source_v4, destination_v4};
    if (kind.family() == FlowFamily::ipv6) slots = {source_mac, destination_mac, source_v6, destination_v6};
    if (kind.has_ports()) std::ranges::copy(ports, std::back_inserter(slots));
    return slots;
}

bool is_udp(const FrameKind& kind, FlowFamily family) {
    return kind.family() == family && kind.flow.protocol == kProtocolUdp;
}

bool is_router_message(const FrameKind& kind) {
    return kind.family() == FlowFamily::ipv6 && kind.flow.protocol == kProtocolIcmpv6 &&
           (kind.flow.service == kIcmpv6RouterAdvertisement || kind.flow.service == kIcmpv6Redirect);
}

/// What a station may say before it has an address (vswitch/security/check_station.cpp).
bool needs_no_address(const FrameKind& kind) {
    if (kind.family() == FlowFamily::ipv4) return kind.flow.protocol == kProtocolIgmp;
    if (kind.family() != FlowFamily::ipv6 || kind.flow.protocol != kProtocolIcmpv6) return false;
    constexpr std::uint8_t kTypes[] = {kIcmpv6NeighborSolicitation, kIcmpv6RouterSolicitation, kIcmpv6GroupReport,
                                       kIcmpv6GroupDone, kIcmpv6GroupReport2};
    return std::ranges::find(kTypes, kind.flow.service) != std::end(kTypes);
}

bool is_main(const Axis::Cell& cell) {
    return cell.is_main;
}
bool is_not_main(const Axis::Cell& cell) {
    return !cell.is_main;
}
std::function<bool(const Axis::Cell&)> only(FieldValue value) {
    return [value](const Axis::Cell& cell) { return cell.range.first == value && cell.range.last == value; };
}
std::function<bool(const Axis::Cell&)> all_but(FieldValue value) {
    return [value](const Axis::Cell& cell) { return cell.range.first != value; };
}

bool is_settled(const Marks& left, const Marks& rest) {
    const auto first = first_marked(left);
    return !first || is_marked(rest, *first);
}

bool fits(const std::vector<std::string>& groups, const std::string& group) {
    return groups.empty() || std::ranges::find(groups, group) != groups.end();
}

}  // namespace

FlowSpace::FlowSpace(const SegmentRules& rules, const PairEnds& ends) : rules_(rules), ends_(ends) {
    choose_rules();
    build_axes();
}

void FlowSpace::choose_rules() {
    for (std::uint16_t rule = 0; rule < rules_.written.size(); ++rule) {
        const Policy& written = *rules_.written[rule];
        if (fits(written.from.groups, ends_.from.group) && fits(written.to.groups, ends_.to.group))
            written_.push_back(rule);
    }
    if (rules_.installed == nullptr) return;
    const RuleSet& set = *rules_.installed->rules;
    const RuleSetBits between = RuleCells(set).between(ends_.from_class, ends_.to_class);
    for (std::uint16_t rule = 0; rule < set.size(); ++rule)
        if (has_rule(between.data(), rule)) installed_.push_back(rule);
}

Marks FlowSpace::installed_marks(const std::uint64_t* bits) const {
    Marks marks = no_marks(installed_.size());
    for (std::size_t at = 0; at < installed_.size(); ++at) {
        const std::uint16_t rule = installed_[at];
        if (has_rule(bits, rule)) mark(marks, at);
    }
    return marks;
}

BothMarks FlowSpace::marks_of(const SegmentRules::KindClass& kinds) const {
    BothMarks marks{no_marks(written_.size()), installed_marks(kinds.installed.data())};
    for (std::size_t at = 0; at < written_.size(); ++at)
        if (is_marked(kinds.written, written_[at])) mark(marks.written, at);
    return marks;
}

std::vector<ValueRange> FlowSpace::written_ranges(const Policy& rule, Slot slot) const {
    std::vector<ValueRange> ranges;
    if (is_port(slot)) {
        for (const PortRange& ports : slot == Slot::service ? rule.dst_ports : rule.src_ports)
            ranges.push_back({ports.first, ports.last});
        return ranges;
    }
    const std::vector<IpPrefix>& ips = is_source(slot) ? rule.from.ips : rule.to.ips;
    for (const IpPrefix& ip : ips)
        if (ip.address.is_v4() == (family_of(slot) == FlowFamily::ipv4)) ranges.push_back(range_of(ip));
    // Addresses of the other family alone: it matches none of this one.
    constexpr ValueRange kNone{1, 0};
    if (!ips.empty() && ranges.empty()) ranges.push_back(kNone);
    return ranges;
}

AxisDomain FlowSpace::domain_of(Slot slot) const {
    if (!is_port(slot))
        return is_source(slot) ? source_addresses(ends_.from, family_of(slot))
                               : destination_addresses(ends_.to, family_of(slot));
    AxisDomain domain{.regions = {{{0, 0xffff}}}, .liked = {}, .edges = {}};
    const auto cut_out = [&](FieldValue port) { domain.edges.insert(domain.edges.end(), {port, port + 1}); };
    if (ends_.from.security == PortSecurity::strict) cut_out(slot == Slot::service ? kDhcpServer : kDhcpClient);
    if (ends_.from.guards.dhcp_server && slot == Slot::service)
        for (const std::uint16_t port : {kDhcpClient, kDhcpv6Client}) cut_out(port);
    return domain;
}

Axis FlowSpace::mac_axis(Slot slot) const {
    const bool is_from = slot == Slot::source_mac;
    const RuleCells::Macs& installed = is_from ? rules_.source_macs : rules_.destination_macs;
    const auto macs_of = [&](std::uint16_t rule) -> const std::vector<MacAddress>& {
        return is_from ? rules_.written[rule]->from.macs : rules_.written[rule]->to.macs;
    };
    const auto may_be = [&](MacAddress mac) {
        return is_from ? may_send_from(ends_.from, mac) : may_get(ends_.to, mac);
    };
    std::map<MacAddress, const std::uint64_t*> named;
    for (const std::uint16_t rule : written_)
        for (const MacAddress& mac : macs_of(rule)) named.emplace(mac, installed.others);
    for (const auto& [mac, bits] : installed.named) named[MacAddress(mac)] = bits;

    Marks all_installed = no_marks(installed_.size());
    for (std::size_t at = 0; at < installed_.size(); ++at) mark(all_installed, at);
    Axis axis;
    const auto add = [&](MacAddress mac, const std::uint64_t* bits, bool is_others) {
        BothMarks marks{no_marks(written_.size()), bits == nullptr ? all_installed : installed_marks(bits)};
        for (std::size_t at = 0; at < written_.size(); ++at) {
            const auto& macs = macs_of(written_[at]);
            const bool is_among = !is_others && std::ranges::find(macs, mac) != macs.end();
            if (macs.empty() || is_among) mark(marks.written, at);
        }
        axis.add({.range = {mac.value(), mac.value()}, .sample = mac.value(), .is_others = is_others},
                 std::move(marks));
    };
    for (const auto& [mac, bits] : named)
        if (may_be(mac)) add(mac, bits, false);

    // One that no rule names: its own, another unicast one, or one of many.
    std::vector<MacAddress> others = is_from ? ends_.from.macs : ends_.to.macs;
    for (const std::uint64_t first : {is_from ? 0x0200'0000'0001ULL : 0x0200'0000'0002ULL, 0x3333'0000'0001ULL}) {
        MacAddress mac(first);
        while (named.contains(mac)) mac = MacAddress(mac.value() + 1);
        others.push_back(mac);
    }
    if (is_from) others.pop_back();  // nobody sends from an address of many
    for (const MacAddress& mac : others) {
        if (named.contains(mac) || !may_be(mac)) continue;
        add(mac, installed.others, true);
        break;
    }
    return axis;
}

void FlowSpace::build_axes() {
    axes_[index_of(Slot::source_mac)] = mac_axis(Slot::source_mac);
    axes_[index_of(Slot::destination_mac)] = mac_axis(Slot::destination_mac);
    std::map<const std::uint64_t*, Marks> known;
    const auto marks_of = [&](const std::uint64_t* bits) {
        const auto found = known.find(bits);
        return found != known.end() ? found->second : known.emplace(bits, installed_marks(bits)).first->second;
    };
    for (const Slot slot : {Slot::source_v4, Slot::destination_v4, Slot::source_v6, Slot::destination_v6,
                            Slot::source_port, Slot::service}) {
        WrittenRanges written;
        for (const std::uint16_t rule : written_) written.push_back(written_ranges(*rules_.written[rule], slot));
        axes_[index_of(slot)] =
            Axis(written, rules_.pieces[index_of(slot)], marks_of, installed_.size(), domain_of(slot));
        steps_ +=
            rules_.pieces[index_of(slot)].size() + axes_[index_of(slot)].cells().size() * (written_.size() / 64 + 1);
    }
}

Cells FlowSpace::main_cells(Slot slot) const {
    Cells main;
    for (std::uint32_t cell = 0; cell < axis(slot).cells().size(); ++cell)
        if (axis(slot).cells()[cell].is_main) main.push_back(cell);
    return main;
}

const AxisView* FlowSpace::view(Slot slot, const std::function<bool(const Axis::Cell&)>& takes) {
    views_.push_back(std::make_unique<AxisView>(axis(slot), takes));
    return views_.back().get();
}

std::vector<FlowSpace::Part> FlowSpace::parts() {
    Views main{};
    for (std::size_t slot = 0; slot < kSlots; ++slot) main[slot] = view(static_cast<Slot>(slot), is_main);
    const Guards guards = ends_.from.guards;
    std::vector<Part> parts;
    parts.push_back({[guards](const FrameKind& kind) {
                         const bool is_any_udp = is_udp(kind, FlowFamily::ipv4) || is_udp(kind, FlowFamily::ipv6);
                         return !(guards.router && is_router_message(kind)) && !(guards.dhcp_server && is_any_udp);
                     },
                     main});
    if (guards.dhcp_server) {
        for (const auto& [family, client] :
             {std::pair(FlowFamily::ipv4, kDhcpClient), {FlowFamily::ipv6, kDhcpv6Client}}) {
            parts.push_back({[family](const FrameKind& kind) { return is_udp(kind, family); }, main});
            parts.back().views[index_of(Slot::service)] = view(Slot::service, all_but(client));
        }
    }
    if (ends_.from.security == PortSecurity::strict) add_parts_without_address(parts, main);
    return parts;
}

void FlowSpace::add_parts_without_address(std::vector<Part>& parts, const Views& main) {
    Views bare = main;
    bare[index_of(Slot::source_v4)] = view(Slot::source_v4, is_not_main);
    bare[index_of(Slot::source_v6)] = view(Slot::source_v6, is_not_main);
    parts.push_back({needs_no_address, bare});
    bare[index_of(Slot::source_port)] = view(Slot::source_port, only(kDhcpClient));
    bare[index_of(Slot::service)] = view(Slot::service, only(kDhcpServer));
    parts.push_back({[](const FrameKind& kind) { return is_udp(kind, FlowFamily::ipv4); }, bare});
}

bool FlowSpace::for_each_atom(std::size_t most, const Take& take) {
    return std::ranges::all_of(parts(), [&](const Part& part) { return search_part(part, most, take); });
}

bool FlowSpace::search_part(const Part& part, std::size_t most, const Take& take) {
    for (const SegmentRules::KindClass& kinds : rules_.kind_classes) {
        Search search{.slots = slots_of(rules_.kinds[kinds.kinds.front()]),
                      .views = part.views,
                      .rest = {},
                      .take = take,
                      .most = most,
                      .atom = {}};
        std::ranges::copy_if(kinds.kinds, std::back_inserter(search.atom.kinds),
                             [&](std::uint16_t kind) { return part.takes(rules_.kinds[kind]); });
        const bool is_empty =
            std::ranges::any_of(search.slots, [&](Slot slot) { return part.views[index_of(slot)]->classes.empty(); });
        if (search.atom.kinds.empty() || is_empty) continue;
        for (const Slot slot : search.slots) search.atom.cells[index_of(slot)] = part.views[index_of(slot)]->all;
        for (std::size_t depth = search.slots.size(); depth-- > 0;) {
            const BothMarks& own = part.views[index_of(search.slots[depth])]->indifferent;
            search.rest.insert(search.rest.begin(), search.rest.empty() ? own : common(own, search.rest.front()));
        }
        if (!this->search(search, 0, marks_of(kinds))) return false;
    }
    return true;
}

bool FlowSpace::search(Search& search, std::size_t depth, const BothMarks& left) {
    const bool is_done = depth == search.slots.size() || (is_settled(left.written, search.rest[depth].written) &&
                                                          is_settled(left.installed, search.rest[depth].installed));
    if (is_done) {
        if (cost() >= search.most) return false;
        ++atoms_;
        take_atom(search, left);
        return true;
    }
    const Slot slot = search.slots[depth];
    const AxisView& view = *search.views[index_of(slot)];
    std::map<BothMarks, Cells> by_marks;
    for (const AxisView::Class& value : view.classes) {
        Cells& cells = by_marks[common(value.marks, left)];
        cells.insert(cells.end(), value.cells.begin(), value.cells.end());
    }
    steps_ += view.classes.size() * (left.written.size() + left.installed.size() + 4);
    if (cost() >= search.most) return false;
    const Cells before = search.atom.cells[index_of(slot)];
    for (auto& [marks, cells] : by_marks) {
        if (by_marks.size() > 1) search.atom.cells[index_of(slot)] = view.normal(std::move(cells));
        if (!this->search(search, depth + 1, marks)) return false;
    }
    search.atom.cells[index_of(slot)] = before;
    return true;
}

void FlowSpace::take_atom(const Search& search, const BothMarks& left) {
    Sample sample;
    const auto& kinds = search.atom.kinds;
    const auto opener = std::ranges::find_if(kinds, [&](std::uint16_t kind) { return rules_.kinds[kind].opens(); });
    sample.kind = opener != kinds.end() ? *opener : kinds.front();
    sample.fields = sample_of(search, sample.kind);
    for (std::size_t at = 0; at < written_.size(); ++at)
        if (is_marked(left.written, at)) sample.rules.push_back(rules_.written[written_[at]]);
    search.take(search.atom, sample);
}

FlowFields FlowSpace::sample_of(const Search& search, std::uint16_t kind) const {
    const auto value = [&](Slot slot) {
        const Cells& chosen = search.atom.cells[index_of(slot)];
        const Cells& main = search.views[index_of(slot)]->main;
        const std::uint32_t cell = !chosen.empty() ? chosen.front() : main.empty() ? 0 : main.front();
        return axis(slot).cells()[cell].sample;
    };
    FlowFields fields = rules_.kinds[kind].fields;
    for (const Slot slot : search.slots) {
        const FieldValue sample = value(slot);
        switch (slot) {
            case Slot::source_mac:
                fields.source_mac = MacAddress(static_cast<std::uint64_t>(sample));
                break;
            case Slot::destination_mac:
                fields.destination_mac = MacAddress(static_cast<std::uint64_t>(sample));
                break;
            case Slot::source_v4:
            case Slot::source_v6:
                fields.source = address_of(family_of(slot), sample);
                break;
            case Slot::destination_v4:
            case Slot::destination_v6:
                fields.destination = address_of(family_of(slot), sample);
                break;
            case Slot::source_port:
                fields.source_port = static_cast<std::uint16_t>(sample);
                break;
            case Slot::service:
                fields.destination_port = static_cast<std::uint16_t>(sample);
                break;
        }
    }
    return fields;
}

}  // namespace bulkhead
