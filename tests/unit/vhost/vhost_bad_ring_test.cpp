// SPDX-License-Identifier: Apache-2.0
// A guest that writes its rings badly on purpose costs its own port, and nobody else (virtio 1.1, section 2.6, turned
// round). Run under AddressSanitizer, too.
#include <cstring>
#include <functional>
#include <random>

#include "tests/unit/vhost/bad_ring_fixture.h"

namespace bulkhead::test {
namespace {

using Descriptor = FakeGuest::Descriptor;

/// What the guest writes into one of its rings. It has a whole frame in slot 0's buffer, and nothing in the ring.
class BadRing {
  public:
    BadRing(FakeGuest& guest, std::uint16_t ring) : guest_(guest), ring_(ring), raw_(guest.raw(ring)) {}

    [[nodiscard]] std::uint64_t address(std::uint16_t slot = 0) const { return guest_.buffer_address(ring_, slot); }
    [[nodiscard]] std::uint64_t end_of_memory() const { return guest_.memory_size(); }
    Descriptor& at(std::uint16_t slot) { return raw_.descriptors[slot]; }
    std::uint16_t* available() { return raw_.available; }
    std::uint16_t* used() { return raw_.used; }

    /// The driver's half of the ring offers these heads.
    void offer(std::initializer_list<std::uint16_t> heads) {
        std::uint16_t index = raw_.available[1];
        for (const std::uint16_t head : heads) raw_.available[2 + index++ % FakeGuest::kRingSize] = head;
        publish(index);
    }
    void publish(std::uint16_t index) { __atomic_store_n(&raw_.available[1], index, __ATOMIC_RELEASE); }
    /// A chain of these from slot 0 on, offered.
    void chain(std::initializer_list<Descriptor> descriptors) {
        std::uint16_t slot = 0;
        for (const Descriptor& descriptor : descriptors) at(slot++) = descriptor;
        offer({0});
    }
    /// A table of these in a buffer, and a descriptor that says it is `length` long.
    void indirect(std::initializer_list<Descriptor> table, std::uint32_t length, std::uint16_t flags = kIndirect) {
        std::memcpy(guest_.buffer(ring_, 1), std::data(table), table.size() * sizeof(Descriptor));
        chain({{address(1), length, flags, 0}});
    }
    void garbage(std::uint32_t seed) {
        std::minstd_rand engine(seed + 1);
        const auto random = [&engine] { return static_cast<std::uint32_t>(engine() >> 15 << 16 | engine() >> 15); };
        for (std::uint16_t slot = 0; slot < FakeGuest::kRingSize; ++slot) {
            const std::uint64_t anywhere = std::uint64_t{random()} << 32 | random();
            at(slot) = {random() % 2 == 0 ? anywhere : anywhere % end_of_memory(),
                        random() % 4 == 0 ? random() : random() % 70000, static_cast<std::uint16_t>(random() % 8),
                        static_cast<std::uint16_t>(random() % 70)};
            raw_.available[2 + slot] = static_cast<std::uint16_t>(random() % 66);
        }
        publish(static_cast<std::uint16_t>(raw_.available[1] + random() % 65));
    }

