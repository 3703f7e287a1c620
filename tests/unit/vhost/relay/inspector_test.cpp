// SPDX-License-Identifier: Apache-2.0
// Each test that expects an objection says it to an inspector that let everything before it pass, so that it is this
// message that is wrong.
#include "vhost/relay/inspector.h"

#include <cstring>
#include <fcntl.h>
#include <functional>
#include <span>
#include <string>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vhost/guest_features.h"

namespace bulkhead::vhost {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMegabyte = 1 << 20;

struct RingAddresses {
    std::uint32_t index = 0, flags = 0;
    std::uint64_t descriptors = 0, used = 0, available = 0, log = 0;
};

UniqueFd memory(std::uint64_t bytes = kMegabyte, unsigned flags = MFD_ALLOW_SEALING) {
    UniqueFd fd(memfd_create("guest", MFD_CLOEXEC | flags));
    EXPECT_EQ(ftruncate(fd.get(), static_cast<off_t>(bytes)), 0);
    return fd;
}
UniqueFd event() {
    return UniqueFd(eventfd(0, EFD_CLOEXEC));
}

template <typename... Fds>
Message message(Request request, std::span<const std::byte> payload, Fds... descriptors) {
    Message made;
    made.header = {static_cast<std::uint32_t>(request), kVersion, static_cast<std::uint32_t>(payload.size())};
    made.payload.assign(payload.begin(), payload.end());
    (made.descriptors.push_back(std::move(descriptors)), ...);
    return made;
}
template <typename T, typename... Fds>
Message with(Request request, const T& payload, Fds... descriptors) {
    return message(request, std::as_bytes(std::span(&payload, 1)), std::move(descriptors)...);
}
Message bare(Request request) {
    return message(request, {});
}
Message ring_state(Request request, std::uint32_t ring, std::uint32_t value) {
    return with(request, VringState{ring, value});
}
Message addresses(std::uint32_t ring) {
    return with(Request::set_vring_addr, RingAddresses{.index = ring});
}
Message features(std::uint64_t bits) {
    return with(Request::set_features, bits);
}
Message ring_descriptor(Request request, std::uint64_t value, UniqueFd descriptor) {
    return with(request, value, std::move(descriptor));
}
struct Table {
    std::uint32_t regions = 1, padding = 0;
    MemoryRegion region{.guest_address = 0, .size = kMegabyte, .user_address = 1 << 30, .offset = 0};
};
Message table(MemoryRegion region, UniqueFd file, std::uint32_t regions = 1) {
    return with(Request::set_mem_table, Table{.regions = regions, .region = region}, std::move(file));
}
MemoryRegion region() {
    return Table().region;
}
Message flagged(Message message, std::uint32_t flags) {
    message.header.flags = flags;
    return message;
}

class InspectorTest : public testing::Test {
  protected:
    void pass(const Message& message) {
        const auto objection = inspector_.objection_to(message);
        EXPECT_FALSE(objection) << *objection;
    }
    void start_ring(std::uint32_t ring, std::uint32_t size = 256, std::uint32_t base = 0) {
        pass(ring_state(Request::set_vring_num, ring, size));
        pass(ring_state(Request::set_vring_base, ring, base));
        pass(addresses(ring));
        pass(ring_descriptor(Request::set_vring_kick, ring, event()));
        pass(ring_descriptor(Request::set_vring_call, ring, event()));
    }
    void refuse(const Message& message, const char* reason) {
        const auto objection = inspector_.objection_to(message);
        ASSERT_TRUE(objection) << reason;
        EXPECT_THAT(*objection, HasSubstr(reason));
    }

