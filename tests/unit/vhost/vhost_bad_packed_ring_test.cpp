// SPDX-License-Identifier: Apache-2.0
// The same with packed rings (virtio 1.1, section 2.7, turned round). Run under AddressSanitizer, too.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <random>

#include "tests/unit/vhost/bad_ring_fixture.h"

namespace bulkhead::test {
namespace {

constexpr std::uint64_t kPacked = 1ULL << 34;                    // VIRTIO_F_RING_PACKED
constexpr std::uint16_t kAvailable = 1U << 7, kUsed = 1U << 15;  // in the first round: set, and clear
constexpr std::uint16_t kSize = FakeGuest::kRingSize;

struct PackedDescriptor {
    std::uint64_t address = 0;
    std::uint32_t length = 0;
    std::uint16_t id = 0, flags = 0;
};

/// What the guest writes into one of its rings. It has a whole frame in slot 0's buffer, and nothing in the ring.
class BadPackedRing {
  public:
    BadPackedRing(FakeGuest& guest, std::uint16_t ring) : guest_(guest), ring_(ring), raw_(guest.raw(ring)) {}

    [[nodiscard]] std::uint64_t address(std::uint16_t slot = 0) const { return guest_.buffer_address(ring_, slot); }
    [[nodiscard]] std::uint64_t end_of_memory() const { return guest_.memory_size(); }

    /// As they are, flags and all; the first one last, as a driver would.
    void write(std::initializer_list<PackedDescriptor> descriptors) {
        auto* const ring = reinterpret_cast<PackedDescriptor*>(raw_.descriptors);
        for (std::size_t slot = descriptors.size(); slot-- > 0;) {
            std::atomic_thread_fence(std::memory_order_release);
            ring[slot] = std::data(descriptors)[slot];
        }
    }
    void fill(const PackedDescriptor& descriptor) {
        for (std::uint16_t slot = kSize; slot-- > 0;)
            reinterpret_cast<PackedDescriptor*>(raw_.descriptors)[slot] = descriptor;
    }
    /// A table in a buffer, and a descriptor that says it is `length` long.
    void indirect(std::initializer_list<PackedDescriptor> table, std::uint32_t length, std::uint16_t flags = 0) {
        std::memcpy(guest_.buffer(ring_, 1), std::data(table), table.size() * sizeof(PackedDescriptor));
        write({{address(1), length, 0, static_cast<std::uint16_t>(kIndirect | kAvailable | flags)}});
    }
    /// Of the driver's event suppression (section 2.7.14): when it wants to be interrupted.
    void want_events(std::uint16_t offset, std::uint16_t flags) {
        raw_.available[0] = offset;
        raw_.available[1] = flags;
    }
    void garbage(std::uint32_t seed) {
        std::minstd_rand engine(seed + 1);
        const auto random = [&engine] { return static_cast<std::uint32_t>(engine() >> 15 << 16 | engine() >> 15); };
        want_events(static_cast<std::uint16_t>(random()), static_cast<std::uint16_t>(random()));
        for (std::uint16_t slot = 0; slot < kSize; ++slot) {
            const std::uint64_t anywhere = std::uint64_t{random()} << 32 | random();
            const std::uint16_t round = random() % 8 == 0 ? kUsed : kAvailable;
            reinterpret_cast<PackedDescriptor*>(raw_.descriptors)[slot] = {
                random() % 2 == 0 ? anywhere : anywhere % end_of_memory(),
                random() % 4 == 0 ? random() : random() % 70000, static_cast<std::uint16_t>(random() % 70),
                static_cast<std::uint16_t>(random() % 8 | round)};
        }
    }

