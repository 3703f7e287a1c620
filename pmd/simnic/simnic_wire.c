// SPDX-License-Identifier: Apache-2.0
// The device behind the NIC, which is this driver's alone: others see that it has an owner and let it be.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>
#include <rte_ethdev.h>

#include "simnic.h"

int simnic_wire_plug(struct simnic* nic, const char* devargs) {
    snprintf(nic->wire_name, sizeof nic->wire_name, "%.*s", (int)strcspn(devargs, ","), devargs);
    const char* const arguments = strchr(devargs, ',');
    int result = rte_eal_hotplug_add("vdev", nic->wire_name, arguments == NULL ? "" : arguments + 1);
    if (result < 0) return result;
    result = rte_eth_dev_get_port_by_name(nic->wire_name, &nic->wire);
    if (result < 0) {
        rte_eal_hotplug_remove("vdev", nic->wire_name);
        return result;
    }
    struct rte_eth_dev_owner owner = {.id = RTE_ETH_DEV_NO_OWNER};
    snprintf(owner.name, sizeof owner.name, "%s", nic->name);
    result = rte_eth_dev_owner_new(&owner.id);
    if (result == 0) result = rte_eth_dev_owner_set(nic->wire, &owner);
    nic->has_wire = true;
    if (result < 0) simnic_wire_unplug(nic);
    return result;
}

void simnic_wire_unplug(struct simnic* nic) {
    if (!nic->has_wire) return;
    nic->has_wire = false;
    rte_eth_dev_close(nic->wire);
    rte_eal_hotplug_remove("vdev", nic->wire_name);
}

int simnic_wire_start(struct simnic* nic, struct rte_mempool* buffers, const struct rte_eth_conf* wanted) {
    struct rte_eth_dev_info info;
    int result = rte_eth_dev_info_get(nic->wire, &info);
    if (result < 0) return result;
    struct rte_eth_conf conf = {0};
    if (wanted->rxmode.mtu <= info.max_mtu) conf.rxmode.mtu = wanted->rxmode.mtu;
    conf.rxmode.offloads = wanted->rxmode.offloads & info.rx_offload_capa;
    conf.txmode.offloads = wanted->txmode.offloads & info.tx_offload_capa;
    result = rte_eth_dev_configure(nic->wire, 1, 1, &conf);
    uint16_t received = SIMNIC_RING, sent = SIMNIC_RING;
    if (result == 0) result = rte_eth_dev_adjust_nb_rx_tx_desc(nic->wire, &received, &sent);
    const unsigned int node = (unsigned int)rte_eth_dev_socket_id(nic->wire);
    if (result == 0) result = rte_eth_rx_queue_setup(nic->wire, 0, received, node, NULL, buffers);
    if (result == 0) result = rte_eth_tx_queue_setup(nic->wire, 0, sent, node, NULL);
    if (result == 0) result = rte_eth_dev_start(nic->wire);
    return result;
}

void simnic_wire_stop(struct simnic* nic) {
    rte_eth_dev_stop(nic->wire);
}
