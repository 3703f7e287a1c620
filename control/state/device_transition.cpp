// SPDX-License-Identifier: Apache-2.0
#include "control/state/device_transition.h"

#include <algorithm>
#include <functional>

#include "vswitch/model/admission.h"
#include "vswitch/model/host_tap.h"

namespace bulkhead {
namespace {

/// A host TAP takes its MAC from its NIC, which must be open by then.
void put_host_taps_last(std::vector<const Port*>& ports) {
    std::ranges::stable_partition(ports, [](const Port* port) { return host_of(*port) == nullptr; });
}

}  // namespace

void DeviceTransition::plan() {
    for (const auto& [name, port] : to_.ports) plan_port(port);
    plan_removals();
    plan_host_taps();
}

void DeviceTransition::plan_port(const Port& port) {
    const std::uint16_t mtu = device_mtu(port, to_);
    auto open = table_.open.find(port.name);
    if (open == table_.open.end()) {
        // One that waits already and has not changed keeps waiting for its turn.
        auto before = from_.ports.find(port.name);
        const bool is_same = before != from_.ports.end() && before->second == port && device_mtu(port, from_) == mtu;
        if (!is_same || !table_.waiting.contains(port.name)) to_open_.push_back(&port);
        return;
    }
    if (!serves(from_.ports.at(port.name), port)) {
        close_first_.insert(port.name);
        to_open_late_.push_back(&port);
    } else if (open->second.mtu != mtu) {
        to_resize_.push_back(&port);
    }
}

void DeviceTransition::plan_removals() {
    std::map<std::string, std::string> port_of_device;
    for (const auto& [name, port] : table_.open) {
        if (to_.ports.contains(name)) continue;
        removed_.insert(name);
        port_of_device.emplace(device_identity(port.opened_as), name);
    }
    // A device that goes over to another port must be closed by the one before the other can open it.
    std::erase_if(to_open_, [&](const Port* port) {
        auto former = port_of_device.find(device_identity(*port));
        if (former == port_of_device.end()) return false;
        removed_.erase(former->second);
        close_first_.insert(former->second);
        to_open_late_.push_back(port);
        return true;
    });
}

/// One whose NIC is opened late, is so too.
void DeviceTransition::plan_host_taps() {
    const auto comes_late = [&](const Port* port) {
        const auto* host = host_of(*port);
        return host != nullptr && std::ranges::find(to_open_late_, host->nic, &Port::name) != to_open_late_.end();
    };
    const auto late = std::ranges::stable_partition(to_open_, std::not_fn(comes_late));
    const std::vector<const Port*> later(late.begin(), late.end());
    to_open_.erase(late.begin(), late.end());
    to_open_late_.insert(to_open_late_.end(), later.begin(), later.end());
    put_host_taps_last(to_open_);
}

/// A port whose device can't have the new MTU would be closed before that shows.
Result<> DeviceTransition::check_resizes(const MayWait& may_wait) const {
    for (const Port* port : to_resize_) {
        if (may_wait(port->name)) continue;
        auto ok = table_.open.at(port->name).io->check_mtu(device_mtu(*port, to_));
        if (!ok) return failure(locate_mtu(std::move(ok.error()), *port));
    }
    return {};
}

/// The port has no MTU of its own where a segment gives it, and there stands what is to be changed.
Error DeviceTransition::locate_mtu(Error error, const Port& port) const {
    error.object_kind = "port";
    error.object_name = port.name;
    if (port.mtu) return error;
    const std::uint16_t mtu = device_mtu(port, to_);
    for (const auto& [name, underlay] : to_.underlays) {
        if (underlay.port != port.name || underlay.mtu != mtu) continue;
        error.message.insert(0, "port \"" + port.name + "\": ");
        error.object_kind = "underlay";
        error.object_name = name;
        return error;
    }
    for (const Attachment& attachment : port.attachments) {
        const auto segment = to_.segments.find(attachment.segment);
        const auto before = from_.segments.find(attachment.segment);
        if (segment == to_.segments.end() || segment->second.mtu != mtu) continue;
        if (before != from_.segments.end() && before->second.mtu == mtu) continue;  // it is the attachment that is new
        error.message.insert(0, "port \"" + port.name + "\": ");
        error.object_kind = "segment";
        error.object_name = attachment.segment;
        break;
    }
    return error;
}

void DeviceTransition::resize() {
    for (const Port* port : to_resize_) {
        OpenPort& open = table_.open.at(port->name);
        const std::uint16_t mtu = device_mtu(*port, to_);
        former_mtu_[port->name] = open.mtu;
        if (open.io->set_mtu(mtu)) {
            open.mtu = mtu;
        } else {
            close_first_.insert(port->name);
            to_open_late_.push_back(port);
        }
    }
}

Result<> DeviceTransition::close_first() {
    if (close_first_.empty()) return {};
    // Those opened so far stay unknown to the workers, too: a roll-back destroys them.
    std::set<std::string> hidden = close_first_;
    hidden.insert(opened_.begin(), opened_.end());
    if (auto ok = target_.apply(from_, table_.pointers(hidden)); !ok) {
        close_first_.clear();  // nothing is closed, so there is nothing to open again
        return ok;
    }
    for (const std::string& name : close_first_) {
        const OpenPort& open = table_.open.at(name);
        former_mtu_[name] = open.mtu;
        closed_devices_.insert(device_identity(open.opened_as));
        table_.close(name, false);
    }
    return {};
}

Result<> DeviceTransition::open_all(const std::vector<const Port*>& ports, const MayWait& may_wait, Time now) {
    for (const Port* port : ports) {
        const bool was_parked = table_.parked.contains(port->name);
        auto ok = table_.open_port(factory_, *port, device_mtu(*port, to_));
        if (ok) {
            opened_.push_back(port->name);
            if (was_parked) unparked_.insert(port->name);
        } else if (former_waiting_.contains(port->name) || may_wait(port->name) || table_.lacks_nic(*port)) {
            table_.wait_for(*port, std::move(ok.error()), now);
        } else {
            return ok;
        }
    }
    return {};
}

Result<> DeviceTransition::prepare(const MayWait& may_wait, Time now) {
    former_waiting_ = table_.waiting;
    plan();
    // Most of what can fail comes first, while nobody's traffic has been touched.
    auto ok = check_resizes(may_wait);
    if (ok) ok = open_all(to_open_, may_wait, now);
    if (ok) {
        resize();
        ok = close_first();
        put_host_taps_last(to_open_late_);
        if (ok) ok = open_all(to_open_late_, may_wait, now);
    } else {
        close_first_.clear();
    }
    if (!ok) roll_back(now);
    return ok;
}

void DeviceTransition::finish(OnRemoval on_removal) {
    for (const std::string& name : removed_) {
        if (on_removal == OnRemoval::release) {
            table_.close(name, true);
        } else {
            table_.parked.insert(table_.open.extract(name));
        }
    }
    for (const std::string& name : opened_) table_.waiting.erase(name);
    for (const auto& [name, port] : to_.ports)
        if (auto open = table_.open.find(name); open != table_.open.end()) adopt_offloads(open->second, port);
    std::erase_if(table_.waiting, [&](const auto& waiting) { return !to_.ports.contains(waiting.first); });
}

void DeviceTransition::roll_back(Time now) {
    for (const std::string& name : opened_) {
        if (unparked_.contains(name)) {
            table_.parked.insert(table_.open.extract(name));
        } else {
            // What was made for nothing goes, unless it is the very device that is opened again below.
            table_.close(name, !closed_devices_.contains(device_identity(table_.open.at(name).opened_as)));
        }
    }
    table_.waiting = former_waiting_;
    std::vector<const Port*> again;
    for (const std::string& name : close_first_) again.push_back(&from_.ports.at(name));
    put_host_taps_last(again);
    for (const Port* port : again) {
        if (auto ok = table_.open_port(factory_, *port, former_mtu_.at(port->name)); !ok) {
            table_.wait_for(*port, std::move(ok.error()), now);
        }
    }
    for (const auto& [name, mtu] : former_mtu_) {
        if (auto open = table_.open.find(name); open != table_.open.end() && open->second.mtu != mtu) {
            // One that does not take it back keeps what it has, and the next transition tries again.
            if (open->second.io->set_mtu(mtu)) open->second.mtu = mtu;
        }
    }
    // The old model was in force all along; only ports that were closed in between must come back to the workers.
    if (!close_first_.empty()) (void)target_.apply(from_, table_.pointers());
}

}  // namespace bulkhead
