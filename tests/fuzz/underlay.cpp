// SPDX-License-Identifier: Apache-2.0
// A hostile link to the underlay's host. The input is a list of steps, each one octet and what belongs to it:
//   0x00 … 0x7f  a frame: two octets of length, little end first, and so many octets, or what is left of the input;
//                with 0x40 its checksums are made right, which no mutation would guess
//   0x80 … 0xbf  time goes by, in units of 250 ms: the low six bits
//   0xc0 … 0xff  the link goes up (bit 0; else down), and bits 1 … 4 say which remotes are wanted
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <vector>

#include "tests/fuzz/fix_checksums.h"
#include "vswitch/overlay/underlay_host.h"
#include "vswitch/packet/ethernet.h"

namespace bulkhead {
namespace {

constexpr std::size_t kMostSentPerFrame = 2;  // an answer, and the defence of an address

void require(bool holds) {
    if (!holds) std::abort();
}

IpAddress ip(const char* text) {
    return *IpAddress::parse(text);
}

// Made once, not for each of the millions of runs.
const MacAddress kFixedMac(0x0200'0000'0009);
const IpAddress kFixed = ip("192.0.2.9");
const std::array<IpAddress, 4> kRemotes = {ip("192.0.2.2"), ip("2001:db8::2"), ip("198.51.100.1"), kFixed};

UnderlayHost::Settings settings(std::uint64_t mac, const char* v4, const char* v6) {
    return {.mac = MacAddress(mac),
            .addresses = {*IpPrefix::parse(v4), *IpPrefix::parse(v6)},
            .gateways = {ip("192.0.2.254"), ip("2001:db8::fe")},
            .fixed = {{kFixed, kFixedMac}}};
}

const UnderlayHost::Settings kNode = settings(0x0200'0000'0001, "192.0.2.1/24", "2001:db8::1/64");
const UnderlayHost::Settings kPeer = settings(0x0200'0000'0002, "192.0.2.2/24", "2001:db8::2/64");

/// Two hosts: one is fuzzed, and what it says must be well-formed to the other.
class Link {
  public:
    void run(std::span<const std::uint8_t> input) {
        host_.link_up(now_);
        while (!input.empty()) {
            const std::uint8_t step = input.front();
            input = input.subspan(1);
            if (step < 0x80)
                input = input.subspan(frame(step, input));
            else if (step < 0xc0)
                now_ += 250ULL * (step & 0x3f);
            else
                control(step);
            host_.tick(now_);
            check();
        }
        require(host_.neighbors(now_).size() <= NeighborCache::kMaxUnwanted + kRemotes.size());
    }

  private:
    std::size_t frame(std::uint8_t step, std::span<const std::uint8_t> input) {
        if (input.size() < 2) return input.size();
        const std::size_t length = std::min<std::size_t>(input[0] | input[1] << 8, input.size() - 2);
        // In memory of its own, so that a read past its end is seen.
        std::vector<std::uint8_t> bytes(input.begin() + 2, input.begin() + 2 + static_cast<std::ptrdiff_t>(length));
        bytes.shrink_to_fit();
        if ((step & 0x40) != 0) fix_checksums(bytes);
        sent_ = 0;
        (void)host_.receive(bytes, now_);
        require(sent_ <= kMostSentPerFrame);
        return 2 + length;
    }

    void control(std::uint8_t step) {
        std::set<IpAddress> wanted;
        for (unsigned at = 0; at < kRemotes.size(); ++at)
            if ((step >> (at + 1) & 1) != 0) wanted.insert(kRemotes[at]);
        host_.set_wanted(wanted, now_);
        if ((step & 1) != 0)
            host_.link_up(now_);
        else
            host_.link_down();
    }

    void check() {
        require(host_.next_deadline() > now_);
        require(host_.mac_of(kFixed) == kFixedMac);
        for (const auto& [next_hop, mac] : host_.take_changes())
            require(mac == host_.mac_of(next_hop) && (!mac || (!mac->is_multicast() && !mac->is_zero())));
        (void)host_.take_events();
    }

    void sent(std::span<const std::uint8_t> frame) {
        ++sent_;
        require(frame.size() >= kShortestFrame && frame.size() <= kEthernetHeader + kDefaultMtu);
        require(peer_.receive(frame, now_) != UnderlayHost::Verdict::malformed);
    }

    std::uint64_t now_ = 1'000'000;
    std::size_t sent_ = 0;
    UnderlayHost peer_{kPeer, [](auto) {}};
    UnderlayHost host_{kNode, [this](std::span<const std::uint8_t> frame) { sent(frame); }};
};

}  // namespace
}  // namespace bulkhead

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    bulkhead::Link().run({data, size});
    return 0;
}
