// SPDX-License-Identifier: Apache-2.0
// What a case sets up, whoever forwards: ports in memory, who says what behind them, and the configuration by which the
// switch connects them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "perf/rig/memory_port.h"
#include "vswitch/model/model.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead::rig {

class Newcomers;
class Source;

struct Scene {
    std::uint16_t workers = 1;
    std::vector<std::unique_ptr<MemoryPort>> ports;  ///< polled in this order
    std::vector<std::string> names;                  ///< of the ports
    /// For the floor: the ports to which all frames of a port go.
    std::vector<std::vector<std::size_t>> partners;
    Model model;
    std::vector<Source*> sources;
    Newcomers* newcomers = nullptr;  ///< only in `learning`
    std::size_t macs = 0;            ///< in the table when everybody was introduced
    std::size_t connections = 0;     ///< open then
    /// Told what the switch forwards by, once.
    std::function<void(const Snapshot&)> adopt = {};

    [[nodiscard]] std::map<std::string, PortIo*> open_ports() const {
        std::map<std::string, PortIo*> open;
        for (std::size_t at = 0; at < ports.size(); ++at) open[names[at]] = ports[at].get();
        return open;
    }
};

}  // namespace bulkhead::rig
