// SPDX-License-Identifier: Apache-2.0
#include "control/state/device_table.h"

#include <algorithm>
#include <filesystem>

#include "vswitch/model/admission.h"
#include "vswitch/model/host_tap.h"
#include "vswitch/overlay/device_mac.h"

namespace bulkhead {
namespace {

constexpr std::chrono::milliseconds kFirstPause{1000}, kLongestPause{5000}, kLookPause{500};

Error named(Error error, const Port& port) {
    if (error.object_kind.empty()) {
        error.object_kind = "port";
        error.object_name = port.name;
    }
    return error;
}

bool exists(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

std::string absent_namespace(const Port& port) {
    const auto* tap = std::get_if<TapDevice>(&port.device);
    return tap != nullptr && !tap->netns.empty() && !exists(tap->netns) ? tap->netns : std::string();
}

// Whether to try now. Looking for a path is cheap enough to do twice a second for a thousand ports; opening is not.
bool is_due(WaitingPort& waiting, Time now) {
    if (now < waiting.next_try) return false;
    if (waiting.absent_path.empty() || exists(waiting.absent_path)) return true;
    waiting.next_try = now + kLookPause;
    return false;
}

}  // namespace

bool serves(const Port& opened_as, const Port& port) {
    auto device = port.device;
    if (auto* guest = std::get_if<VhostUserDevice>(&device))
        if (const auto* open = std::get_if<VhostUserDevice>(&opened_as.device)) guest->offloads = open->offloads;
    return opened_as.device == device && opened_as.queues == port.queues;
}

void adopt_offloads(OpenPort& open, const Port& port) {
    const auto* wanted = std::get_if<VhostUserDevice>(&port.device);
    auto* now = std::get_if<VhostUserDevice>(&open.opened_as.device);
    if (wanted == nullptr || now == nullptr || wanted->offloads == now->offloads) return;
    open.io->set_guest_offloads(wanted->offloads);
    now->offloads = wanted->offloads;
}

std::map<std::string, PortIo*> DeviceTable::pointers(const std::set<std::string>& without) const {
    std::map<std::string, PortIo*> result;
    for (const auto& [name, port] : open) {
        if (!without.contains(name)) result.emplace_hint(result.end(), name, port.io.get());
    }
    return result;
}

bool DeviceTable::lacks_nic(const Port& port) const {
    const auto* host = host_of(port);
    return host != nullptr && !open.contains(host->nic);
}

Result<> DeviceTable::open_port(PortFactory& factory, const Port& port, std::uint16_t mtu) {
    if (host_of(port) != nullptr) return open_host_tap(factory, port, mtu);
    if (auto kept = parked.extract(port.name); !kept.empty()) {
        OpenPort& old = kept.mapped();
        if (serves(old.opened_as, port) && (old.mtu == mtu || old.io->set_mtu(mtu))) {
            old.mtu = mtu;
            open.insert(std::move(kept));
            return {};
        }
        // Closed here, so that it can be opened anew.
    }
    return open_device(factory, port, mtu);
}

/// Always anew, the NIC may have another MAC by now; the interface itself outlives its closing.
Result<> DeviceTable::open_host_tap(PortFactory& factory, Port port, std::uint16_t mtu) {
    auto& device = std::get<TapDevice>(port.device);
    const TapDevice::HostOf host = *device.host_of;
    parked.erase(port.name);
    auto opened = [&]() -> Result<> {
        if (lacks_nic(port)) {
            return failure(
                {.code = ErrorCode::not_ready, .message = "port \"" + host.nic + "\" is not open", .retryable = true});
        }
        const MacAddress mac = device_mac(*open.at(host.nic).io);
        if (!mac.is_zero()) device.mac = mac;
        return open_device(factory, port, mtu);
    }();
    if (opened) return opened;
    Error error = std::move(opened.error());
    error.object_kind = "underlay";
    error.object_name = host.underlay;
    if (error.field != "/mtu") error.field = "/host_tap";
    return failure(std::move(error));
}

Result<> DeviceTable::open_device(PortFactory& factory, const Port& port, std::uint16_t mtu) {
    const std::uint64_t token = ++last_token;
    auto io = factory.open(port, mtu, token);
    if (!io) return failure(named(std::move(io.error()), port));
    open[port.name] = {.io = std::move(*io), .mtu = mtu, .token = token, .opened_as = port};
    return {};
}

void DeviceTable::wait_for(const Port& port, Error reason, Time now) {
    auto [entry, is_new] = waiting.try_emplace(port.name);
    WaitingPort& waiting_port = entry->second;
    waiting_port.delay = is_new ? kFirstPause : std::min(2 * waiting_port.delay, kLongestPause);
    waiting_port.absent_path = absent_namespace(port);
    waiting_port.next_try = now + (waiting_port.absent_path.empty() ? waiting_port.delay : kLookPause);
    waiting_port.reason = named(std::move(reason), port);
}

void DeviceTable::close(const std::string& name, bool release) {
    auto port = open.extract(name);
    if (!port.empty() && release) port.mapped().io->release();
}

void DeviceTable::release_parked() {
    for (auto& [name, port] : parked) port.io->release();
    parked.clear();
}

std::vector<std::string> retry_waiting(DeviceTable& table, PortFactory& factory, SwitchTarget& target,
                                       const Model& in_force, Time now, std::size_t budget) {
    std::vector<const Port*> opened;
    // On from where the last call stopped, or ports that fail again and again would keep the others from their turn.
    auto next = table.waiting.upper_bound(table.retried);
    for (std::size_t left = table.waiting.size(); left > 0 && budget > 0; --left, ++next) {
        if (next == table.waiting.end()) next = table.waiting.begin();
        auto port = in_force.ports.find(next->first);
        if (port == in_force.ports.end() || table.lacks_nic(port->second) || !is_due(next->second, now)) continue;
        --budget;
        table.retried = next->first;
        if (auto ok = table.open_port(factory, port->second, device_mtu(port->second, in_force)); ok) {
            opened.push_back(&port->second);
        } else {
            table.wait_for(port->second, std::move(ok.error()), now);
        }
    }
    std::vector<std::string> names;
    if (opened.empty()) return names;
    auto applied = target.apply(in_force, table.pointers());
    for (const Port* port : opened) {
        if (applied) {
            table.waiting.erase(port->name);
            names.push_back(port->name);
        } else {
            table.close(port->name, false);
            table.wait_for(*port, applied.error(), now);
        }
    }
    return names;
}

}  // namespace bulkhead
