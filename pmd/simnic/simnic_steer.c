// SPDX-License-Identifier: Apache-2.0
// What becomes of a frame from the wire.
#include <rte_hash_crc.h>

#include "simnic.h"

static uint32_t hash_of(const struct simnic_layers* layers) {
    uint32_t hash = rte_hash_crc(layers->ip_src, sizeof layers->ip_src, layers->ip_proto);
    hash = rte_hash_crc(layers->ip_dst, sizeof layers->ip_dst, hash);
    return rte_hash_crc_4byte((uint32_t)layers->src_port << 16 | layers->dst_port, hash);
}

static uint16_t queue_of(const struct simnic* nic, const struct simnic_fields* fields,
                         const struct simnic_actions* actions) {
    const bool is_inner = actions != NULL && actions->rss_level == 2 && fields->tunnel != SIMNIC_NO_TUNNEL;
    const uint16_t count = actions != NULL && actions->steers ? actions->queue_count : nic->data->nb_rx_queues;
    const uint16_t at = count == 1 ? 0 : (uint16_t)(hash_of(is_inner ? &fields->inner : &fields->outer) % count);
    return actions != NULL && actions->steers ? actions->queues[at] : at;
}

static void mark(struct simnic* nic, struct rte_mbuf* frame, const struct simnic_actions* actions) {
    frame->ol_flags |= RTE_MBUF_F_RX_FDIR;
    if (!actions->marks) return;
    frame->ol_flags |= RTE_MBUF_F_RX_FDIR_ID;
    frame->hash.fdir.hi = actions->mark;
    if (atomic_load_explicit(&nic->faults.wrong_marks, memory_order_relaxed) != 0 &&
        simnic_fault_take(&nic->faults.wrong_marks))
        frame->hash.fdir.hi ^= 1U << 17;
}

uint16_t simnic_steer(struct simnic* nic, struct rte_mbuf** frames, uint16_t count, uint16_t* queues) {
    uint16_t kept = 0;
    const bool has_rules = nic->used != 0;
    if (!has_rules && nic->data->nb_rx_queues == 1) {
        for (uint16_t at = 0; at < count; ++at) queues[at] = 0;
        return count;
    }
    rte_rwlock_read_lock(&nic->rules_lock);
    for (uint16_t at = 0; at < count; ++at) {
        struct rte_mbuf* frame = frames[at];
        struct simnic_fields fields;
        simnic_dissect(frame, &fields);
        struct rte_flow* rule = has_rules ? simnic_table_find(nic->table, &fields) : NULL;
        const struct simnic_actions* actions = rule == NULL ? NULL : &rule->actions;
        if (rule != NULL && actions->counts) {
            atomic_fetch_add_explicit(&rule->packets, 1, memory_order_relaxed);
            atomic_fetch_add_explicit(&rule->bytes, frame->pkt_len, memory_order_relaxed);
        }
        if (rule != NULL && actions->drops) {
            rte_pktmbuf_free(frame);
            continue;
        }
        if (rule != NULL && (actions->marks || actions->flags)) mark(nic, frame, actions);
        queues[kept] = queue_of(nic, &fields, actions);
        frames[kept++] = frame;
    }
    rte_rwlock_read_unlock(&nic->rules_lock);
    return kept;
}
