// SPDX-License-Identifier: Apache-2.0
// The devices' part of a transaction: prepare() opens what the new model needs beside what is in force, then either
// finish() gives back what it no longer needs, or roll_back() makes all as it was. In between, workers go on with the
// old ports, but for those whose device must be closed before it can be opened again (another MTU, another port's
// name).
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "control/state/device_table.h"

namespace bulkhead {

/// Whether a port whose device can't be opened may wait for it; otherwise the transition is refused.
using MayWait = std::function<bool(const std::string& port)>;
/// What becomes of the device of a port that is removed: gone for good, or kept for a roll-back.
enum class OnRemoval : std::uint8_t { release, park };

class DeviceTransition {
  public:
    /// All outlive the transition.
    DeviceTransition(DeviceTable& table, PortFactory& factory, SwitchTarget& target, const Model& from, const Model& to)
        : table_(table), factory_(factory), target_(target), from_(from), to_(to) {}

    /// On failure everything is as it was.
    Result<> prepare(const MayWait& may_wait, Time now);
    /// The ports of the new model that are open.
    [[nodiscard]] std::map<std::string, PortIo*> pointers() const { return table_.pointers(removed_); }
    void finish(OnRemoval on_removal);
    void roll_back(Time now);

  private:
    void plan();
    void plan_port(const Port& port);
    void plan_removals();
    void plan_host_taps();
    Result<> check_resizes(const MayWait& may_wait) const;
    [[nodiscard]] Error locate_mtu(Error error, const Port& port) const;
    void resize();
    Result<> close_first();
    Result<> open_all(const std::vector<const Port*>& ports, const MayWait& may_wait, Time now);

    DeviceTable& table_;
    PortFactory& factory_;
    SwitchTarget& target_;
    const Model& from_;
    const Model& to_;

    std::vector<const Port*> to_open_;
    std::vector<const Port*> to_open_late_;  // after those in close_first_ are closed
    std::vector<const Port*> to_resize_;
    std::set<std::string> removed_;      // open, not in the new model
    std::set<std::string> close_first_;  // open, in the way of what is to be opened
    std::map<std::string, WaitingPort> former_waiting_;
    std::map<std::string, std::uint16_t> former_mtu_;  // of those resized, and of those closed first
    std::set<std::string> closed_devices_;             // identities of those closed first
    std::vector<std::string> opened_;
    std::set<std::string> unparked_;
};

}  // namespace bulkhead