  private:
    FakeGuest& guest_;
    std::uint16_t ring_;
    FakeGuest::RawRing raw_;
};

struct Badness {
    const char* name;
    std::uint16_t ring;
    std::function<void(BadPackedRing&)> write;
};

constexpr std::uint16_t kOut = kAvailable, kIn = kAvailable | kWrite;

const Badness kAll[] = {
    {"an id past the ring", kFromGuest, [](BadPackedRing& r) { r.write({{r.address(), 72, kSize, kOut}}); }},
    {"id 65535", kFromGuest, [](BadPackedRing& r) { r.write({{r.address(), 72, 65535, kOut}}); }},
    {"one id for all", kFromGuest, [](BadPackedRing& r) { r.fill({r.address(), 72, 7, kOut}); }},
    {"a chain that ends in nothing", kFromGuest,
     [](BadPackedRing& r) { r.write({{r.address(), 72, 0, kOut | kNext}}); }},
    {"a chain round the ring", kFromGuest, [](BadPackedRing& r) { r.fill({r.address(), 72, 0, kOut | kNext}); }},
    {"a chain without a byte", kFromGuest, [](BadPackedRing& r) { r.fill({r.address(), 0, 0, kOut | kNext}); }},
    {"behind the memory", kFromGuest, [](BadPackedRing& r) { r.write({{r.end_of_memory(), 72, 0, kOut}}); }},
    {"across the memory's end", kFromGuest,
     [](BadPackedRing& r) { r.write({{r.end_of_memory() - 20, 1000, 0, kOut}}); }},
    {"an address that wraps", kFromGuest, [](BadPackedRing& r) { r.write({{~0ULL - 7, 72, 0, kOut}}); }},
    {"4 GiB long", kFromGuest, [](BadPackedRing& r) { r.write({{r.address(), 0xffffffff, 0, kOut}}); }},
    {"no byte", kFromGuest, [](BadPackedRing& r) { r.write({{r.address(), 0, 0, kOut}}); }},
    {"a third of a header", kFromGuest, [](BadPackedRing& r) { r.write({{r.address(), 4, 0, kOut}}); }},
    {"a header and no frame", kFromGuest, [](BadPackedRing& r) { r.write({{r.address(), 12, 0, kOut}}); }},
    {"a header that ends nowhere", kFromGuest,
     [](BadPackedRing& r) { r.write({{r.address(), 11, 0, kOut | kNext}, {r.end_of_memory() + 4096, 61, 0, kOut}}); }},
    {"a buffer to be written", kFromGuest, [](BadPackedRing& r) { r.write({{r.address(), 72, 0, kIn}}); }},
    {"a table out of memory", kFromGuest,
     [](BadPackedRing& r) { r.write({{r.end_of_memory() + 4096, 64, 0, kOut | kIndirect}}); }},
    {"a table across the end", kFromGuest,
     [](BadPackedRing& r) { r.write({{r.end_of_memory() - 16, 64, 0, kOut | kIndirect}}); }},
    {"a table of one and a half", kFromGuest, [](BadPackedRing& r) { r.indirect({{r.address(), 72, 0, 0}}, 24); }},
    {"an empty table", kFromGuest, [](BadPackedRing& r) { r.indirect({{r.address(), 72, 0, 0}}, 0); }},
    {"a table in a table", kFromGuest, [](BadPackedRing& r) { r.indirect({{r.address(1), 16, 0, kIndirect}}, 16); }},
    {"a table and a next one", kFromGuest, [](BadPackedRing& r) { r.indirect({{r.address(), 72, 0, 0}}, 16, kNext); }},
    {"a table of 4 GiB", kFromGuest, [](BadPackedRing& r) { r.indirect({{r.address(), 72, 0, kNext}}, 0xfffffff0); }},
    {"events wanted nowhere", kFromGuest,
     [](BadPackedRing& r) {
         r.want_events(0x7fff, 2);
         r.write({{r.address(), 72, 0, kOut}});
     }},
    {"event flags of no kind", kFromGuest,
     [](BadPackedRing& r) {
         r.want_events(0xffff, 0xffff);
         r.write({{r.address(), 72, 0, kOut}});
     }},
    {"flags of all kinds", kFromGuest,
     [](BadPackedRing& r) { r.write({{r.address(), 72, 0, static_cast<std::uint16_t>(0xffff & ~kUsed)}}); }},
    {"an id past the ring", kToGuest, [](BadPackedRing& r) { r.write({{r.address(), 2000, 65535, kIn}}); }},
    {"a chain that ends in nothing", kToGuest, [](BadPackedRing& r) { r.write({{r.address(), 20, 0, kIn | kNext}}); }},
    {"a chain round the ring", kToGuest, [](BadPackedRing& r) { r.fill({r.address(), 1, 0, kIn | kNext}); }},
    {"a chain without a byte", kToGuest, [](BadPackedRing& r) { r.fill({r.address(), 0, 0, kIn | kNext}); }},
    {"behind the memory", kToGuest, [](BadPackedRing& r) { r.write({{r.end_of_memory() + 8, 2000, 0, kIn}}); }},
    {"across the memory's end", kToGuest, [](BadPackedRing& r) { r.write({{r.end_of_memory() - 20, 2000, 0, kIn}}); }},
    {"an address that wraps", kToGuest, [](BadPackedRing& r) { r.write({{~0ULL - 7, 2000, 0, kIn}}); }},
    {"4 GiB long", kToGuest, [](BadPackedRing& r) { r.write({{r.address(), 0xffffffff, 0, kIn}}); }},
    {"a buffer to be read", kToGuest, [](BadPackedRing& r) { r.write({{r.address(), 2000, 0, kOut}}); }},
    {"buffers of no byte", kToGuest, [](BadPackedRing& r) { r.fill({r.address(), 0, 0, kIn}); }},
    {"half a header", kToGuest, [](BadPackedRing& r) { r.write({{r.address(), 6, 0, kIn}}); }},
    {"one buffer again and again", kToGuest, [](BadPackedRing& r) { r.fill({r.address(), 2000, 3, kIn}); }},
    {"a table out of memory", kToGuest,
     [](BadPackedRing& r) { r.write({{r.end_of_memory() + 4096, 64, 0, kIn | kIndirect}}); }},
    {"an empty table", kToGuest, [](BadPackedRing& r) { r.indirect({{r.address(), 2000, 0, kWrite}}, 0, kWrite); }},
};

class VhostBadPackedRingTest : public VhostBadRingTest {
  protected:
    [[nodiscard]] Port packed_port() {
        Port wanted = port(VhostMode::server);
        std::get<VhostUserDevice>(wanted.device).packed = true;
        return wanted;
    }
};

TEST_F(VhostBadPackedRingTest, costs_the_guest_its_own_frames) {
    Neighbor neighbor(*this);
    auto hostile = open(packed_port());
    for (const Badness& badness : kAll) {
        SCOPED_TRACE(std::string(badness.ring == kToGuest ? "to the guest: " : "from the guest: ") + badness.name);
        meet(
            *hostile,
            [&](FakeGuest& guest) {
                BadPackedRing ring(guest, badness.ring);
                badness.write(ring);
            },
            kPacked);
        neighbor.expect_life();
    }
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
        SCOPED_TRACE("garbage " + std::to_string(seed));
        meet(
            *hostile,
            [&](FakeGuest& guest) {
                BadPackedRing(guest, kToGuest).garbage(seed);
                BadPackedRing(guest, kFromGuest).garbage(seed + 1000);
            },
            kPacked);
    }
    neighbor.expect_life();
}

/// That the rings above are read at all.
TEST_F(VhostBadPackedRingTest, a_good_one_is_served) {
    auto served = open(packed_port());
    FakeGuest guest = FakeGuest::connect_to(path());
    guest.start(kPlainGuest | kPacked, 1, 0);
    ASSERT_TRUE(events_.wait_for(PortEvent::link_up));
    const Frame frame = frame_of(60);
    std::copy(frame.begin(), frame.end(), guest.buffer(kFromGuest, 0) + sizeof(NetHeader));
    BadPackedRing ring(guest, kFromGuest);
    ring.write({{ring.address(), 72, 0, kOut}});
    rte_mbuf* received = receive_one(*served);
    ASSERT_NE(received, nullptr);
    EXPECT_EQ(bytes_of(received), frame);

    BadPackedRing back(guest, kToGuest);
    back.write({{back.address(), 2000, 0, kIn}});
    ASSERT_EQ(served->transmit(0, &received, 1).taken, 1);
    EXPECT_TRUE(std::equal(frame.begin(), frame.end(), guest.buffer(kToGuest, 0) + sizeof(NetHeader)));
}

}  // namespace
}  // namespace bulkhead::test
