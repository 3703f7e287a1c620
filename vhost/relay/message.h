// SPDX-License-Identifier: Apache-2.0
// The vhost-user protocol's messages (QEMU's docs/interop/vhost-user.rst, "Message Specification"), as far as a network
// device has use for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {

/// "Front-end message types". Others are not for us: an IOMMU, postcopy, in-flight tracking and configuration space are
/// not offered.
enum class Request : std::uint32_t {
    get_features = 1,
    set_features = 2,
    set_owner = 3,
    reset_owner = 4,
    set_mem_table = 5,
    set_log_base = 6,
    set_log_fd = 7,
    set_vring_num = 8,
    set_vring_addr = 9,
    set_vring_base = 10,
    get_vring_base = 11,
    set_vring_kick = 12,
    set_vring_call = 13,
    set_vring_err = 14,
    get_protocol_features = 15,
    set_protocol_features = 16,
    get_queue_num = 17,
    set_vring_enable = 18,
    send_rarp = 19,
    net_set_mtu = 20,
    set_status = 39,
    get_status = 40,
};

/// The three words before every payload.
struct Header {
    std::uint32_t request = 0, flags = 0, size = 0;
};
static_assert(sizeof(Header) == 12);

inline constexpr std::uint32_t kVersionMask = 0x3, kVersion = 0x1;  ///< of `flags`
inline constexpr std::uint32_t kIsReply = 1U << 2;
inline constexpr std::uint32_t kNeedsReply = 1U << 3;

/// "A vring state description"; with SET_VRING_NUM, _BASE and _ENABLE.
struct VringState {
    std::uint32_t index, number;
};

/// "Memory region description": one of at most eight behind two words, their number and padding.
struct MemoryRegion {
    std::uint64_t guest_address, size, user_address, offset;
};
inline constexpr std::size_t kMostRegions = 8;
inline constexpr std::size_t kRegionsBegin = 8;

/// "Log description".
struct LogArea {
    std::uint64_t size, offset;
};

/// "A vring file descriptor": the ring's number, and whether none comes with it.
inline constexpr std::uint64_t kRingMask = 0xff, kNoDescriptor = 1U << 8;

/// More than the largest message has in either direction.
inline constexpr std::size_t kMostPayload = 512;
inline constexpr std::size_t kMostDescriptors = 8;

/// One message, whole.
struct Message {
    Header header;
    std::vector<std::byte> payload;  ///< header.size of them
    std::vector<UniqueFd> descriptors;

    [[nodiscard]] Request request() const { return static_cast<Request>(header.request); }

    /// A structure of the payload, where it is that long.
    template <typename T>
    [[nodiscard]] std::optional<T> get(std::size_t at = 0) const {
        if (payload.size() < at + sizeof(T)) return std::nullopt;
        T value;
        std::memcpy(&value, payload.data() + at, sizeof value);
        return value;
    }
};

}  // namespace bulkhead::vhost
