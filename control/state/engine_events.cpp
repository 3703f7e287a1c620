// SPDX-License-Identifier: Apache-2.0
// What comes to the engine by itself: time, and word from the devices.
#include <algorithm>
#include <set>

#include "control/state/engine.h"
#include "vswitch/model/host_tap.h"

namespace bulkhead {
namespace {

// So that a thousand devices can't hold up the control thread.
constexpr std::size_t kOpensPerTick = 16;

/// Each device once a second, as port_io.h promises.
std::size_t looks_per_tick(std::size_t devices) {
    constexpr std::size_t kTicksPerSecond = 10, kAtLeast = 32;
    return std::min(devices, std::max(kAtLeast, devices / kTicksPerSecond + 1));
}

std::string_view kind_of(PortEvent event) {
    switch (event) {
        case PortEvent::link_up:
            return "port.up";
        case PortEvent::link_down:
            return "port.down";
        case PortEvent::guest_connected:
            return "guest.connected";
        case PortEvent::guest_disconnected:
            return "guest.disconnected";
        case PortEvent::device_removed:
            return "port.waiting";
    }
    return {};
}

}  // namespace

std::string reason_text(const Error& reason) {
    if (reason.got.empty() || reason.message.find(reason.got) != std::string::npos) return reason.message;
    return reason.message + " (" + reason.got + ")";
}

void Engine::tick() {
    if (unconfirmed_ && around_.now() >= unconfirmed_->deadline) roll_back_unconfirmed();
    for (const std::string& name :
         retry_waiting(devices_, around_.factory, around_.target, now_.in_force, around_.now(), kOpensPerTick)) {
        tell("port.opened", {{"port", name}}, name);
    }
    look_at_devices();
}

void Engine::look_at_devices() {
    auto next = devices_.open.upper_bound(looked_at_);
    for (std::size_t looks = looks_per_tick(devices_.open.size()); looks > 0; --looks, ++next) {
        if (next == devices_.open.end()) next = devices_.open.begin();
        looked_at_ = next->first;
        (void)next->second.io->state();
    }
}

void Engine::port_event(const std::string& name, std::uint64_t token, PortEvent event) {
    auto parked = devices_.parked.find(name);
    if (event == PortEvent::device_removed && parked != devices_.parked.end() && parked->second.token == token) {
        devices_.parked.erase(parked);  // a roll-back opens it anew
    }
    auto open = devices_.open.find(name);
    if (open == devices_.open.end() || open->second.token != token) return;
    if (event == PortEvent::device_removed) {
        // Left in place when the workers can't be told: its own I/O answers `port_gone` until they can.
        if (!lose_device(name)) return;
    }
    tell(std::string(kind_of(event)), {{"port", name}}, name);
    tell_underlay(name, event);
}

/// With a NIC goes its host TAP, so that this node's kernel sees its link go.
bool Engine::lose_device(const std::string& name) {
    std::set<std::string> gone{name};
    for (const auto& [other, port] : now_.in_force.ports) {
        const auto* host = host_of(port);
        if (host != nullptr && host->nic == name && devices_.open.contains(other)) gone.insert(other);
    }
    if (!around_.target.apply(now_.in_force, devices_.pointers(gone))) return false;
    for (const std::string& port : gone) {
        devices_.close(port, false);
        Error reason;
        reason.code = ErrorCode::device_failed;
        reason.message = port == name ? "the device has gone" : "the device of port \"" + name + "\" has gone";
        reason.retryable = true;
        devices_.wait_for(now_.in_force.ports.at(port), std::move(reason), around_.now());
        if (port != name) tell(std::string(kind_of(PortEvent::device_removed)), {{"port", port}}, port);
    }
    return true;
}

/// The link of its NIC is all that an underlay needs.
void Engine::tell_underlay(const std::string& port, PortEvent event) const {
    const bool is_up = event == PortEvent::link_up;
    if (!is_up && event != PortEvent::link_down && event != PortEvent::device_removed) return;
    for (const auto& [name, underlay] : now_.in_force.underlays)
        if (underlay.port == port) tell(is_up ? "underlay.up" : "underlay.down", {{"underlay", name}, {"port", port}});
}

PortCondition Engine::port_condition(const std::string& name) const {
    PortCondition condition;
    if (auto open = devices_.open.find(name); open != devices_.open.end()) {
        condition.device = open->second.io->state();
        condition.status = condition.device->link_up ? PortCondition::Status::up : PortCondition::Status::down;
    } else if (const Error* reason = waiting_reason({ObjectKind::port, name})) {
        condition.reason = *reason;
    }
    return condition;
}

const Error* Engine::waiting_reason(const ObjectKey& key) const {
    if (auto unfit = now_.unfit.find(key); unfit != now_.unfit.end()) return &unfit->second;
    if (key.kind != ObjectKind::port) return nullptr;
    auto waiting = devices_.waiting.find(key.name);
    return waiting == devices_.waiting.end() ? nullptr : &waiting->second.reason;
}

void Engine::tell(std::string kind, nlohmann::json fields, std::string port, std::string segment) const {
    if (!around_.observer) return;
    around_.observer({std::move(kind), std::move(fields), std::move(port), std::move(segment), {}});
}

void Engine::tell_changed(const ChangeSet& changes) const {
    tell("config.changed", {{"generation", changes.generation}, {"changes", encode(changes.changes)}});
}

}  // namespace bulkhead
