// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/data_plane.h"

#include "pmd/cores.h"
#include "pmd/eal.h"

namespace bulkhead::daemon {
namespace {

HugepageKind kind_of(config::Hugepages pages) {
    switch (pages) {
        case config::Hugepages::automatic:
            return HugepageKind::automatic;
        case config::Hugepages::two_mib:
            return HugepageKind::two_mib;
        case config::Hugepages::one_gib:
            return HugepageKind::one_gib;
        case config::Hugepages::none:
            return HugepageKind::none;
    }
    return HugepageKind::automatic;
}

}  // namespace

Result<std::unique_ptr<DataPlane>> DataPlane::create(const config::Node& node) {
    auto cores = parse_cores(node.cores);
    if (!cores) return failure(std::move(cores.error()));
    std::unique_ptr<DataPlane> plane(new DataPlane(std::move(*cores)));
    EalSettings eal;
    eal.cores = plane->cores_;
    eal.memory_mib = node.memory_mib;
    eal.hugepages = kind_of(node.hugepages);
    eal.extra_args = node.eal_args;
    if (auto ok = start_eal(eal); !ok) return failure(std::move(ok.error()));
    auto buffers = create_buffers(node.memory_mib);
    if (!buffers) return failure(std::move(buffers.error()));
    plane->buffers_ = *buffers;

    SwitchSettings settings;
    settings.workers = static_cast<std::uint16_t>(plane->cores_.size());
    settings.buffers = plane->buffers_;
    settings.copies = create_copies(node.memory_mib);
    settings.idle = node.idle_mode;
    settings.max_sleep_us = node.max_sleep_us;
    auto made = Switch::create(settings);
    if (!made) return failure(std::move(made.error()));
    plane->switch_ = std::move(*made);
    return plane;
}

Result<> DataPlane::start_workers() {
    auto started = launch_workers([this](std::uint16_t worker) { switch_->run_worker(worker); });
    running_ = started.has_value();
    return started;
}

void DataPlane::stop_workers() {
    if (!running_) return;
    switch_->stop();
    join_workers();
    running_ = false;
}

// EAL's memory goes with the process: giving it back piece by piece would only delay the next start.
DataPlane::~DataPlane() {
    stop_workers();
}

}  // namespace bulkhead::daemon
