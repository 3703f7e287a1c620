// SPDX-License-Identifier: Apache-2.0
// DPDK's environment: memory, worker threads, no devices (ports bring those later). One a process; control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pmd/hugepages.h"
#include "vswitch/base/result.h"

struct rte_mempool;

namespace bulkhead {

struct EalSettings {
    std::vector<std::uint16_t> cores;  ///< worker k runs on cores[k]; see parse_cores
    std::uint32_t memory_mib = 512;    ///< all that DPDK may take of the first worker's NUMA node
    HugepageKind hugepages = HugepageKind::automatic;
    std::vector<std::string> extra_args;  ///< passed to EAL as they are, after ours
    std::string program = "bulkheadd";
};

/// Starts EAL. No files are used, no PCI device is taken, any may be plugged later by its devargs. The
/// calling thread becomes the main lcore and floats over all CPUs; each worker has an lcore of its own, also where
/// it shares its CPU with the main one. Errors: `limit` at `/memory_mib`, `invalid_params` at `/cores` or
/// `/eal_args`, `device_failed` with DPDK's words. EAL has no way to leave free 1 GiB pages alone: with `two_mib` it
/// may still take them.
Result<> start_eal(const EalSettings& settings);

/// After every port is closed and every buffer freed.
void stop_eal();

/// The arguments that start_eal gives to EAL, the program's name first; `kind` is what choose_hugepages chose.
std::vector<std::string> eal_arguments(const EalSettings& settings, HugepageKind kind,
                                       const std::vector<std::uint16_t>& all_cores);

inline constexpr std::uint32_t kTableMemoryMib = 96;  ///< of memory_mib, for MAC tables, rings and drivers
inline constexpr std::uint16_t kBufferRoom = 2048;    ///< bytes of a frame in one buffer, beyond RTE_PKTMBUF_HEADROOM

/// The packet buffers: as many as fit in memory_mib beside kTableMemoryMib and those of create_copies(). Fails with
/// `limit` at `/memory_mib`.
Result<rte_mempool*> create_buffers(std::uint32_t memory_mib);

/// Further ones, for the copies that mirrors make: a sixteenth as many, 4,095 at most, so that observers who are slow
/// to take theirs hold back no others. Beside what create_buffers() made; null if there is no memory left for them.
rte_mempool* create_copies(std::uint32_t memory_mib);

/// Runs `body(worker)` on every worker's thread. Fails with `not_ready` when one is still busy.
Result<> launch_workers(std::function<void(std::uint16_t worker)> body);
/// Waits until every body has returned.
void join_workers();

}  // namespace bulkhead
