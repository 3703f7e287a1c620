// SPDX-License-Identifier: Apache-2.0
#include "pmd/ethdev_details.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <rte_ethdev.h>

#include "vswitch/base/mac_address.h"

namespace bulkhead {
namespace {

/// Drivers name their extended counters as they like; these words are in all that matter.
bool tells_of_trouble(std::string_view name) {
    constexpr std::array<std::string_view, 6> kWords{"err", "drop", "miss", "discard", "no_mbuf", "nombuf"};
    return std::any_of(kWords.begin(), kWords.end(),
                       [&](auto word) { return name.find(word) != std::string_view::npos; });
}

void add_troubles(std::uint16_t id, PortState& state) {
    const int count = rte_eth_xstats_get_names(id, nullptr, 0);
    if (count <= 0) return;
    std::vector<rte_eth_xstat_name> names(static_cast<std::size_t>(count));
    std::vector<rte_eth_xstat> values(names.size());
    const auto size = static_cast<unsigned>(count);
    if (rte_eth_xstats_get_names(id, names.data(), size) != count) return;
    if (rte_eth_xstats_get(id, values.data(), size) != count) return;
    for (const auto& counter : values) {
        const std::string name = names[counter.id].name;
        if (counter.value != 0 && tells_of_trouble(name))
            state.details.emplace_back(name, std::to_string(counter.value));
    }
}

}  // namespace

void describe_ethdev(std::uint16_t id, PortState& state) {
    rte_eth_dev_info info{};
    if (rte_eth_dev_info_get(id, &info) == 0 && info.driver_name != nullptr) state.driver = info.driver_name;
    rte_ether_addr address{};
    if (rte_eth_macaddr_get(id, &address) == 0) state.mac = MacAddress::from_octets(address.addr_bytes).to_string();
    std::array<char, RTE_ETH_NAME_MAX_LEN> name{};
    if (rte_eth_dev_get_name_by_port(id, name.data()) == 0) state.details.emplace_back("device_name", name.data());
    rte_eth_link link{};
    const bool known = rte_eth_link_get_nowait(id, &link) == 0 && link.link_speed != RTE_ETH_SPEED_NUM_UNKNOWN;
    if (known && state.link_up) state.details.emplace_back("speed_mbps", std::to_string(link.link_speed));
    std::uint16_t mtu = 0;
    if (rte_eth_dev_get_mtu(id, &mtu) == 0) state.details.emplace_back("mtu", std::to_string(mtu));
    add_troubles(id, state);
}

}  // namespace bulkhead
