// SPDX-License-Identifier: Apache-2.0
// The device as ethdev sees it: plugging, queues, bursts, statistics.
#include <errno.h>
#include <ethdev_vdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_kvargs.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_version.h>

#include "simnic.h"

#define DEFAULT_CAPACITY 16384

RTE_LOG_REGISTER(simnic_log, pmd.net.simnic, NOTICE);
#define COMPLAIN(...) rte_log(RTE_LOG_ERR, (uint32_t)simnic_log, "net_simnic: " __VA_ARGS__)

static struct simnic* nic_of(const struct rte_eth_dev* device) {
    return device->data->dev_private;
}

// ---- bursts ----

static void count(struct simnic_queue* queue, struct rte_mbuf** frames, uint16_t frame_count) {
    uint64_t bytes = 0;
    for (uint16_t at = 0; at < frame_count; ++at) bytes += frames[at]->pkt_len;
    atomic_fetch_add_explicit(&queue->packets, frame_count, memory_order_relaxed);
    atomic_fetch_add_explicit(&queue->bytes, bytes, memory_order_relaxed);
}

static void put_port(const struct simnic* nic, struct rte_mbuf** frames, uint16_t frame_count) {
    for (uint16_t at = 0; at < frame_count; ++at) frames[at]->port = nic->data->port_id;
}

/// With one queue, what comes in goes straight to whoever asks.
static uint16_t receive(void* of, struct rte_mbuf** frames, uint16_t most) {
    struct simnic_queue* queue = of;
    uint16_t queues[SIMNIC_BURST];
    const uint16_t wanted = most < SIMNIC_BURST ? most : SIMNIC_BURST;
    uint16_t received = rte_eth_rx_burst(queue->nic->wire, 0, frames, wanted);
    if (received == 0) return 0;
    received = simnic_steer(queue->nic, frames, received, queues);
    put_port(queue->nic, frames, received);
    count(queue, frames, received);
    return received;
}

/// Takes some from the wire and puts each where it belongs.
static void distribute(struct simnic* nic) {
    if (!rte_spinlock_trylock(&nic->wire_receives)) return;
    struct rte_mbuf* frames[SIMNIC_BURST];
    uint16_t queues[SIMNIC_BURST];
    uint16_t received = rte_eth_rx_burst(nic->wire, 0, frames, SIMNIC_BURST);
    received = simnic_steer(nic, frames, received, queues);
    put_port(nic, frames, received);
    for (uint16_t at = 0; at < received; ++at) {
        struct simnic_queue* queue = &nic->queues[queues[at]];
        if (rte_ring_sp_enqueue(queue->arrived, frames[at]) == 0) continue;
        atomic_fetch_add_explicit(&queue->missed, 1, memory_order_relaxed);
        rte_pktmbuf_free(frames[at]);
    }
    rte_spinlock_unlock(&nic->wire_receives);
}

static uint16_t receive_distributed(void* of, struct rte_mbuf** frames, uint16_t most) {
    struct simnic_queue* queue = of;
    distribute(queue->nic);
    const uint16_t received = (uint16_t)rte_ring_sc_dequeue_burst(queue->arrived, (void**)frames, most, NULL);
    count(queue, frames, received);
    return received;
}

static uint16_t transmit(void* of, struct rte_mbuf** frames, uint16_t most) {
    struct simnic_queue* queue = of;
    uint64_t bytes = 0;
    uint32_t lengths[SIMNIC_BURST];
    const uint16_t wanted = most < SIMNIC_BURST ? most : SIMNIC_BURST;
    for (uint16_t at = 0; at < wanted; ++at) lengths[at] = frames[at]->pkt_len;
    rte_spinlock_lock(&queue->nic->wire_transmits);
    const uint16_t sent = rte_eth_tx_burst(queue->nic->wire, 0, frames, wanted);
    rte_spinlock_unlock(&queue->nic->wire_transmits);
    for (uint16_t at = 0; at < sent; ++at) bytes += lengths[at];
    atomic_fetch_add_explicit(&queue->packets, sent, memory_order_relaxed);
    atomic_fetch_add_explicit(&queue->bytes, bytes, memory_order_relaxed);
    return sent;
}

// ---- life ----

static int configure(struct rte_eth_dev* device __rte_unused) {
    return 0;
}

