// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/state/surroundings.h"
#include "vhost/relay/relay.h"

struct rte_mempool;

namespace bulkhead::daemon {

/// Opens ports of every type with pmd/ and vhost/.
class DeviceFactory : public PortFactory {
  public:
    /// Called on any thread with what a device reports.
    using Report = std::function<void(const std::string& port, std::uint64_t token, PortEvent event)>;

    /// `vhost_roots`: as configured for the node.
    DeviceFactory(rte_mempool* buffers, std::uint16_t workers, std::vector<std::string> vhost_roots, Report report)
        : buffers_(buffers), workers_(workers), vhost_roots_(std::move(vhost_roots)), report_(std::move(report)) {}

    Result<std::unique_ptr<PortIo>> open(const Port& port, std::uint16_t mtu, std::uint64_t token) override;

  private:
    rte_mempool* buffers_;
    std::uint16_t workers_;
    std::vector<std::string> vhost_roots_;
    Report report_;
    std::shared_ptr<vhost::Relay> relay_;  ///< from the first vhost-user port on
};

}  // namespace bulkhead::daemon
