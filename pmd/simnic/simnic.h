// SPDX-License-Identifier: Apache-2.0
// net_simnic: a simulated SmartNIC, as a DPDK driver (vdev) that any program can load. It stands in front of another
// Ethernet device, its wire, and does what a NIC with flow rules does to what comes in there: rte_flow's rules match,
// mark, steer, count and drop. What a rule may say is what a family of real NICs accepts (simnic_profile.c).
//
//   --vdev 'net_simnic0,wire=(net_pcap0,rx_pcap=in.pcap),profile=mlx5'
//     wire=(DEVARGS)    the device behind; plugged and unplugged with the NIC, and nobody else's
//     profile=NAME      mlx5 (default), ice, bnxt, sfc
//     table=N           how many rules there is room for (16384)
//     latency_us=N      how long each creation and destruction takes (0)
//     faults=(NAME=N,…) see simnic_faults.h
//
// Threads: rte_flow's functions by any thread, one after the other (a lock); receive and transmit bursts of different
// queues by different threads at once. Bursts read the rules under a reader's lock, held for the burst.
#pragma once

#include <ethdev_driver.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_flow_driver.h>
#include <rte_ring.h>
#include <rte_rwlock.h>
#include <rte_spinlock.h>

#include "simnic_faults.h"
#include "simnic_match.h"
#include "simnic_profile.h"

#define SIMNIC_MAX_QUEUES 16
#define SIMNIC_BURST 64
#define SIMNIC_RING 1024

struct simnic_queue {
    struct simnic* nic;
    uint16_t id;
    struct rte_ring* arrived;  // frames for this queue that another queue's thread took from the wire
    _Atomic uint64_t packets, bytes, missed;
};

/// One rule, rte_flow's handle. It is in `table` while it is installed.
struct rte_flow {
    bool is_used;
    uint32_t next_free;
    struct simnic_match match;
    struct simnic_actions actions;
    _Atomic uint64_t packets, bytes;
};

struct simnic {
    struct rte_eth_dev_data* data;
    char name[RTE_ETH_NAME_MAX_LEN];
    char wire_name[RTE_ETH_NAME_MAX_LEN];
    uint16_t wire;  // port id
    bool has_wire, is_started;
    const struct simnic_profile* profile;
    struct simnic_faults faults;
    uint32_t latency_us;
    bool marks_negotiated;
    struct rte_ether_addr mac;
    struct rte_mempool* buffers[SIMNIC_MAX_QUEUES];  // of the receive queues

    struct simnic_queue queues[SIMNIC_MAX_QUEUES], transmit_queues[SIMNIC_MAX_QUEUES];
    rte_spinlock_t wire_receives, wire_transmits;

    rte_spinlock_t flow_ops;  // one at a time
    rte_rwlock_t rules_lock;  // bursts read, flow operations write
    struct simnic_table* table;
    struct rte_flow* rules;
    uint32_t capacity, used, first_free;
};

// simnic_wire.c: the device behind. All return 0 or a negative errno.
int simnic_wire_plug(struct simnic* nic, const char* devargs);
void simnic_wire_unplug(struct simnic* nic);
int simnic_wire_start(struct simnic* nic, struct rte_mempool* buffers, const struct rte_eth_conf* conf);
void simnic_wire_stop(struct simnic* nic);

// simnic_flow.c
extern const struct rte_flow_ops simnic_flow_ops;
int simnic_flows_init(struct simnic* nic, uint32_t capacity);
void simnic_flows_free(struct simnic* nic);
/// All handles end, without a word to who has them: what rte_flow says of a port that is stopped.
void simnic_flows_lose(struct simnic* nic);

// simnic_steer.c
/// Judges frames from the wire by the rules: returns how many are left, each with the queue that it goes to.
uint16_t simnic_steer(struct simnic* nic, struct rte_mbuf** frames, uint16_t count, uint16_t* queues);
