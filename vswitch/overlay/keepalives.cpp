// SPDX-License-Identifier: Apache-2.0
#include "vswitch/overlay/keepalives.h"

#include <algorithm>
#include <random>
#include <ranges>

namespace bulkhead {

// What an outsider can't guess (RFC 5880, section 9).
Keepalives::Keepalives(const NextHops& next_hops, Send send)
    : next_hops_(next_hops), send_(std::move(send)), last_discriminator_(std::random_device{}()) {}

void Keepalives::adopt(std::vector<Watched> tunnels, std::uint64_t now) {
    std::map<std::string, std::unique_ptr<Entry>> next;
    for (Watched& watched : tunnels) {
        const auto present = entries_.find(watched.tunnel);
        const bool goes_on = present != entries_.end() && present->second->watched.path.remote == watched.path.remote;
        if (watched.interval_ms == 0) {
            if (goes_on) present->second->session->say_goodbye();
            continue;
        }
        const std::string name = watched.tunnel;
        if (!goes_on) {
            next.emplace(name, make_entry(std::move(watched), now));
            continue;
        }
        Entry& entry = *present->second;
        const bool is_other_pace = entry.watched.interval_ms != watched.interval_ms;
        entry.watched = std::move(watched);
        if (is_other_pace) entry.session->set_interval(entry.watched.interval_ms, now);
        next.insert(entries_.extract(present));
    }
    entries_ = std::move(next);
    by_remote_.clear();
    for (const auto& entry : entries_ | std::views::values)
        by_remote_.emplace(std::pair(entry->watched.nic, entry->watched.path.remote), entry.get());
}

std::unique_ptr<Keepalives::Entry> Keepalives::make_entry(Watched watched, std::uint64_t now) {
    auto entry = std::make_unique<Entry>();
    entry->watched = std::move(watched);
    entry->session = std::make_unique<BfdSession>(
        next_discriminator(), entry->watched.interval_ms, now,
        [this, self = entry.get()](const BfdPacket& packet) { send(self->watched, packet); });
    return entry;
}

std::uint32_t Keepalives::next_discriminator() {
    if (++last_discriminator_ == 0) ++last_discriminator_;
    return last_discriminator_;
}

/// A next hop that has no MAC yet gets nothing: what is lost is said again.
void Keepalives::send(const Watched& watched, const BfdPacket& packet) const {
    const NextHops::Entry hop = next_hops_.read(watched.next_hop);
    if (hop.state != NextHops::State::known) return;
    send_(watched.nic, build_keepalive(watched.path, MacAddress(hop.mac), packet));
}

bool Keepalives::receive(PortIndex nic, const LinkFormat& link, std::span<const std::uint8_t> frame,
                         std::uint64_t now) {
    if (entries_.empty()) return false;
    const auto datagram = read_underlay_datagram(link, frame);
    if (!datagram) return false;
    const auto found = by_remote_.find({nic, datagram->source});
    if (found == by_remote_.end()) return false;
    Entry& entry = *found->second;
    if (const auto packet = read_keepalive(entry.watched.path.type, datagram->payload)) {
        entry.session->receive(*packet, now);
        tell(entry);
    }
    return true;
}

void Keepalives::tick(std::uint64_t now) {
    for (const auto& entry : entries_ | std::views::values) {
        if (entry->session->next_deadline() > now) continue;
        entry->session->tick(now);
        tell(*entry);
    }
}

std::uint64_t Keepalives::next_deadline() const {
    std::uint64_t next = kNever;
    for (const auto& entry : entries_ | std::views::values) next = std::min(next, entry->session->next_deadline());
    return next;
}

std::optional<bool> Keepalives::is_alive(const std::string& tunnel) const {
    const auto found = entries_.find(tunnel);
    return found == entries_.end() ? std::nullopt : found->second->session->is_alive();
}

void Keepalives::tell(Entry& entry) {
    const auto is_alive = entry.session->is_alive();
    if (entry.told == is_alive) return;
    entry.told = is_alive;
    if (!is_alive) return;
    events_.push_back({.tunnel = entry.watched.tunnel,
                       .underlay = entry.watched.underlay,
                       .remote = entry.watched.path.remote,
                       .is_alive = *is_alive});
}

}  // namespace bulkhead
