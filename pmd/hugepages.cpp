// SPDX-License-Identifier: Apache-2.0
#include "pmd/hugepages.h"

#include <fstream>
#include <string>

namespace bulkhead {
namespace {

struct PageSize {
    HugepageKind kind;
    const char* folder;
    const char* name;
    std::uint64_t mib;
};

constexpr PageSize kTwoMib{HugepageKind::two_mib, "hugepages-2048kB", "2 MiB", 2};
constexpr PageSize kOneGib{HugepageKind::one_gib, "hugepages-1048576kB", "1 GiB", 1024};

struct Supply {
    std::uint64_t total = 0;  ///< pages the kernel set aside, in use or not
    std::uint64_t free = 0;   ///< pages nobody uses or was promised
};

std::uint64_t read_number(const std::filesystem::path& file) {
    std::uint64_t value = 0;
    std::ifstream(file) >> value;
    return value;
}

Supply read_supply(const std::filesystem::path& sysfs, const PageSize& size) {
    const auto folder = sysfs / size.folder;
    const auto free = read_number(folder / "free_hugepages");
    const auto promised = read_number(folder / "resv_hugepages");
    return {.total = read_number(folder / "nr_hugepages"), .free = free > promised ? free - promised : 0};
}

std::uint64_t pages_for(std::uint64_t mib, const PageSize& size) {
    return (mib + size.mib - 1) / size.mib;
}

std::string command_for(const PageSize& size, std::uint64_t pages) {
    if (size.kind == HugepageKind::two_mib) return "sysctl vm.nr_hugepages=" + std::to_string(pages);
    return "echo " + std::to_string(pages) + " > /sys/kernel/mm/hugepages/" + size.folder + "/nr_hugepages";
}

std::unexpected<Error> too_few(std::uint32_t memory_mib, const PageSize& size, const Supply& supply) {
    const auto missing = pages_for(memory_mib, size) - supply.free;
    const auto free_mib = supply.free * size.mib;
    return failure({.code = ErrorCode::limit,
                    .message = "not enough free huge pages of " + std::string(size.name) + ": " +
                               std::to_string(memory_mib) + " MiB are wanted, " + std::to_string(free_mib) +
                               " MiB are free, " + std::to_string(missing * size.mib) +
                               " MiB are missing; get them with `" + command_for(size, supply.total + missing) + "`",
                    .field = "/memory_mib",
                    .got = std::to_string(memory_mib),
                    .allowed = "at most " + std::to_string(free_mib) + " (MiB free now)",
                    .retryable = true,
                    .object_kind = {},
                    .object_name = {}});
}

}  // namespace

Result<HugepageKind> choose_hugepages(std::uint32_t memory_mib, HugepageKind wanted,
                                      const std::filesystem::path& sysfs) {
    if (wanted == HugepageKind::none) return HugepageKind::none;
    const auto two_mib = read_supply(sysfs, kTwoMib);
    const auto one_gib = read_supply(sysfs, kOneGib);
    const bool one_gib_will_do = one_gib.free >= pages_for(memory_mib, kOneGib);
    const bool two_mib_will_do = two_mib.free >= pages_for(memory_mib, kTwoMib);
    if (wanted != HugepageKind::two_mib && one_gib_will_do) return HugepageKind::one_gib;
    if (wanted == HugepageKind::one_gib) return too_few(memory_mib, kOneGib, one_gib);
    if (two_mib_will_do) return HugepageKind::two_mib;
    return too_few(memory_mib, kTwoMib, two_mib);
}

}  // namespace bulkhead
