// SPDX-License-Identifier: Apache-2.0
// What a family of NICs accepts. See simnic_profile.c for where each line is from.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_flow.h>

#define SIMNIC_MAX_QUEUES_OF_RULE 16

/// What a rule does with a frame that it matches.
struct simnic_actions {
    bool marks, flags, counts, drops, steers, passes_through;
    uint32_t mark;
    uint32_t rss_level;  // 0 and 1: the outermost header, 2: what a tunnel carries
    uint16_t queues[SIMNIC_MAX_QUEUES_OF_RULE];
    uint16_t queue_count;
};

struct simnic_profile {
    const char* name;
    uint64_t items, actions;  // by bit, of enum rte_flow_item_type and rte_flow_action_type
    uint32_t largest_mark;
    uint32_t largest_rss_level;
    uint32_t largest_priority;
    bool marks_are_negotiated;  // rte_eth_rx_metadata_negotiate() first
    bool matches_inner_too;     // fields behind VXLAN's or Geneve's header
    bool steers_by_marks_only;  // MARK needs a fate action with it
};

/// NULL: there is no such family.
const struct simnic_profile* simnic_profile_find(const char* name);

/// 0, or the refusal that such a NIC's driver would give.
int simnic_profile_check(const struct simnic_profile* profile, bool marks_negotiated, uint16_t receive_queues,
                         const struct rte_flow_attr* attributes, const struct rte_flow_item pattern[],
                         const struct rte_flow_action actions[], struct simnic_actions* parsed,
                         struct rte_flow_error* error);
