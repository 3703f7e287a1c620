// SPDX-License-Identifier: Apache-2.0
// The devices behind the ports in force: those that are open, those that are waited for, and those that an unconfirmed
// change has taken out of service and that its roll-back would want again.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "control/state/surroundings.h"
#include "vswitch/base/result.h"

namespace bulkhead {

using Time = std::chrono::steady_clock::time_point;

struct OpenPort {
    std::unique_ptr<PortIo> io;
    std::uint16_t mtu = 0;
    std::uint64_t token = 0;  ///< of this opening, see PortFactory
    Port opened_as;           ///< with the guest's offloads as they are now
};

/// Whether a device that was opened for the one port serves the other, but for its MTU and its guest's offloads, which
/// change while it carries traffic.
[[nodiscard]] bool serves(const Port& opened_as, const Port& port);
/// Tells an open device what its guest is offered.
void adopt_offloads(OpenPort& open, const Port& port);

struct WaitingPort {
    Error reason;
    Time next_try;
    std::chrono::milliseconds delay{1000};
    std::string absent_path;  ///< a namespace that is not there: looked for instead of trying to open
};

struct DeviceTable {
    std::map<std::string, OpenPort> open;
    std::map<std::string, WaitingPort> waiting;
    std::map<std::string, OpenPort> parked;
    std::uint64_t last_token = 0;
    std::string retried;  ///< the waiting port that was tried last

    /// What Switch::apply wants: the open ones, less those named.
    [[nodiscard]] std::map<std::string, PortIo*> pointers(const std::set<std::string>& without = {}) const;

    /// Opens a device, or takes it from the parked ones. The Error names the port; for a host TAP, its underlay.
    Result<> open_port(PortFactory& factory, const Port& port, std::uint16_t mtu);
    /// Notes that a port's device could not be opened; the pause before the next try grows from one second to five.
    void wait_for(const Port& port, Error reason, Time now);
    /// Takes a port out. `release`: it is removed from the configuration, so what would outlive us goes too.
    void close(const std::string& name, bool release);
    void release_parked();

    /// A host TAP, which has its NIC's MAC, whose NIC is not open.
    [[nodiscard]] bool lacks_nic(const Port& port) const;

  private:
    Result<> open_host_tap(PortFactory& factory, Port port, std::uint16_t mtu);
    Result<> open_device(PortFactory& factory, const Port& port, std::uint16_t mtu);
};

/// Opens those of the waiting ports whose time has come, at most `budget`, and puts them in force. Returns their names.
std::vector<std::string> retry_waiting(DeviceTable& table, PortFactory& factory, SwitchTarget& target,
                                       const Model& in_force, Time now, std::size_t budget);

}  // namespace bulkhead
