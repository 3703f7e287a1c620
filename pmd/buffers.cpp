// SPDX-License-Identifier: Apache-2.0
// How many packet buffers fit, and making them.
#include <algorithm>
#include <bit>
#include <string>

#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <spdlog/spdlog.h>

#include "pmd/eal.h"

namespace bulkhead {
namespace {

constexpr std::uint64_t kMib = 1U << 20;
constexpr unsigned kCache = 512;                ///< buffers a worker holds back, RTE_MEMPOOL_CACHE_MAX_SIZE
constexpr std::uint32_t kFewestBuffers = 8192;  ///< a worker's cache, a device's rings, and frames on their way

/// Bytes of pool memory one buffer takes: the object, and its slot in the pool's ring, which is sized to a power of
/// two.
std::uint64_t buffer_bytes() {
    const auto element = static_cast<std::uint32_t>(sizeof(rte_mbuf) + RTE_PKTMBUF_HEADROOM + kBufferRoom);
    return rte_mempool_calc_obj_size(element, 0, nullptr) + 2 * sizeof(void*);
}

/// All that fit beside the tables.
std::uint64_t buffers_in(std::uint32_t memory_mib) {
    return (memory_mib - kTableMemoryMib) * kMib / buffer_bytes();
}

/// As a power of two less one, for which a mempool wastes the least.
unsigned copies_of(std::uint64_t buffers) {
    constexpr std::uint64_t kMostCopies = 4096;
    return static_cast<unsigned>(std::bit_floor(std::min(buffers / 16, kMostCopies)) - 1);
}

std::unexpected<Error> too_little(std::uint32_t memory_mib, std::uint32_t least_mib, const std::string& why) {
    return failure({.code = ErrorCode::limit,
                    .message = why,
                    .field = "/memory_mib",
                    .got = std::to_string(memory_mib),
                    .allowed = "at least " + std::to_string(least_mib),
                    .object_kind = {},
                    .object_name = {}});
}

}  // namespace

Result<rte_mempool*> create_buffers(std::uint32_t memory_mib) {
    const auto least_mib =
        kTableMemoryMib + static_cast<std::uint32_t>((kFewestBuffers * buffer_bytes() + kMib - 1) / kMib);
    if (memory_mib < least_mib) {
        return too_little(memory_mib, least_mib,
                          "no room for packet buffers beside " + std::to_string(kTableMemoryMib) +
                              " MiB of tables: " + std::to_string(least_mib - memory_mib) + " MiB are missing");
    }
    const auto room = (memory_mib - kTableMemoryMib) * kMib;
    const auto all = buffers_in(memory_mib);
    const auto count = static_cast<unsigned>(std::min<std::uint64_t>(all - copies_of(all), UINT32_MAX / 2));
    rte_mempool* const pool =
        rte_pktmbuf_pool_create("buffers", count, kCache, 0, RTE_PKTMBUF_HEADROOM + kBufferRoom, SOCKET_ID_ANY);
    if (pool == nullptr) {
        return too_little(memory_mib, least_mib,
                          "no memory for " + std::to_string(count) + " packet buffers (" + std::to_string(room / kMib) +
                              " MiB): " + rte_strerror(rte_errno));
    }
    spdlog::debug("{} packet buffers of {} bytes", count, kBufferRoom);
    return pool;
}

rte_mempool* create_copies(std::uint32_t memory_mib) {
    constexpr unsigned kCopyCache = 32;
    const unsigned count = copies_of(buffers_in(memory_mib));
    rte_mempool* const pool =
        rte_pktmbuf_pool_create("copies", count, kCopyCache, 0, RTE_PKTMBUF_HEADROOM + kBufferRoom, SOCKET_ID_ANY);
    if (pool == nullptr) spdlog::warn("no memory for {} buffers of copies: mirrors copy nothing", count);
    return pool;
}

}  // namespace bulkhead