    Inspector inspector_{2};
};

TEST_F(InspectorTest, lets_a_guest_start_stop_and_start_again) {
    for (int times = 0; times < 2; ++times) {
        pass(bare(Request::get_features));
        pass(bare(Request::get_protocol_features));
        pass(with(Request::set_protocol_features, std::uint64_t{1}));
        pass(bare(Request::get_queue_num));
        pass(bare(Request::set_owner));
        pass(features(feature::kVersion1));
        pass(table(region(), memory()));
        for (std::uint32_t ring = 0; ring < 4; ++ring) start_ring(ring);
        for (std::uint32_t ring = 0; ring < 4; ++ring) pass(ring_state(Request::set_vring_enable, ring, 1));
        pass(flagged(features(feature::kVersion1 | feature::kLogAll), kVersion | kNeedsReply));
        pass(addresses(1));  // as QEMU does when migration begins
        pass(with(Request::set_log_base, LogArea{.size = 4096, .offset = 0}, memory()));
        pass(bare(Request::reset_owner));
        for (std::uint32_t ring = 0; ring < 4; ++ring) pass(ring_state(Request::get_vring_base, ring, 0));
    }
}

TEST_F(InspectorTest, takes_an_mtu_that_can_be) {
    pass(with(Request::net_set_mtu, std::uint64_t{9000}));
    refuse(with(Request::net_set_mtu, std::uint64_t{67}), "MTU of 67");
    refuse(with(Request::net_set_mtu, std::uint64_t{65536}), "MTU of 65536");
}

TEST_F(InspectorTest, knows_the_messages_of_a_network_device_and_no_others) {
    for (const std::uint32_t request : {0U, 21U, 22U, 24U, 25U, 26U, 27U, 28U, 29U, 30U, 31U, 32U, 38U, 41U, 999U, ~0U})
        refuse(bare(static_cast<Request>(request)), "none for a network device");
}

TEST_F(InspectorTest, refuses_other_versions_and_replies) {
    for (const std::uint32_t flags : {0U, 2U, 3U, kVersion | kIsReply})
        refuse(flagged(bare(Request::get_features), flags), "version 1");
    refuse(flagged(bare(Request::reset_owner), kVersion | kNeedsReply), "wants a reply");
}

TEST_F(InspectorTest, refuses_messages_of_another_shape) {
    refuse(with(Request::get_features, std::uint32_t{0}), "4 bytes");
    refuse(bare(Request::set_features), "0 bytes");
    refuse(with(Request::set_vring_num, std::uint32_t{0}), "4 bytes");
    refuse(with(Request::set_vring_addr, VringState{0, 0}), "8 bytes");
    refuse(message(Request::get_features, {}, event()), "1 descriptors");
    refuse(with(Request::set_features, std::uint64_t{0}, event()), "1 descriptors");
    refuse(with(Request::set_vring_kick, std::uint64_t{0}), "0 descriptors");
    refuse(with(Request::set_vring_kick, std::uint64_t{kNoDescriptor}, event()), "1 descriptors");
    refuse(with(Request::set_vring_call, std::uint64_t{0}, event(), event()), "2 descriptors");
    refuse(with(Request::set_log_base, LogArea{4096, 0}), "0 descriptors");
    refuse(with(Request::set_mem_table, Table{}), "0 descriptors");
    refuse(with(Request::set_mem_table, Table{}, memory(), memory()), "2 descriptors");
}

TEST_F(InspectorTest, refuses_rings_that_are_not_there) {
    pass(features(0));
    for (const std::uint32_t ring : {4U, 255U, ~0U}) {
        refuse(ring_state(Request::set_vring_num, ring, 256), "ring ");
        refuse(ring_state(Request::set_vring_base, ring, 0), "ring ");
        refuse(ring_state(Request::get_vring_base, ring, 0), "ring ");
        refuse(ring_state(Request::set_vring_enable, ring, 1), "ring ");
        refuse(addresses(ring), "ring ");
    }
    refuse(ring_descriptor(Request::set_vring_kick, 4, event()), "ring 4");
    refuse(ring_descriptor(Request::set_vring_call, 255, event()), "ring 255");
}

TEST_F(InspectorTest, refuses_what_would_break_a_ring) {
    refuse(ring_state(Request::set_vring_num, 0, 256), "before the features");
    pass(features(feature::kVersion1));
    refuse(addresses(0), "before its size");
    for (const std::uint32_t size : {0U, 3U, 255U, 32769U, 65536U, ~0U})
        refuse(ring_state(Request::set_vring_num, 0, size), "a ring of");
    start_ring(0);
    refuse(ring_state(Request::set_vring_num, 0, 512), "a new size");
    refuse(ring_state(Request::set_vring_base, 0, 7), "a new position");
    refuse(features(feature::kVersion1 | feature::kRingPacked), "other features");
    pass(ring_state(Request::get_vring_base, 0, 0));
    refuse(addresses(0), "before its size");
}

TEST_F(InspectorTest, refuses_a_packed_rings_position_past_its_end) {
    pass(features(feature::kVersion1 | feature::kRingPacked));
    pass(ring_state(Request::set_vring_num, 0, 100));  // virtio 1.1, section 2.7: any number
    pass(ring_state(Request::set_vring_base, 0, 0x8000 | 100));
    refuse(addresses(0), "position 100");
    pass(ring_state(Request::set_vring_base, 0, 0x8000 | 99));
    pass(addresses(0));
}

TEST_F(InspectorTest, refuses_descriptors_that_could_block) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd other_end(ends[0]);
    refuse(ring_descriptor(Request::set_vring_call, 0, UniqueFd(ends[1])), "no eventfd");
    refuse(ring_descriptor(Request::set_vring_kick, 0, memory()), "no eventfd");
    refuse(with(Request::set_log_fd, 0, event()), "4 bytes");
    const UniqueFd kept = event();
    pass(ring_descriptor(Request::set_vring_call, 0, UniqueFd(dup(kept.get()))));
    EXPECT_NE(fcntl(kept.get(), F_GETFL) & O_NONBLOCK, 0) << "the counter is the guest's, who could fill it";
}

