// SPDX-License-Identifier: Apache-2.0
#include "pmd/ethdev_setup.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "vswitch/port_io.h"

namespace bulkhead {
namespace {

constexpr std::uint16_t kDescriptors = 1024;  ///< of each queue, where the device has no other bounds
constexpr std::uint64_t kTransmitOffloads = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
                                            RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO |
                                            RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
constexpr std::uint64_t kHashes = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;

std::unexpected<Error> refuse(std::string field, const std::string& what, int error) {
    return failure({.code = ErrorCode::device_failed,
                    .message = what + ": " + rte_strerror(error),
                    .field = std::move(field),
                    .got = {},
                    .allowed = {},
                    .retryable = true,
                    .object_kind = {},
                    .object_name = {}});
}

/// What the driver counts beside the MTU, reckoned as rte_eth_dev_configure does.
std::uint32_t largest_mtu(const rte_eth_dev_info& info) {
    const bool known = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu;
    if (known) return info.max_mtu;
    const std::uint32_t overhead = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
    return std::min<std::uint32_t>(info.max_mtu, info.max_rx_pktlen - overhead);
}

/// net_pcap 22.11 gathers a chain's octets (up to RTE_ETH_PCAP_SNAPLEN, 65,535) before it hands them to libpcap, and
/// does not say so.
bool takes_chains(const rte_eth_dev_info& info, std::uint64_t tx) {
    return (tx & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0 || std::string_view(info.driver_name) == "net_pcap";
}

std::uint32_t offload_bits(const rte_eth_dev_info& info, std::uint64_t tx) {
    const auto has = [tx](std::uint64_t all) { return (tx & all) == all; };
    std::uint32_t bits = 0;
    if (takes_chains(info, tx)) bits |= kOffloadMultiSegment;
    if (has(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)) bits |= kOffloadIpv4Checksum;
    if (has(RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)) bits |= kOffloadL4Checksum;
    // A segmenting device finishes the checksums of what it makes, and super-segments are chained.
    if (has(RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS)) {
        bits |= kOffloadTso6;
        if (has(RTE_ETH_TX_OFFLOAD_IPV4_CKSUM)) bits |= kOffloadTso4;
    }
    return bits;
}

Result<> check_mtu(std::uint16_t mtu, const rte_eth_dev_info& info) {
    const auto largest = largest_mtu(info);
    if (mtu >= info.min_mtu && mtu <= largest) return {};
    return invalid("/mtu", "the device does not take that MTU", std::to_string(mtu),
                   std::to_string(info.min_mtu) + " to " + std::to_string(largest));
}

Result<> check_bounds(const Port& port, std::uint16_t mtu, const rte_eth_dev_info& info) {
    if (port.queues > info.max_rx_queues) {
        return invalid("/queues", "the device has fewer receive queues", std::to_string(port.queues),
                       "at most " + std::to_string(info.max_rx_queues));
    }
    if (info.max_tx_queues == 0) return invalid("/devargs", "the device cannot transmit");
    return check_mtu(mtu, info);
}

/// Of the largest frame, with two VLAN tags.
std::uint32_t frame_bytes(std::uint16_t mtu) {
    return mtu + std::uint32_t{RTE_ETHER_HDR_LEN} + 2 * RTE_VLAN_HLEN;
}

std::uint32_t room_of(const rte_mempool* buffers) {
    return rte_pktmbuf_data_room_size(const_cast<rte_mempool*>(buffers)) - std::uint32_t{RTE_PKTMBUF_HEADROOM};
}

rte_eth_conf configuration(const Port& port, std::uint16_t mtu, const rte_eth_dev_info& info,
                           std::uint32_t buffer_room) {
    rte_eth_conf conf{};
    conf.rxmode.mtu = mtu;
    if (frame_bytes(mtu) > buffer_room) conf.rxmode.offloads = info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
    const auto hashes = info.flow_type_rss_offloads & kHashes;
    if (port.queues > 1 && hashes != 0) {
        conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        conf.rx_adv_conf.rss_conf.rss_hf = hashes;
    }
    conf.txmode.offloads = info.tx_offload_capa & kTransmitOffloads;
    conf.intr_conf.lsc = (*info.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
    conf.intr_conf.rmv = (*info.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
    return conf;
}

Result<> set_up_queues(std::uint16_t id, const EthdevSetup& setup, rte_eth_dev_info& info, const rte_eth_conf& conf,
                       rte_mempool* buffers) {
    std::uint16_t rx_descriptors = kDescriptors, tx_descriptors = kDescriptors;
    int error = -rte_eth_dev_adjust_nb_rx_tx_desc(id, &rx_descriptors, &tx_descriptors);
    if (error > 0) return refuse("/devargs", "no queue length suits the device", error);
    const auto node = static_cast<unsigned>(rte_eth_dev_socket_id(id));
    info.default_rxconf.offloads = conf.rxmode.offloads;
    for (std::uint16_t queue = 0; queue < setup.receive_queues; ++queue) {
        error = -rte_eth_rx_queue_setup(id, queue, rx_descriptors, node, &info.default_rxconf, buffers);
        if (error > 0) return refuse("/queues", "cannot set up receive queue " + std::to_string(queue), error);
    }
    info.default_txconf.offloads = conf.txmode.offloads;
    for (std::uint16_t queue = 0; queue < setup.transmit_queues; ++queue) {
        error = -rte_eth_tx_queue_setup(id, queue, tx_descriptors, node, &info.default_txconf);
        if (error > 0) return refuse("/queues", "cannot set up transmit queue " + std::to_string(queue), error);
    }
    return {};
}

Result<> set_address(std::uint16_t id, const EthdevDevice& device) {
    if (device.mac) {
        rte_ether_addr current{}, wanted{};
        const auto octets = device.mac->octets();
        std::copy(octets.begin(), octets.end(), wanted.addr_bytes);
        rte_eth_macaddr_get(id, &current);
        if (!rte_is_same_ether_addr(&current, &wanted)) {
            const int error = -rte_eth_dev_default_mac_addr_set(id, &wanted);
            if (error > 0) return refuse("/mac", "the device does not take the MAC address", error);
        }
    }
    // Drivers without address filter do not support the question either.
    const int error = -(device.promiscuous ? rte_eth_promiscuous_enable(id) : rte_eth_promiscuous_disable(id));
    if (error > 0 && error != ENOTSUP) return refuse("/promiscuous", "cannot set promiscuous mode", error);
    return {};
}

}  // namespace

Result<EthdevSetup> start_ethdev(std::uint16_t id, const Port& port, std::uint16_t mtu, rte_mempool* buffers,
                                 std::uint16_t workers) {
    rte_eth_dev_info info{};
    int error = -rte_eth_dev_info_get(id, &info);
    if (error > 0) return refuse("/devargs", "the device does not say what it can do", error);
    if (auto good = check_bounds(port, mtu, info); !good) return failure(good.error());
    const auto conf = configuration(port, mtu, info, room_of(buffers));
    const EthdevSetup setup{.receive_queues = port.queues,
                            .transmit_queues = std::min(workers, info.max_tx_queues),
                            .offloads = offload_bits(info, conf.txmode.offloads),
                            .scatters = (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0};

    // Before the device is configured (rte_ethdev.h). Who does not know the question marks all the same, or refuses
    // rules.
    std::uint64_t remarks = RTE_ETH_RX_METADATA_USER_MARK;
    if (std::get<EthdevDevice>(port.device).flow_offload != FlowOffload::off)
        (void)rte_eth_rx_metadata_negotiate(id, &remarks);
    error = -rte_eth_dev_configure(id, setup.receive_queues, setup.transmit_queues, &conf);
    if (error > 0) return refuse("/devargs", "the device cannot be configured", error);
    if (auto good = set_up_queues(id, setup, info, conf, buffers); !good) return failure(good.error());
    error = -rte_eth_dev_set_mtu(id, mtu);
    if (error > 0 && error != ENOTSUP) return refuse("/mtu", "the device does not take the MTU", error);
    error = -rte_eth_dev_start(id);
    if (error > 0) return refuse("/devargs", "the device does not start", error);
    if (auto good = set_address(id, std::get<EthdevDevice>(port.device)); !good) return failure(good.error());
    return setup;
}

Result<> check_ethdev_mtu(std::uint16_t id, std::uint16_t mtu) {
    rte_eth_dev_info info{};
    const int error = -rte_eth_dev_info_get(id, &info);
    if (error > 0) return refuse("/mtu", "the device does not say which MTU it takes", error);
    return check_mtu(mtu, info);
}

bool change_ethdev_mtu(std::uint16_t id, const EthdevSetup& setup, std::uint16_t mtu, const rte_mempool* buffers) {
    // A device that was set up for frames of one buffer would cut longer ones, or overrun it.
    if (!setup.scatters && frame_bytes(mtu) > room_of(buffers)) return false;
    return rte_eth_dev_set_mtu(id, mtu) == 0;
}

}  // namespace bulkhead
