// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/vswitch/overlay/link_frames.h"
#include "vswitch/overlay/underlay_host.h"

namespace bulkhead {

inline std::ostream& operator<<(std::ostream& out, const UnderlayEvent& event) {
    return out << "event " << static_cast<int>(event.kind) << " " << event.ip.to_string() << " "
               << (event.mac ? event.mac->to_string() : "-");
}
inline std::ostream& operator<<(std::ostream& out, const NextHopChange& change) {
    return out << change.ip.to_string() << " → " << (change.mac ? change.mac->to_string() : "-");
}

}  // namespace bulkhead

namespace bulkhead::test {

using Verdict = UnderlayHost::Verdict;
using Event = UnderlayEvent::Kind;
using Events = std::vector<UnderlayEvent>;
using Changes = std::vector<NextHopChange>;

[[nodiscard]] inline MacAddress station_mac(unsigned station) {
    return MacAddress::from_octets(mac_bytes(station).data());
}

/// A node with station 1's MAC, 192.0.2.1/24 and 2001:db8::1/64, on a link that the test speaks for. Time is the
/// test's.
class UnderlayTest : public testing::Test {
  protected:
    static UnderlayHost::Settings settings() {
        return {.mac = station_mac(1),
                .addresses = {*IpPrefix::parse("192.0.2.1/24"), *IpPrefix::parse("2001:db8::1/64")},
                .gateways = {ip("192.0.2.254"), ip("2001:db8::fe")},
                .fixed = {{ip("192.0.2.9"), station_mac(9)}}};
    }
    explicit UnderlayTest(const UnderlayHost::Settings& with = settings())
        : host_(with, [this](std::span<const std::uint8_t> frame) {
              sent_.push_back({now_, Bytes(frame.begin(), frame.end())});
          }) {}

    struct Sent {
        std::uint64_t at;
        Bytes frame;
    };

    Verdict receive(const Bytes& frame) { return host_.receive(frame, now_); }
    std::vector<Sent> take_sent() { return std::exchange(sent_, {}); }
    /// The only frame that was sent; empty and a failure if there was none or another one.
    Bytes take_only() {
        const auto sent = take_sent();
        EXPECT_EQ(sent.size(), 1U);
        return sent.size() == 1 ? sent.front().frame : Bytes();
    }
    /// Lets the time go by, deadline after deadline, as whoever calls the host does.
    void run_until(std::uint64_t end) {
        while (host_.next_deadline() <= end) {
            now_ = std::max(now_, host_.next_deadline());
            host_.tick(now_);
        }
        now_ = end;
    }
    /// As that, until there is something to say.
    void run_until_sent() {
        while (sent_.empty() && host_.next_deadline() != kNever) run_until(std::max(now_, host_.next_deadline()));
    }
    /// Up, and past the claim of the own addresses.
    void settle() {
        host_.link_up(now_);
        run_until(now_ + 10'000);
        sent_.clear();
    }
    void want(const std::set<std::string_view>& remotes) {
        std::set<IpAddress> addresses;
        for (const auto remote : remotes) addresses.insert(ip(remote));
        host_.set_wanted(addresses, now_);
    }
    CachedNeighbor neighbor(std::string_view address) {
        for (const CachedNeighbor& info : host_.neighbors(now_))
            if (info.ip == ip(address)) return info;
        ADD_FAILURE() << "no neighbour " << address;
        return {};
    }
    /// Station 2, resolved and wanted.
    void resolve_peer() {
        want({"192.0.2.2"});
        EXPECT_EQ(receive(arp_frame({.operation = 2, .to = 1})), Verdict::noted);
        sent_.clear();
        EXPECT_EQ(host_.take_changes(), (Changes{{ip("192.0.2.2"), station_mac(2)}}));
        EXPECT_EQ(host_.take_events(), (Events{{Event::neighbor_reachable, ip("192.0.2.2"), station_mac(2)}}));
    }

    std::uint64_t now_ = 1'000'000;
    std::vector<Sent> sent_;
    UnderlayHost host_;
};

}  // namespace bulkhead::test
