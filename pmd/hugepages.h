// SPDX-License-Identifier: Apache-2.0
// Are there enough huge pages? Asked before EAL starts, because EAL's own answer names neither what is missing nor the
// cure. Source: Documentation/admin-guide/mm/hugetlbpage.rst of the Linux kernel.
#pragma once

#include <cstdint>
#include <filesystem>

#include "vswitch/base/result.h"

namespace bulkhead {

enum class HugepageKind : std::uint8_t {
    automatic,  ///< 1 GiB pages if enough are free, else 2 MiB pages; never ordinary pages
    two_mib,
    one_gib,
    none,  ///< ordinary pages: no device that does DMA, and slower
};

/// Which kind `memory_mib` will come from. Pages that are free but promised to another process's mapping are not
/// counted. Fails with `limit`, field `/memory_mib`, saying how many MiB are free and missing, and the command that
/// gets them. `sysfs` holds one folder for each size, as /sys/kernel/mm/hugepages does.
Result<HugepageKind> choose_hugepages(std::uint32_t memory_mib, HugepageKind wanted,
                                      const std::filesystem::path& sysfs = "/sys/kernel/mm/hugepages");

}  // namespace bulkhead
