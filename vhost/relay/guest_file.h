// SPDX-License-Identifier: Apache-2.0
// The descriptors that a guest hands over. What we do with them later must neither fail nor wait, whatever the guest
// does to the file meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace bulkhead::vhost {

/// Why the descriptor is no memory of `bytes` bytes to map; nothing if it is. Only memory's own file systems (tmpfs and
/// so memfd, hugetlbfs): a page of a file on FUSE or NFS may never come, and a worker would wait for it. Seals it
/// against shrinking (memfd_create(2)) if the guest has left that open.
[[nodiscard]] std::optional<std::string> objection_to_memory(int fd, std::uint64_t bytes);

/// Why the descriptor is no eventfd; nothing if it is. Makes it non-blocking: the guest holds the same counter and
/// could fill it.
[[nodiscard]] std::optional<std::string> objection_to_eventfd(int fd);

}  // namespace bulkhead::vhost
