// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vhost/relay/message.h"

namespace bulkhead::vhost {

/// What librte_vhost may be told. It trusts front-ends in much (22.11): it takes any number of bytes for a message's
/// payload, a descriptor of any kind, a new size for a ring that is being served, none at all for one that starts
/// again, and a packed ring's position past its end; each of these is a crash, or a worker that waits for ever. So each
/// message must be one that a network device has use for, of its size, with its descriptors, about a ring that there
/// is, in an order that makes sense (vhost-user.rst, "Starting and stopping rings").
class Inspector {
  public:
    explicit Inspector(std::uint16_t queue_pairs) : rings_(2U * queue_pairs) {}

    /// Why the message may not pass, for people; nothing if it may. Seals guests' memory against shrinking, where the
    /// guest has not forbidden that, and makes their eventfds non-blocking.
    [[nodiscard]] std::optional<std::string> objection_to(const Message& message);

    /// Those that the guest has chosen.
    [[nodiscard]] const std::optional<std::uint64_t>& features() const { return features_; }

  private:
    struct Ring {
        std::uint32_t size = 0;  ///< 0: none since it stopped
        std::uint32_t base = 0;
        bool has_addresses = false;
    };
    using Objection = std::optional<std::string>;

    [[nodiscard]] Objection to_content(const Message& message);
    [[nodiscard]] Objection to_features(std::uint64_t features);
    [[nodiscard]] Objection to_size(Ring& ring, std::uint32_t size) const;
    [[nodiscard]] Objection to_addresses(Ring& ring) const;
    [[nodiscard]] bool is_packed() const;

    std::vector<Ring> rings_;
    std::optional<std::uint64_t> features_;
};

}  // namespace bulkhead::vhost
