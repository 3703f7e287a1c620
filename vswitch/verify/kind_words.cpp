// SPDX-License-Identifier: Apache-2.0
#include "vswitch/verify/kind_words.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

using Protocols = std::set<std::uint8_t>;

/// Of one address family: which protocols are among the kinds, and how.
struct FamilyKinds {
    std::uint16_t ethertype = 0;
    Protocols known;                                       ///< that can be
    Protocols whole;                                       ///< all that opens something
    Protocols stray;                                       ///< all that does not, and nothing else
    std::map<std::uint8_t, std::set<std::uint8_t>> types;  ///< of ICMP, by protocol: some
    std::map<std::uint8_t, bool> opens;                    ///< of these: one does

    [[nodiscard]] bool is_full() const { return whole == known; }
};

class KindWords {
  public:
    KindWords(const std::vector<std::uint16_t>& chosen, const SegmentRules& rules) : rules_(rules) {
        is_chosen_.resize(rules.kinds.size());
        for (const std::uint16_t kind : chosen) is_chosen_[kind] = true;
        families_[0] = family_kinds(FlowFamily::ipv4, kEtherTypeIpv4);
        families_[1] = family_kinds(FlowFamily::ipv6, kEtherTypeIpv6);
    }

    std::vector<Traffic> words() {
        const bool is_ip_full = families_[0].is_full() && families_[1].is_full();
        const bool is_rest_full = say_rest(is_ip_full);
        if (is_ip_full && is_rest_full) return {Traffic()};
        if (is_ip_full)
            said_.push_back({.ethertypes = {.items = {kEtherTypeIpv4, kEtherTypeIpv6}}});
        else if (are_alike())
            say_protocols(families_[0].whole, {}, families_[0].known);
        else
            for (const FamilyKinds& family : families_) say_family(family);
        say_types();
        say_stray();
        return std::move(said_);
    }

  private:
    FamilyKinds family_kinds(FlowFamily family, std::uint16_t ethertype) const {
        std::map<std::uint8_t, std::vector<std::uint16_t>> kinds;
        for (std::uint16_t kind = 0; kind < rules_.kinds.size(); ++kind)
            if (rules_.kinds[kind].family() == family) kinds[rules_.kinds[kind].flow.protocol].push_back(kind);
        FamilyKinds result{.ethertype = ethertype};
        for (const auto& [protocol, all] : kinds) {
            result.known.insert(protocol);
            sort_protocol(result, protocol, all);
        }
        return result;
    }
    void sort_protocol(FamilyKinds& result, std::uint8_t protocol, const std::vector<std::uint16_t>& kinds) const {
        bool has_all_openers = true, has_all_stray = true, has_opener = false, is_there = false;
        for (const std::uint16_t kind : kinds) {
            const FrameKind& of = rules_.kinds[kind];
            is_there |= is_chosen_[kind];
            has_opener |= is_chosen_[kind] && of.opens();
            if (of.opens())
                has_all_openers &= is_chosen_[kind];
            else if (!of.is_resolution())
                has_all_stray &= is_chosen_[kind];
        }
        if (!is_there) return;
        if (has_all_openers) {
            result.whole.insert(protocol);
        } else if (has_all_stray && !has_opener) {
            result.stray.insert(protocol);
        } else {
            for (const std::uint16_t kind : kinds)
                if (is_chosen_[kind]) result.types[protocol].insert(rules_.kinds[kind].fields.icmp_type);
            result.opens[protocol] = has_opener;
        }
    }

    /// What is not IP. True: all of it; then nothing is said if `goes_without`.
    bool say_rest(bool goes_without) {
        bool is_full = true, has_other = false, has_arp = false;
        std::vector<std::uint16_t> in, out;
        const std::uint16_t other = other_ethertype(rules_.ethertypes);
        for (std::uint16_t kind = 0; kind < rules_.kinds.size(); ++kind) {
            const FrameKind& of = rules_.kinds[kind];
            if (of.family() != FlowFamily::none) continue;
            if (of.is_resolution()) {
                has_arp = is_chosen_[kind];
                continue;
            }
            is_full &= is_chosen_[kind];
            if (of.fields.ethertype == other)
                has_other = is_chosen_[kind];
            else
                (is_chosen_[kind] ? in : out).push_back(of.fields.ethertype);
        }
        if (has_other && !(is_full && goes_without)) {
            out.insert(out.begin(), {kEtherTypeIpv4, kEtherTypeIpv6, kEtherTypeArp});
            said_.push_back({.ethertypes = {.items = std::move(out), .all_but = true}});
        } else if (!has_other) {
            if (has_arp) in.push_back(kEtherTypeArp);
            if (!in.empty()) said_.push_back({.ethertypes = {.items = std::move(in)}});
        }
        return is_full;
    }

    /// Whether both families have the same protocols, as far as both can have them.
    [[nodiscard]] bool are_alike() const {
        const auto& [v4, v6] = families_;
        return std::ranges::all_of(v4.known, [&](std::uint8_t protocol) {
            return !v6.known.contains(protocol) || v4.whole.contains(protocol) == v6.whole.contains(protocol);
        });
    }

    void say_family(const FamilyKinds& family) {
        if (family.is_full())
            said_.push_back({.ethertypes = {.items = {family.ethertype}}});
        else
            say_protocols(family.whole, {family.ethertype}, family.known);
    }

    void say_protocols(const Protocols& protocols, std::vector<std::uint16_t> ethertypes, const Protocols& known) {
        if (protocols.empty()) return;
        Traffic traffic{.ethertypes = {.items = std::move(ethertypes)}};
        traffic.protocols.all_but = 2 * protocols.size() > known.size();
        for (const std::uint8_t protocol : known)
            if (protocols.contains(protocol) != traffic.protocols.all_but) traffic.protocols.items.push_back(protocol);
        // "All but …" says nothing of the family, but is about IP.
        if (traffic.protocols.all_but && traffic.ethertypes.items.empty())
            traffic.ethertypes.items = {kEtherTypeIpv4, kEtherTypeIpv6};
        said_.push_back(std::move(traffic));
    }

    void say_types() {
        for (const FamilyKinds& family : families_)
            for (const auto& [protocol, types] : family.types)
                said_.push_back({.ethertypes = {.items = {family.ethertype}},
                                 .protocols = {.items = {protocol}},
                                 .icmp_types = {types.begin(), types.end()},
                                 .opens = family.opens.at(protocol)});
    }

    void say_stray() {
        const auto& [v4, v6] = families_;
        for (const std::uint8_t protocol : v4.stray) {
            std::vector<std::uint16_t> ethertypes;
            if (!v6.stray.contains(protocol)) ethertypes = {kEtherTypeIpv4};
            said_.push_back(
                {.ethertypes = {.items = std::move(ethertypes)}, .protocols = {.items = {protocol}}, .opens = false});
        }
        for (const std::uint8_t protocol : v6.stray)
            if (!v4.stray.contains(protocol))
                said_.push_back(
                    {.ethertypes = {.items = {kEtherTypeIpv6}}, .protocols = {.items = {protocol}}, .opens = false});
    }

    const SegmentRules& rules_;
    std::vector<bool> is_chosen_;
    std::array<FamilyKinds, 2> families_;
    std::vector<Traffic> said_;
};

}  // namespace

std::vector<Traffic> words_of_kinds(const std::vector<std::uint16_t>& kinds, const SegmentRules& rules) {
    return KindWords(kinds, rules).words();
}

}  // namespace bulkhead
