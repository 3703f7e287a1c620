// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/neighbor_cache.h"

#include <algorithm>
#include <utility>

namespace bulkhead {
namespace {

// RFC 4861, section 10: MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT, RETRANS_TIMER, REACHABLE_TIME.
constexpr unsigned kTries = 3;
constexpr std::uint64_t kRetry = 1000;
constexpr std::uint64_t kReachable = 30'000;
/// What is wanted is probed early enough to be reachable still when the third probe is answered.
constexpr std::uint64_t kProbeBefore = kTries * kRetry;
constexpr std::uint64_t kProbeSpread = 4000;
constexpr std::uint64_t kLongestPause = 10'000;  ///< between two questions to who does not answer
constexpr std::uint64_t kRemember = 60'000;      ///< who is not wanted

std::uint64_t key_of(const IpAddress& ip) {
    return ip.v4_value();  // of an IPv6 address the last four octets, which differ as well
}

}  // namespace

NeighborCache::NeighborCache(const std::vector<Underlay::Neighbor>& fixed, Solicit solicit, Report report)
    : solicit_(std::move(solicit)), report_(std::move(report)) {
    for (const auto& [ip, mac] : fixed) entries_[ip] = {.state = NeighborState::fixed, .mac = mac, .deadline = kNever};
}

void NeighborCache::set_wanted(const std::set<IpAddress>& wanted, std::uint64_t now) {
    for (auto at = entries_.begin(); at != entries_.end();) {
        Row& row = *at++;  // which forget() may erase
        if (row.second.is_wanted && !wanted.contains(row.first)) forget(row, now);
    }
    for (const IpAddress& ip : wanted) want(ip, now);
}

void NeighborCache::want(const IpAddress& ip, std::uint64_t now) {
    const auto [at, is_new] = entries_.try_emplace(ip);
    Entry& entry = at->second;
    if (entry.is_wanted) return;
    entry.is_wanted = true;
    if (is_new) entry.heard = now;
    if (entry.state != NeighborState::fixed) {
        if (!is_new) {
            --unwanted_;
            entry.state = NeighborState::stale;
        }
        entry.deadline = now;
    }
    settle(*at);
}

void NeighborCache::forget(Row& row, std::uint64_t now) {
    auto& [ip, entry] = row;
    changes_.erase(ip);
    entry.is_wanted = entry.is_alive = false;
    entry.told.reset();
    if (entry.state == NeighborState::fixed) return;
    if (!entry.mac || unwanted_ == kMaxUnwanted) {
        entries_.erase(ip);
        return;
    }
    ++unwanted_;
    entry.state = NeighborState::stale;
    entry.deadline = now + kRemember;
    settle(row);
}

void NeighborCache::restart(std::uint64_t now) {
    for (Row& row : entries_) {
        Entry& entry = row.second;
        if (!entry.is_wanted || entry.state == NeighborState::fixed) continue;
        entry.state = entry.mac ? NeighborState::stale : NeighborState::incomplete;
        entry.tries = 0;
        entry.deadline = now;
        settle(row);
    }
}

void NeighborCache::tick(std::uint64_t now) {
    if (now < next_deadline_) return;
    next_deadline_ = kNever;
    for (auto at = entries_.begin(); at != entries_.end();) {
        if (at->second.deadline <= now && !expire(*at, now)) {
            at = entries_.erase(at);
            --unwanted_;
            continue;
        }
        settle(*at++);
    }
}

bool NeighborCache::expire(Row& row, std::uint64_t now) {
    Entry& entry = row.second;
    if (!entry.is_wanted) return entry.state == NeighborState::fixed;
    switch (entry.state) {
        case NeighborState::fixed:
            break;
        case NeighborState::reachable:
        case NeighborState::stale:
            entry.state = NeighborState::probing;
            entry.tries = 0;
            ask(row, false, kRetry, now);
            break;
        case NeighborState::probing:
            // The address may have moved to another MAC without a word, so the last questions go to everybody.
            if (entry.tries < 2 * kTries)
                ask(row, entry.tries >= kTries, kRetry, now);
            else
                fail(row, now);
            break;
        case NeighborState::incomplete:
            if (entry.tries < kTries)
                ask(row, true, kRetry, now);
            else
                fail(row, now);
            break;
        case NeighborState::failed:
            ask(row, true, std::min(kLongestPause, 2 * kRetry << std::min(entry.tries, kTries)), now);
            break;
    }
    return true;
}

void NeighborCache::ask(Row& row, bool everybody, std::uint64_t pause, std::uint64_t now) {
    auto& [ip, entry] = row;
    ++entry.tries;
    entry.asked = now;
    entry.deadline = now + pause;
    solicit_(ip, everybody ? std::nullopt : entry.mac);
}

void NeighborCache::fail(Row& row, std::uint64_t now) {
    auto& [ip, entry] = row;
    report_({UnderlayEvent::Kind::neighbor_failed, ip, entry.mac});
    entry.state = NeighborState::failed;
    entry.is_alive = false;
    entry.mac.reset();
    entry.tries = 0;
    ask(row, true, 2 * kRetry, now);
}

void NeighborCache::confirm(Row& row, std::uint64_t now) {
    auto& [ip, entry] = row;
    entry.state = NeighborState::reachable;
    entry.tries = 0;
    entry.heard = now;
    entry.deadline = now + kReachable - kProbeBefore - spread(key_of(ip), kProbeSpread);
    if (entry.is_wanted && !entry.is_alive) {
        entry.is_alive = true;
        report_({UnderlayEvent::Kind::neighbor_reachable, ip, entry.mac});
    }
}

void NeighborCache::doubt(Row& row, std::uint64_t now) {
    Entry& entry = row.second;
    entry.state = NeighborState::stale;
    entry.heard = now;
    // Whoever claims a new MAC with every frame must not make us ask with every frame.
    entry.deadline = entry.is_wanted ? std::max(now, entry.asked + kRetry) : now + kRemember;
}

void NeighborCache::settle(Row& row) {
    auto& [ip, entry] = row;
    next_deadline_ = std::min(next_deadline_, entry.deadline);
    if (!entry.is_wanted || entry.told == entry.mac) return;
    entry.told = entry.mac;
    changes_[ip] = entry.mac;
}

bool NeighborCache::advertised(const Advertisement& advertisement, std::uint64_t now) {
    const auto found = entries_.find(advertisement.ip);
    if (found == entries_.end()) return false;
    Entry& entry = found->second;
    if (entry.state == NeighborState::fixed) return true;
    if (!entry.mac && !advertisement.mac) return true;
    const bool is_other = advertisement.mac && entry.mac && advertisement.mac != entry.mac;
    if (is_other && !advertisement.overrides) {
        if (entry.state == NeighborState::reachable) doubt(*found, now);
        settle(*found);
        return true;
    }
    const bool is_new = is_other || !entry.mac;
    if (advertisement.mac) entry.mac = advertisement.mac;
    entry.heard = now;
    if (advertisement.solicited)
        confirm(*found, now);
    else if (is_new)
        doubt(*found, now);
    settle(*found);
    return true;
}

bool NeighborCache::heard(const IpAddress& ip, const MacAddress& mac, bool asked_for_us, std::uint64_t now) {
    auto found = entries_.find(ip);
    if (found == entries_.end()) {
        if (!asked_for_us || unwanted_ == kMaxUnwanted) return false;
        found = entries_.try_emplace(ip).first;
        ++unwanted_;
    }
    Entry& entry = found->second;
    if (entry.state == NeighborState::fixed) return true;
    entry.heard = now;
    if (entry.mac != mac || !entry.is_wanted) {
        entry.mac = mac;
        doubt(*found, now);
    }
    settle(*found);
    return true;
}

std::optional<MacAddress> NeighborCache::mac_of(const IpAddress& ip) const {
    const auto found = entries_.find(ip);
    return found == entries_.end() ? std::nullopt : found->second.mac;
}

bool NeighborCache::has_failed(const IpAddress& ip) const {
    const auto found = entries_.find(ip);
    return found != entries_.end() && found->second.state == NeighborState::failed;
}

bool NeighborCache::is_wanted(const IpAddress& ip) const {
    const auto found = entries_.find(ip);
    return found != entries_.end() && found->second.is_wanted;
}

std::vector<CachedNeighbor> NeighborCache::neighbors(std::uint64_t now) const {
    std::vector<CachedNeighbor> all;
    for (const auto& [ip, entry] : entries_) {
        const std::uint64_t age = entry.state == NeighborState::fixed || now < entry.heard ? 0 : now - entry.heard;
        all.push_back({.ip = ip, .mac = entry.mac, .state = entry.state, .is_wanted = entry.is_wanted, .age_ms = age});
    }
    return all;
}

std::vector<NextHopChange> NeighborCache::take_changes() {
    std::vector<NextHopChange> taken;
    for (const auto& [ip, mac] : changes_) taken.push_back({ip, mac});
    changes_.clear();
    return taken;
}

}  // namespace bulkhead