TEST_F(InspectorTest, refuses_memory_that_is_none) {
    refuse(table(region(), event()), "no file of tmpfs");
    refuse(table(region(), UniqueFd(open("/proc/self/exe", O_RDONLY | O_CLOEXEC))), "no file of tmpfs");
    refuse(table(region(), UniqueFd(open("/dev/zero", O_RDWR | O_CLOEXEC))), "no file of tmpfs");
    refuse(table(region(), memory(kMegabyte - 1)), "memory of 1048575 bytes where 1048576");
    MemoryRegion odd = region();
    odd.offset = 1;
    refuse(table(odd, memory()), "1048577");
    odd.offset = ~0ULL - 100;
    refuse(table(odd, memory()), "wraps");
    odd = region();
    odd.size = 0;
    refuse(table(odd, memory()), "empty");
    odd.size = ~0ULL;
    refuse(table(odd, memory()), "wraps");
    odd = region();
    odd.guest_address = ~0ULL - 100;
    refuse(table(odd, memory()), "wraps");
    odd = region();
    odd.user_address = ~0ULL - 100;
    refuse(table(odd, memory()), "wraps");
    refuse(table(region(), memory(), 0), "0 memory regions");
    refuse(table(region(), memory(), 9), "9 memory regions");
    refuse(with(Request::set_log_base, LogArea{.size = 4096, .offset = kMegabyte}, memory()), "memory of");
    refuse(with(Request::set_log_base, LogArea{.size = 0, .offset = 0}, memory()), "empty");
    refuse(with(Request::set_log_base, LogArea{.size = ~0ULL, .offset = 2}, memory()), "wraps");
}

TEST_F(InspectorTest, seals_memory_where_it_may) {
    const UniqueFd sealable = memory(), sealed = memory(kMegabyte, 0);
    for (const UniqueFd* file : {&sealable, &sealed}) pass(table(region(), UniqueFd(dup(file->get()))));
    EXPECT_NE(ftruncate(sealable.get(), 0), 0) << "it can't shrink any more";
    EXPECT_EQ(ftruncate(sealed.get(), 0), 0) << "memory that forbids seals is taken all the same";
}

}  // namespace
}  // namespace bulkhead::vhost
