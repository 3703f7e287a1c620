// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace bulkhead::vhost {

/// Whether a message, as librte_vhost 22.11 hands it to a message handler, came without descriptors. They stand behind
/// the message, in a structure of its own (vhu_msg_context in its vhost_user.h, which "can't be changed carelessly as
/// external message handlers rely on" it). It fills unused places with -1, so another layout would show, as "not
/// without".
[[nodiscard]] inline bool came_without_descriptors(const void* message) {
    constexpr std::size_t kHeader = 12, kLargestPayload = 632;  // struct VhostUserCryptoSessionParam
    struct {
        std::array<std::int32_t, 8> descriptors;
        std::int32_t count;
    } behind;
    std::memcpy(&behind, static_cast<const std::byte*>(message) + kHeader + kLargestPayload, sizeof behind);
    for (const std::int32_t descriptor : behind.descriptors)
        if (descriptor != -1) return false;
    return behind.count == 0;
}

}  // namespace bulkhead::vhost