  private:
    FakeGuest& guest_;
    std::uint16_t ring_;
    FakeGuest::RawRing raw_;
};

struct Badness {
    const char* name;
    std::uint16_t ring;
    std::function<void(BadRing&)> write;
};

const Badness kAll[] = {
    {"head past the ring", kFromGuest, [](BadRing& r) { r.offer({FakeGuest::kRingSize}); }},
    {"head 65535", kFromGuest, [](BadRing& r) { r.offer({65535}); }},
    {"next past the ring", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 72, kNext, 900}}); }},
    {"a loop of one", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 72, kNext, 0}}); }},
    {"a loop of two", kFromGuest,
     [](BadRing& r) { r.chain({{r.address(), 72, kNext, 1}, {r.address(), 72, kNext, 0}}); }},
    {"a loop without a byte", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 0, kNext, 0}}); }},
    {"behind the memory", kFromGuest, [](BadRing& r) { r.chain({{r.end_of_memory(), 72, 0, 0}}); }},
    {"across the memory's end", kFromGuest, [](BadRing& r) { r.chain({{r.end_of_memory() - 20, 1000, 0, 0}}); }},
    {"an address that wraps", kFromGuest, [](BadRing& r) { r.chain({{~0ULL - 7, 72, 0, 0}}); }},
    {"4 GiB long", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 0xffffffff, 0, 0}}); }},
    {"no byte", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 0, 0, 0}}); }},
    {"a third of a header", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 4, 0, 0}}); }},
    {"a header and no frame", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 12, 0, 0}}); }},
    {"a header in pieces", kFromGuest,
     [](BadRing& r) {
         r.chain({{r.address(), 5, kNext, 1},
                  {r.address(), 3, kNext, 2},
                  {r.address(), 4, kNext, 3},
                  {r.address(), 60, 0, 0}});
     }},
    {"a header that ends nowhere", kFromGuest,
     [](BadRing& r) { r.chain({{r.address(), 11, kNext, 1}, {r.end_of_memory() + 4096, 61, 0, 0}}); }},
    {"a frame of 3 bytes", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 15, 0, 0}}); }},
    {"a buffer to be written", kFromGuest, [](BadRing& r) { r.chain({{r.address(), 72, kWrite, 0}}); }},
    {"a table out of memory", kFromGuest, [](BadRing& r) { r.chain({{r.end_of_memory() + 4096, 64, kIndirect, 0}}); }},
    {"a table across the end", kFromGuest, [](BadRing& r) { r.chain({{r.end_of_memory() - 16, 64, kIndirect, 0}}); }},
    {"a table of one and a half", kFromGuest, [](BadRing& r) { r.indirect({{r.address(), 72, 0, 0}}, 24); }},
    {"an empty table", kFromGuest, [](BadRing& r) { r.indirect({{r.address(), 72, 0, 0}}, 0); }},
    {"a table in a table", kFromGuest, [](BadRing& r) { r.indirect({{r.address(1), 16, kIndirect, 0}}, 16); }},
    {"a loop in a table", kFromGuest,
     [](BadRing& r) { r.indirect({{r.address(), 72, kNext, 1}, {r.address(), 72, kNext, 0}}, 32); }},
    {"out of a table", kFromGuest, [](BadRing& r) { r.indirect({{r.address(), 72, kNext, 5}}, 16); }},
    {"a table and a next one", kFromGuest,
     [](BadRing& r) { r.indirect({{r.address(), 72, 0, 0}}, 16, kIndirect | kNext); }},
    {"a table of 4 GiB", kFromGuest, [](BadRing& r) { r.indirect({{r.address(), 72, kNext, 0}}, 0xfffffff0); }},
    {"an index far ahead", kFromGuest, [](BadRing& r) { r.publish(40000); }},
    {"an index that goes back", kFromGuest,
     [](BadRing& r) { r.publish(static_cast<std::uint16_t>(r.available()[1] - 1)); }},
    {"flags of all kinds", kFromGuest,
     [](BadRing& r) {
         r.available()[0] = r.used()[0] = 0xffff;
         r.chain({{r.address(), 72, 0xfff8, 0}});
     }},
    {"a used ring of its own", kFromGuest,
     [](BadRing& r) {
         std::memset(r.used(), 0xee, 2 * sizeof(std::uint16_t) + FakeGuest::kRingSize * 8);
         r.chain({{r.address(), 72, 0, 0}});
     }},
    {"head past the ring", kToGuest, [](BadRing& r) { r.offer({FakeGuest::kRingSize, 65535}); }},
    {"next past the ring", kToGuest, [](BadRing& r) { r.chain({{r.address(), 20, kWrite | kNext, 900}}); }},
    {"a loop", kToGuest, [](BadRing& r) { r.chain({{r.address(), 1, kWrite | kNext, 0}}); }},
    {"a loop without a byte", kToGuest, [](BadRing& r) { r.chain({{r.address(), 0, kWrite | kNext, 0}}); }},
    {"behind the memory", kToGuest, [](BadRing& r) { r.chain({{r.end_of_memory() + 8, 2000, kWrite, 0}}); }},
    {"across the memory's end", kToGuest, [](BadRing& r) { r.chain({{r.end_of_memory() - 20, 2000, kWrite, 0}}); }},
    {"an address that wraps", kToGuest, [](BadRing& r) { r.chain({{~0ULL - 7, 2000, kWrite, 0}}); }},
    {"4 GiB long", kToGuest, [](BadRing& r) { r.chain({{r.address(), 0xffffffff, kWrite, 0}}); }},
    {"a buffer to be read", kToGuest, [](BadRing& r) { r.chain({{r.address(), 2000, 0, 0}}); }},
    {"buffers of no byte", kToGuest,
     [](BadRing& r) {
         r.at(0) = {r.address(), 0, kWrite, 0};
         r.offer({0, 0, 0, 0});
     }},
    {"half a header", kToGuest, [](BadRing& r) { r.chain({{r.address(), 6, kWrite, 0}}); }},
    {"one buffer again and again", kToGuest,
     [](BadRing& r) {
         r.at(0) = {r.address(), 2000, kWrite, 0};
         r.offer({0, 0, 0, 0});
     }},
    {"a table out of memory", kToGuest, [](BadRing& r) { r.chain({{r.end_of_memory() + 4096, 64, kIndirect, 0}}); }},
    {"a loop in a table", kToGuest,
     [](BadRing& r) { r.indirect({{r.address(), 1, kWrite | kNext, 1}, {r.address(), 1, kWrite | kNext, 0}}, 32); }},
    {"an index far ahead", kToGuest, [](BadRing& r) { r.publish(40000); }},
};

TEST_F(VhostBadRingTest, costs_the_guest_its_own_frames) {
    Neighbor neighbor(*this);
    auto hostile = open(port(VhostMode::server));
    for (const Badness& badness : kAll) {
        SCOPED_TRACE(std::string(badness.ring == kToGuest ? "to the guest: " : "from the guest: ") + badness.name);
        meet(*hostile, [&](FakeGuest& guest) {
            BadRing ring(guest, badness.ring);
            badness.write(ring);
        });
        neighbor.expect_life();
    }
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE("garbage " + std::to_string(seed));
        meet(*hostile, [&](FakeGuest& guest) {
            BadRing(guest, kToGuest).garbage(seed);
            BadRing(guest, kFromGuest).garbage(seed + 1000);
        });
    }
    FakeGuest guest = FakeGuest::connect_to(path());
    guest.start(kPlainGuest);
    ASSERT_TRUE(events_.wait_for(PortEvent::link_up, ++visits_));
    expect_life(*hostile, guest);
    neighbor.expect_life();
}

}  // namespace
}  // namespace bulkhead::test
