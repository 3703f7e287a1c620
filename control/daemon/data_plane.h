// SPDX-License-Identifier: Apache-2.0
// DPDK, the buffers, the switch and its workers: from start to a clean end.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "control/config/node.h"
#include "vswitch/base/result.h"
#include "vswitch/switch.h"

struct rte_mempool;

namespace bulkhead::daemon {

class DataPlane {
  public:
    /// Starts EAL as `node` says and makes the switch; the workers do not run yet.
    static Result<std::unique_ptr<DataPlane>> create(const config::Node& node);
    ~DataPlane();
    DataPlane(const DataPlane&) = delete;
    DataPlane& operator=(const DataPlane&) = delete;

    Result<> start_workers();
    void stop_workers();  ///< returns when they have; ports may be closed then

    [[nodiscard]] Switch& get_switch() { return *switch_; }
    [[nodiscard]] rte_mempool* buffers() const { return buffers_; }
    [[nodiscard]] const std::vector<std::uint16_t>& cores() const { return cores_; }

  private:
    explicit DataPlane(std::vector<std::uint16_t> cores) : cores_(std::move(cores)) {}

    std::vector<std::uint16_t> cores_;
    rte_mempool* buffers_ = nullptr;
    std::unique_ptr<Switch> switch_;
    bool running_ = false;
};

}  // namespace bulkhead::daemon
