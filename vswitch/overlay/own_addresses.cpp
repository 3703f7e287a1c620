// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/own_addresses.h"

#include <algorithm>
#include <utility>

namespace bulkhead {
namespace {

struct Schedule {
    unsigned probes;
    std::uint64_t probe_interval;
    std::uint64_t announce_wait;  ///< after the last probe
    unsigned announcements;
    std::uint64_t announce_interval;
};

/// RFC 5227, section 1.1: PROBE_NUM, PROBE_MIN, ANNOUNCE_WAIT, ANNOUNCE_NUM, ANNOUNCE_INTERVAL.
constexpr Schedule kArpSchedule{3, 1000, 2000, 2, 2000};
/// RFC 4862, section 5.1: DupAddrDetectTransmits; RFC 4861, section 10: RetransTimer, MAX_NEIGHBOR_ADVERTISEMENT.
constexpr Schedule kNdSchedule{1, 1000, 1000, 3, 1000};

constexpr std::uint64_t kLongestDelay = 1000;      ///< PROBE_WAIT; RFC 4861: MAX_RTR_SOLICITATION_DELAY
constexpr std::uint64_t kDefendInterval = 10'000;  ///< RFC 5227: DEFEND_INTERVAL

const Schedule& schedule_of(const IpAddress& address) {
    return address.is_v4() ? kArpSchedule : kNdSchedule;
}

}  // namespace

OwnAddresses::OwnAddresses(const std::vector<IpAddress>& addresses, const MacAddress& mac, Send send, Report report)
    : mac_(mac), send_(std::move(send)), report_(std::move(report)) {
    for (const IpAddress& address : addresses) owned_.push_back({.ip = address});
}

void OwnAddresses::restart(std::uint64_t now) {
    for (Own& own : owned_) own = {.ip = own.ip, .deadline = now + spread(mac_.value(), kLongestDelay)};
}

void OwnAddresses::advance(Own& own, std::uint64_t now) {
    const Schedule& schedule = schedule_of(own.ip);
    send_(own.ip, own.step < schedule.probes ? Say::probe : Say::announcement);
    ++own.step;
    if (own.step < schedule.probes)
        own.deadline = now + schedule.probe_interval;
    else if (own.step == schedule.probes)
        own.deadline = now + schedule.announce_wait;
    else
        own.deadline = own.step < schedule.probes + schedule.announcements ? now + schedule.announce_interval : kNever;
}

void OwnAddresses::tick(std::uint64_t now) {
    for (Own& own : owned_)
        if (own.deadline <= now) advance(own, now);
}

std::uint64_t OwnAddresses::next_deadline() const {
    std::uint64_t next = kNever;
    for (const Own& own : owned_) next = std::min(next, own.deadline);
    return next;
}

OwnAddresses::Own* OwnAddresses::find(const IpAddress& address) {
    const auto own = std::ranges::find(owned_, address, &Own::ip);
    return own == owned_.end() ? nullptr : &*own;
}

void OwnAddresses::claimed(const IpAddress& address, const MacAddress& rival, std::uint64_t now) {
    Own* own = find(address);
    if (own == nullptr) return;
    const bool due = !own->rival || now >= own->reported + kDefendInterval;
    own->rival = rival;
    own->rival_heard = now;
    if (!due) return;
    own->reported = now;
    report_({UnderlayEvent::Kind::address_duplicate, address, rival});
    send_(address, Say::announcement);
}

void OwnAddresses::probed(const IpAddress& address, const MacAddress& rival, std::uint64_t now) {
    const Own* own = find(address);
    if (own != nullptr && own->step <= schedule_of(address).probes && own->deadline != kNever)
        claimed(address, rival, now);
}

std::vector<OwnAddresses::State> OwnAddresses::states() const {
    std::vector<State> states;
    for (const Own& own : owned_)
        states.push_back({.ip = own.ip,
                          .is_tentative = own.step <= schedule_of(own.ip).probes,
                          .rival = own.rival,
                          .rival_heard = own.rival_heard});
    return states;
}

}  // namespace bulkhead
