// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/underlay_host.h"

#include <algorithm>
#include <utility>

#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

constexpr MacAddress kEverybody(0xffff'ffff'ffffULL);

// A thousand nodes that start together are answered; a flood costs no more than this.
constexpr std::uint32_t kAnswersPerSecond = 1000;
constexpr std::uint32_t kAnswersAtOnce = 1024;
constexpr std::uint32_t kEchoesPerSecond = 1000;
constexpr std::uint32_t kEchoesAtOnce = 250;

std::vector<IpPrefix> with_link_local(std::vector<IpPrefix> addresses, const MacAddress& mac) {
    const bool has_ipv6 = std::ranges::any_of(addresses, [](const IpPrefix& own) { return !own.address.is_v4(); });
    const IpPrefix link_local = link_local_of(mac);
    if (has_ipv6 && std::ranges::find(addresses, link_local.address, &IpPrefix::address) == addresses.end())
        addresses.push_back(link_local);
    return addresses;
}

template <typename Row, typename Field>
std::vector<IpAddress> ips_of(const std::vector<Row>& rows, Field field) {
    std::vector<IpAddress> ips;
    for (const Row& row : rows) ips.push_back(row.*field);
    return ips;
}

}  // namespace

UnderlayHost::UnderlayHost(Settings settings, Emit emit)
    : link_(settings.mac, settings.vlan),
      mtu_(settings.mtu),
      routes_(with_link_local(settings.addresses, settings.mac), settings.gateways,
              ips_of(settings.fixed, &Underlay::Neighbor::ip)),
      emit_(std::move(emit)),
      own_(
          ips_of(with_link_local(settings.addresses, settings.mac), &IpPrefix::address), settings.mac,
          [this](const IpAddress& address, OwnAddresses::Say what) { say(address, what); },
          [this](const UnderlayEvent& event) { events_.push_back(event); }),
      cache_(
          settings.fixed, [this](const IpAddress& target, const std::optional<MacAddress>& to) { solicit(target, to); },
          [this](const UnderlayEvent& event) { events_.push_back(event); }),
      answers_to_wanted_(kAnswersPerSecond, kAnswersAtOnce),
      answers_(kAnswersPerSecond, kAnswersAtOnce),
      echoes_(kEchoesPerSecond, kEchoesAtOnce) {}

void UnderlayHost::link_up(std::uint64_t now) {
    is_up_ = true;
    own_.restart(now);
    cache_.restart(now);
    tick(now);
}

void UnderlayHost::set_wanted(const std::set<IpAddress>& remotes, std::uint64_t now) {
    std::set<IpAddress> hops;
    for (const IpAddress& remote : remotes)
        if (const auto hop = routes_.next_hop(remote)) hops.insert(*hop);
    cache_.set_wanted(hops, now);
    tick(now);
}

void UnderlayHost::tick(std::uint64_t now) {
    if (!is_up_) return;
    own_.tick(now);
    cache_.tick(now);
}

std::uint64_t UnderlayHost::next_deadline() const {
    return is_up_ ? std::min(own_.next_deadline(), cache_.next_deadline()) : kNever;
}

std::vector<UnderlayEvent> UnderlayHost::take_events() {
    return std::exchange(events_, {});
}

bool UnderlayHost::may_answer(const IpAddress& asker, std::uint64_t now) {
    return (cache_.is_wanted(asker) ? answers_to_wanted_ : answers_).take(now);
}

/// To everybody, or to the MAC that is to be confirmed.
void UnderlayHost::solicit(const IpAddress& target, const std::optional<MacAddress>& to) {
    const auto source = routes_.source_for(target);
    if (!source) return;
    if (target.is_v4()) {
        send(to.value_or(kEverybody), ArpMessage{.sender_mac = link_.mac(), .sender_ip = *source, .target_ip = target});
        return;
    }
    const IpAddress destination = to ? target : solicited_node(target);
    send(to.value_or(ipv6_multicast_mac(destination)),
         NeighborMessage{.source = *source, .destination = destination, .target = target, .mac = link_.mac()});
}

void UnderlayHost::say(const IpAddress& address, OwnAddresses::Say what) {
    const bool is_probe = what == OwnAddresses::Say::probe;
    if (address.is_v4()) {
        const IpAddress sender = is_probe ? IpAddress::v4(0) : address;
        send(kEverybody, ArpMessage{.sender_mac = link_.mac(), .sender_ip = sender, .target_ip = address});
    } else if (is_probe) {
        const IpAddress destination = solicited_node(address);
        send(ipv6_multicast_mac(destination), NeighborMessage{.destination = destination, .target = address});
    } else {
        send(ipv6_multicast_mac(all_nodes()), NeighborMessage{.is_solicitation = false,
                                                              .source = address,
                                                              .destination = all_nodes(),
                                                              .target = address,
                                                              .overrides = true,
                                                              .mac = link_.mac()});
    }
}

void UnderlayHost::send(const MacAddress& destination, const ArpMessage& message) {
    const ArpPacket packet = build_arp(message);
    emit_(link_.build(destination, kEtherTypeArp, header_octets(packet)));
}

void UnderlayHost::send(const MacAddress& destination, const NeighborMessage& message) {
    emit_(link_.build(destination, kEtherTypeIpv6, build_neighbor_message(message)));
}

}  // namespace bulkhead
