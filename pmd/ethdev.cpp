// SPDX-License-Identifier: Apache-2.0
#include "pmd/ethdev.h"

#include <cstdlib>
#include <vector>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <spdlog/spdlog.h>

#include "pmd/eal_log.h"

namespace bulkhead {
namespace {

std::unexpected<Error> refuse(ErrorCode code, const std::string& devargs, std::string message,
                              std::string allowed = {}) {
    return failure({.code = code,
                    .message = std::move(message),
                    .field = "/devargs",
                    .got = devargs,
                    .allowed = std::move(allowed),
                    .retryable = code == ErrorCode::device_failed,
                    .object_kind = {},
                    .object_name = {}});
}

std::vector<std::uint16_t> matching(const std::string& devargs) {
    std::vector<std::uint16_t> ids;
    rte_dev_iterator iterator{};
    std::uint16_t id = 0;
    RTE_ETH_FOREACH_MATCHING_DEV(id, devargs.c_str(), &iterator) {
        ids.push_back(id);
    }
    return ids;
}

/// What was plugged and is of no use must not stay: no Ethernet device (a crypto driver, say), or too many.
void unplug(const std::string& devargs, const std::vector<std::uint16_t>& ids) {
    for (const std::uint16_t id : ids) rte_eth_dev_close(id);
    rte_devargs parsed{};
    if (rte_devargs_parse(&parsed, devargs.c_str()) != 0) return;
    rte_eal_hotplug_remove(rte_bus_name(parsed.bus), parsed.name);
    std::free(parsed.data);  // what rte_devargs_reset does, which is not stable yet
}

Result<> probe(const std::string& devargs) {
    if (rte_eth_dev_count_total() >= RTE_MAX_ETHPORTS) {
        return refuse(ErrorCode::limit, devargs, "DPDK's table of Ethernet devices is full",
                      std::to_string(RTE_MAX_ETHPORTS) + " devices");
    }
    forget_eal_errors();
    const int error = -rte_dev_probe(devargs.c_str());
    if (error <= 0) return {};
    const auto detail = first_eal_error();
    return refuse(ErrorCode::device_failed, devargs,
                  "DPDK cannot plug the device: " + std::string(rte_strerror(error)) +
                      (detail.empty() ? "" : " (" + detail + ")"));
}

Result<> own(std::uint16_t id, const std::string& devargs, const std::string& port_name) {
    static const std::uint64_t our_id = [] {
        std::uint64_t fresh = RTE_ETH_DEV_NO_OWNER;
        rte_eth_dev_owner_new(&fresh);
        return fresh;
    }();
    rte_eth_dev_owner owner{};
    if (rte_eth_dev_owner_get(id, &owner) == 0 && owner.id != RTE_ETH_DEV_NO_OWNER) {
        return refuse(ErrorCode::in_use, devargs, "the device is in use by port " + std::string(owner.name));
    }
    owner.id = our_id;
    owner.name[port_name.copy(owner.name, sizeof(owner.name) - 1)] = '\0';
    if (const int error = -rte_eth_dev_owner_set(id, &owner); error > 0) {
        return refuse(ErrorCode::device_failed, devargs, "cannot take the device: " + std::string(rte_strerror(error)));
    }
    return {};
}

}  // namespace

Result<Ethdev> Ethdev::plug(const std::string& devargs, const std::string& port_name) {
    if (devargs.empty()) return invalid("/devargs", "which device?", "", "a PCI address or a DPDK virtual device");
    auto ids = matching(devargs);
    const bool was_there = !ids.empty();
    if (!was_there) {
        if (auto plugged = probe(devargs); !plugged) return failure(plugged.error());
        ids = matching(devargs);
    }
    if (ids.empty()) {
        unplug(devargs, ids);
        return refuse(ErrorCode::invalid_params, devargs, "the devargs make no Ethernet device");
    }
    if (ids.size() > 1) {
        if (!was_there) unplug(devargs, ids);
        return refuse(ErrorCode::invalid_params, devargs,
                      "the devargs match " + std::to_string(ids.size()) + " Ethernet devices",
                      "devargs that match one");
    }
    if (auto owned = own(ids.front(), devargs, port_name); !owned) return failure(owned.error());
    return Ethdev(ids.front());
}

Ethdev::~Ethdev() {
    if (id_ == kNone) return;
    rte_eth_dev_info info{};
    const bool known = rte_eth_dev_info_get(id_, &info) == 0;
    rte_eth_dev_stop(id_);
    rte_eth_dev_close(id_);
    if (!known) return;
    if (const int error = -rte_dev_remove(info.device); error > 0 && error != ENOENT) {
        spdlog::warn("DPDK cannot unplug Ethernet device {}: {}", id_, rte_strerror(error));
    }
}

}  // namespace bulkhead