static int set_up_receive_queue(struct rte_eth_dev* device, uint16_t id, uint16_t descriptors __rte_unused,
                                unsigned int node, const struct rte_eth_rxconf* conf __rte_unused,
                                struct rte_mempool* buffers) {
    struct simnic* nic = nic_of(device);
    struct simnic_queue* queue = &nic->queues[id];
    queue->nic = nic;
    queue->id = id;
    if (queue->arrived == NULL) {
        char name[RTE_RING_NAMESIZE];
        snprintf(name, sizeof name, "simnic%u.%u", device->data->port_id, id);
        queue->arrived = rte_ring_create(name, SIMNIC_RING, (int)node, RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (queue->arrived == NULL) return -ENOMEM;
    }
    nic->buffers[id] = buffers;
    device->data->rx_queues[id] = queue;
    return 0;
}

static int set_up_transmit_queue(struct rte_eth_dev* device, uint16_t id, uint16_t descriptors __rte_unused,
                                 unsigned int node __rte_unused, const struct rte_eth_txconf* conf __rte_unused) {
    struct simnic_queue* queue = &nic_of(device)->transmit_queues[id];
    queue->nic = nic_of(device);
    queue->id = id;
    device->data->tx_queues[id] = queue;
    return 0;
}

static int start(struct rte_eth_dev* device) {
    struct simnic* nic = nic_of(device);
    const int result = simnic_wire_start(nic, nic->buffers[0], &device->data->dev_conf);
    if (result < 0) {
        COMPLAIN("%s: the wire can't be started: %s\n", nic->name, rte_strerror(-result));
        return result;
    }
    device->rx_pkt_burst = device->data->nb_rx_queues == 1 ? receive : receive_distributed;
    device->tx_pkt_burst = transmit;
    for (uint16_t id = 0; id < device->data->nb_rx_queues; ++id)
        device->data->rx_queue_state[id] = RTE_ETH_QUEUE_STATE_STARTED;
    for (uint16_t id = 0; id < device->data->nb_tx_queues; ++id)
        device->data->tx_queue_state[id] = RTE_ETH_QUEUE_STATE_STARTED;
    nic->is_started = true;
    return 0;
}

static void drain(struct simnic_queue* queue) {
    void* frame;
    while (queue->arrived != NULL && rte_ring_sc_dequeue(queue->arrived, &frame) == 0) rte_pktmbuf_free(frame);
}

static int stop(struct rte_eth_dev* device) {
    struct simnic* nic = nic_of(device);
    if (!nic->is_started) return 0;
    nic->is_started = false;
    // Without RTE_ETH_DEV_CAPA_FLOW_RULE_KEEP no rule outlives this.
    simnic_flows_lose(nic);
    simnic_wire_stop(nic);
    for (uint16_t id = 0; id < SIMNIC_MAX_QUEUES; ++id) drain(&nic->queues[id]);
    device->data->dev_link.link_status = RTE_ETH_LINK_DOWN;
    return 0;
}

static int close_device(struct rte_eth_dev* device) {
    struct simnic* nic = nic_of(device);
    if (rte_eal_process_type() != RTE_PROC_PRIMARY) return 0;
    stop(device);
    simnic_wire_unplug(nic);
    simnic_flows_free(nic);
    for (uint16_t id = 0; id < SIMNIC_MAX_QUEUES; ++id) rte_ring_free(nic->queues[id].arrived);
    device->data->mac_addrs = NULL;  // lies within
    return 0;
}

// ---- what there is to know ----

static int info(struct rte_eth_dev* device, struct rte_eth_dev_info* about) {
    struct rte_eth_dev_info wire;
    const int result = rte_eth_dev_info_get(nic_of(device)->wire, &wire);
    if (result < 0) return result;
    about->max_mac_addrs = 1;
    about->max_rx_pktlen = wire.max_rx_pktlen;
    about->min_mtu = wire.min_mtu;
    about->max_mtu = wire.max_mtu;
    about->min_rx_bufsize = wire.min_rx_bufsize;
    about->max_rx_queues = SIMNIC_MAX_QUEUES;
    about->max_tx_queues = SIMNIC_MAX_QUEUES;
    about->rx_offload_capa = wire.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
    about->tx_offload_capa = wire.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    // net_pcap gathers the pieces of a frame, and does not say so.
    if (strcmp(wire.driver_name, "net_pcap") == 0) about->tx_offload_capa |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
    about->flow_type_rss_offloads = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP;
    about->hash_key_size = 40;
    about->reta_size = 128;
    return 0;
}

static int link_update(struct rte_eth_dev* device, int wait __rte_unused) {
    struct rte_eth_link link = {0};
    struct simnic* nic = nic_of(device);
    if (nic->is_started) rte_eth_link_get_nowait(nic->wire, &link);
    return rte_eth_linkstatus_set(device, &link);
}

static int statistics(struct rte_eth_dev* device, struct rte_eth_stats* stats) {
    const struct simnic* nic = nic_of(device);
    for (uint16_t id = 0; id < SIMNIC_MAX_QUEUES; ++id) {
        stats->ipackets += nic->queues[id].packets;
        stats->ibytes += nic->queues[id].bytes;
        stats->imissed += nic->queues[id].missed;
        stats->opackets += nic->transmit_queues[id].packets;
        stats->obytes += nic->transmit_queues[id].bytes;
    }
    return 0;
}

static int forget_statistics(struct rte_eth_dev* device) {
    struct simnic* nic = nic_of(device);
    for (uint16_t id = 0; id < SIMNIC_MAX_QUEUES; ++id) {
        nic->queues[id].packets = nic->queues[id].bytes = nic->queues[id].missed = 0;
        nic->transmit_queues[id].packets = nic->transmit_queues[id].bytes = 0;
    }
    return 0;
}

// ---- settings, which are the wire's, too ----

static int be_promiscuous(struct rte_eth_dev* device) {
    const int result = rte_eth_promiscuous_enable(nic_of(device)->wire);
    return result == -ENOTSUP ? 0 : result;
}
static int be_modest(struct rte_eth_dev* device) {
    const int result = rte_eth_promiscuous_disable(nic_of(device)->wire);
    return result == -ENOTSUP ? 0 : result;
}
static int take_multicast(struct rte_eth_dev* device __rte_unused) {
    return 0;
}
static int set_mtu(struct rte_eth_dev* device, uint16_t mtu) {
    struct simnic* nic = nic_of(device);
    if (!nic->is_started) return 0;  // start() hands it on
    const int result = rte_eth_dev_set_mtu(nic->wire, mtu);
    return result == -ENOTSUP ? 0 : result;
}
static int set_mac(struct rte_eth_dev* device, struct rte_ether_addr* mac) {
    nic_of(device)->mac = *mac;
    return 0;
}

static int get_flow_ops(struct rte_eth_dev* device __rte_unused, const struct rte_flow_ops** ops) {
    *ops = &simnic_flow_ops;
    return 0;
}

static int negotiate_metadata(struct rte_eth_dev* device, uint64_t* features) {
    *features &= RTE_ETH_RX_METADATA_USER_FLAG | RTE_ETH_RX_METADATA_USER_MARK;
    nic_of(device)->marks_negotiated = (*features & RTE_ETH_RX_METADATA_USER_MARK) != 0;
    return 0;
}

static const struct eth_dev_ops ops = {.dev_configure = configure,
                                       .dev_start = start,
                                       .dev_stop = stop,
                                       .dev_close = close_device,
                                       .dev_infos_get = info,
                                       .link_update = link_update,
                                       .stats_get = statistics,
                                       .stats_reset = forget_statistics,
                                       .promiscuous_enable = be_promiscuous,
                                       .promiscuous_disable = be_modest,
                                       .allmulticast_enable = take_multicast,
                                       .allmulticast_disable = take_multicast,
                                       .mtu_set = set_mtu,
                                       .mac_addr_set = set_mac,
                                       .rx_queue_setup = set_up_receive_queue,
                                       .tx_queue_setup = set_up_transmit_queue,
                                       .flow_ops_get = get_flow_ops,
                                       .rx_metadata_negotiate = negotiate_metadata};

// ---- plugging ----

/// Cuts `NAME=(…)` out of `arguments` and returns what is between the parentheses; NULL if it is not there.
static char* cut_out(char* arguments, const char* name) {
    char opening[32];
    snprintf(opening, sizeof opening, "%s=(", name);
    char* const from = strstr(arguments, opening);
    if (from == NULL) return NULL;
    char* const begin = from + strlen(opening);
    char* end = begin;
    for (int depth = 1; *end != '\0'; ++end) {
        if (*end == '(') ++depth;
        if (*end == ')' && --depth == 0) break;
    }
    if (*end == '\0') return NULL;
    char* const inside = strndup(begin, (size_t)(end - begin));
    const char* rest = end + 1;
    if (*rest == ',') ++rest;
    memmove(from, rest, strlen(rest) + 1);
    const size_t left = strlen(arguments);
    if (left > 0 && arguments[left - 1] == ',') arguments[left - 1] = '\0';
    return inside;
}

static int take_number(const char* key, const char* value, void* into) {
    char* end;
    errno = 0;
    const unsigned long number = strtoul(value, &end, 10);
    if (errno != 0 || *value == '\0' || *end != '\0' || number > UINT32_MAX) {
        COMPLAIN("%s=%s: a number is wanted\n", key, value);
        return -EINVAL;
    }
    *(uint32_t*)into = (uint32_t)number;
    return 0;
}

static int take_profile(const char* key, const char* value, void* into) {
    const struct simnic_profile* profile = simnic_profile_find(value);
    if (profile == NULL) {
        COMPLAIN("%s=%s: there are mlx5, ice, bnxt, sfc\n", key, value);
        return -EINVAL;
    }
    *(const struct simnic_profile**)into = profile;
    return 0;
}

static int take_fault(const char* key, const char* value, void* nic) {
    uint32_t number;
    const int result = take_number(key, value, &number);
    if (result < 0) return result;
    if (simnic_fault_set(nic, key, number) == 0) return 0;
    COMPLAIN("faults: there is no %s\n", key);
    return -EINVAL;
}

static int take_faults(struct simnic* nic, const char* faults) {
    if (faults == NULL) return 0;
    struct rte_kvargs* pairs = rte_kvargs_parse(faults, NULL);
    if (pairs == NULL) return -EINVAL;
    const int result = rte_kvargs_process(pairs, NULL, take_fault, nic);
    rte_kvargs_free(pairs);
    return result;
}

static int take_arguments(struct simnic* nic, const char* arguments, uint32_t* capacity) {
    static const char* const keys[] = {"profile", "table", "latency_us", NULL};
    struct rte_kvargs* pairs = rte_kvargs_parse(arguments, keys);
    if (pairs == NULL) {
        COMPLAIN("%s: there are wire, profile, table, latency_us, faults\n", arguments);
        return -EINVAL;
    }
    int result = rte_kvargs_process(pairs, "profile", take_profile, &nic->profile);
    if (result == 0) result = rte_kvargs_process(pairs, "table", take_number, capacity);
    if (result == 0) result = rte_kvargs_process(pairs, "latency_us", take_number, &nic->latency_us);
    rte_kvargs_free(pairs);
    return result;
}

static int set_up(struct simnic* nic, const char* given) {
    uint32_t capacity = DEFAULT_CAPACITY;
    char* arguments = strdup(given == NULL ? "" : given);
    char *wire = cut_out(arguments, "wire"), *faults = cut_out(arguments, "faults");
    nic->profile = simnic_profile_find("mlx5");
    int result = wire == NULL ? -EINVAL : take_arguments(nic, arguments, &capacity);
    if (wire == NULL) COMPLAIN("%s: wire=(DEVARGS) is missing\n", nic->name);
    if (result == 0) result = simnic_flows_init(nic, capacity);
    if (result == 0) result = take_faults(nic, faults);
    if (result == 0) {
        result = simnic_wire_plug(nic, wire);
        if (result < 0) COMPLAIN("%s: wire %s: %s\n", nic->name, wire, rte_strerror(-result));
    }
    if (result != 0) simnic_flows_free(nic);
    if (result == 0) rte_eth_macaddr_get(nic->wire, &nic->mac);
    free(faults);
    free(wire);
    free(arguments);
    return result;
}

static int probe(struct rte_vdev_device* vdev) {
    // Drivers are built against structures that change from version to version.
    if (strcmp(rte_version(), SIMNIC_BUILT_FOR) != 0) {
        COMPLAIN("built for %s, and this is %s\n", SIMNIC_BUILT_FOR, rte_version());
        return -ENOTSUP;
    }
    if (rte_eal_process_type() != RTE_PROC_PRIMARY) return -ENOTSUP;
    struct rte_eth_dev* device = rte_eth_vdev_allocate(vdev, sizeof(struct simnic));
    if (device == NULL) return -ENOMEM;
    struct simnic* nic = device->data->dev_private;
    nic->data = device->data;
    snprintf(nic->name, sizeof nic->name, "%s", rte_vdev_device_name(vdev));
    rte_spinlock_init(&nic->wire_receives);
    rte_spinlock_init(&nic->wire_transmits);
    const int result = set_up(nic, rte_vdev_device_args(vdev));
    if (result != 0) {
        rte_eth_dev_release_port(device);
        return result;
    }
    device->data->mac_addrs = &nic->mac;
    device->data->dev_flags |= RTE_ETH_DEV_FLOW_OPS_THREAD_SAFE;
    device->data->dev_link =
        (struct rte_eth_link){.link_speed = RTE_ETH_SPEED_NUM_100G, .link_duplex = RTE_ETH_LINK_FULL_DUPLEX};
    device->dev_ops = &ops;
    device->rx_pkt_burst = receive;
    device->tx_pkt_burst = transmit;
    rte_eth_dev_probing_finish(device);
    return 0;
}

static int unplug(struct rte_vdev_device* vdev) {
    struct rte_eth_dev* device = rte_eth_dev_allocated(rte_vdev_device_name(vdev));
    if (device == NULL) return 0;
    close_device(device);
    return rte_eth_dev_release_port(device);
}

static struct rte_vdev_driver driver = {.probe = probe, .remove = unplug};
RTE_PMD_REGISTER_VDEV(net_simnic, driver);
RTE_PMD_REGISTER_PARAM_STRING(net_simnic,
                              "wire=(<devargs>) profile=<mlx5|ice|bnxt|sfc> table=<n> latency_us=<n> "
                              "faults=(<name>=<n>,...)");
