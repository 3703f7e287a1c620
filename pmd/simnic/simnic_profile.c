// SPDX-License-Identifier: Apache-2.0
// Items and actions are those of the feature matrices of DPDK 22.11 (doc/guides/nics/features/mlx5.ini, ice.ini,
// bnxt.ini, sfc.ini: "rte_flow items" and "rte_flow actions"), as far as the simulator knows them. From the guides
// (doc/guides/nics/): mlx5 has RSS by inner headers and marks below 0xfffff0; sfc delivers marks only after
// rte_eth_rx_metadata_negotiate(). The other limits (priorities, inner headers, whether MARK stands alone) are choices
// of this simulator that make the families differ, and so are most of the refusals' words: a real card may differ.
#include "simnic_profile.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define ITEM(type) (1ULL << RTE_FLOW_ITEM_TYPE_##type)
#define ACTION(type) (1ULL << RTE_FLOW_ACTION_TYPE_##type)
_Static_assert(RTE_FLOW_ITEM_TYPE_GENEVE < 64 && RTE_FLOW_ACTION_TYPE_RSS < 64, "one word of bits is enough");

#define COMMON_ITEMS \
    (ITEM(VOID) | ITEM(ETH) | ITEM(VLAN) | ITEM(IPV4) | ITEM(IPV6) | ITEM(UDP) | ITEM(TCP) | ITEM(VXLAN))
#define COMMON_ACTIONS (ACTION(VOID) | ACTION(MARK) | ACTION(RSS) | ACTION(COUNT) | ACTION(DROP))

static const struct simnic_profile profiles[] = {
    {.name = "mlx5",
     .items = COMMON_ITEMS | ITEM(GENEVE),
     .actions = COMMON_ACTIONS | ACTION(FLAG) | ACTION(QUEUE),
     .largest_mark = 0xfffff0 - 1,
     .largest_rss_level = 2,
     .largest_priority = UINT16_MAX,
     .matches_inner_too = true,
     .steers_by_marks_only = true},
    {.name = "ice",
     .items = COMMON_ITEMS,
     .actions = COMMON_ACTIONS | ACTION(QUEUE) | ACTION(PASSTHRU),
     .largest_mark = UINT32_MAX,
     .largest_priority = 1,
     .matches_inner_too = true},
    {.name = "bnxt",
     .items = COMMON_ITEMS,
     .actions = COMMON_ACTIONS,
     .largest_mark = UINT32_MAX,
     .largest_priority = UINT16_MAX,
     .matches_inner_too = true,
     .steers_by_marks_only = true},
    {.name = "sfc",
     .items = COMMON_ITEMS | ITEM(GENEVE),
     .actions = COMMON_ACTIONS | ACTION(FLAG) | ACTION(QUEUE),
     .largest_mark = UINT32_MAX,
     .largest_priority = 0,
     .marks_are_negotiated = true,
     .matches_inner_too = false,
     .steers_by_marks_only = true},
};

const struct simnic_profile* simnic_profile_find(const char* name) {
    for (size_t at = 0; at < RTE_DIM(profiles); ++at)
        if (strcmp(profiles[at].name, name) == 0) return &profiles[at];
    return NULL;
}

static int refuse(struct rte_flow_error* error, int code, enum rte_flow_error_type type, const void* cause,
                  const char* message) {
    return rte_flow_error_set(error, code, type, cause, message);
}

static int check_attributes(const struct simnic_profile* profile, const struct rte_flow_attr* attributes,
                            struct rte_flow_error* error) {
    if (attributes->transfer)
        return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_TRANSFER, attributes, "transfer is not supported");
    if (attributes->egress)
        return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_EGRESS, attributes, "egress is not supported");
    if (!attributes->ingress)
        return refuse(error, EINVAL, RTE_FLOW_ERROR_TYPE_ATTR_INGRESS, attributes, "ingress attribute is mandatory");
    if (attributes->group != 0)
        return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_GROUP, attributes, "groups are not supported");
    if (attributes->priority > profile->largest_priority)
        return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_PRIORITY, attributes, "priority out of range");
    return 0;
}

static int check_items(const struct simnic_profile* profile, const struct rte_flow_item pattern[],
                       struct rte_flow_error* error) {
    bool is_inner = false;
    for (const struct rte_flow_item* item = pattern; item->type != RTE_FLOW_ITEM_TYPE_END; ++item) {
        if (item->type < 0 || item->type >= 64 || (profile->items >> item->type & 1) == 0)
            return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM, item, "item not supported");
        if (item->last != NULL)
            return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM_LAST, item, "range is not supported");
        if (is_inner && item->type != RTE_FLOW_ITEM_TYPE_VOID && !profile->matches_inner_too)
            return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ITEM, item, "inner headers are not supported");
        is_inner |= item->type == RTE_FLOW_ITEM_TYPE_VXLAN || item->type == RTE_FLOW_ITEM_TYPE_GENEVE;
    }
    return 0;
}

static int parse_queues(const struct simnic_profile* profile, uint16_t receive_queues,
                        const struct rte_flow_action* action, struct simnic_actions* parsed,
                        struct rte_flow_error* error) {
    if (action->type == RTE_FLOW_ACTION_TYPE_QUEUE) {
        const struct rte_flow_action_queue* queue = action->conf;
        parsed->queues[0] = queue->index;
        parsed->queue_count = 1;
    } else {
        const struct rte_flow_action_rss* rss = action->conf;
        if (rss->level > profile->largest_rss_level)
            return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION_CONF, action,
                          "RSS encapsulation level is not supported");
        if (rss->queue_num == 0 || rss->queue_num > SIMNIC_MAX_QUEUES_OF_RULE)
            return refuse(error, EINVAL, RTE_FLOW_ERROR_TYPE_ACTION_CONF, action, "No queues configured");
        parsed->rss_level = rss->level;
        parsed->queue_count = (uint16_t)rss->queue_num;
        memcpy(parsed->queues, rss->queue, rss->queue_num * sizeof rss->queue[0]);
    }
    for (uint16_t at = 0; at < parsed->queue_count; ++at)
        if (parsed->queues[at] >= receive_queues)
            return refuse(error, EINVAL, RTE_FLOW_ERROR_TYPE_ACTION_CONF, action, "queue index out of range");
    parsed->steers = true;
    return 0;
}

static int parse_actions(const struct simnic_profile* profile, bool marks_negotiated, uint16_t receive_queues,
                         const struct rte_flow_action actions[], struct simnic_actions* parsed,
                         struct rte_flow_error* error) {
    for (const struct rte_flow_action* action = actions; action->type != RTE_FLOW_ACTION_TYPE_END; ++action) {
        if (action->type < 0 || action->type >= 64 || (profile->actions >> action->type & 1) == 0)
            return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, action, "action not supported");
        int result = 0;
        switch (action->type) {
            case RTE_FLOW_ACTION_TYPE_MARK:
                parsed->mark = ((const struct rte_flow_action_mark*)action->conf)->id;
                parsed->marks = true;
                if (parsed->mark > profile->largest_mark)
                    return refuse(error, EINVAL, RTE_FLOW_ERROR_TYPE_ACTION_CONF, action, "mark id is out of range");
                break;
            case RTE_FLOW_ACTION_TYPE_FLAG:
                parsed->flags = true;
                break;
            case RTE_FLOW_ACTION_TYPE_COUNT:
                parsed->counts = true;
                break;
            case RTE_FLOW_ACTION_TYPE_DROP:
                parsed->drops = true;
                break;
            case RTE_FLOW_ACTION_TYPE_PASSTHRU:
                parsed->passes_through = true;
                break;
            case RTE_FLOW_ACTION_TYPE_QUEUE:
            case RTE_FLOW_ACTION_TYPE_RSS:
                if (parsed->steers)
                    return refuse(error, EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, action, "multiple fate actions");
                result = parse_queues(profile, receive_queues, action, parsed, error);
                break;
            default:
                break;
        }
        if (result != 0) return result;
    }
    if (parsed->drops && (parsed->steers || parsed->marks || parsed->flags))
        return refuse(error, EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, actions, "drop is not compatible with other actions");
    if (!parsed->steers && !parsed->drops &&
        (profile->steers_by_marks_only || !(parsed->marks || parsed->passes_through)))
        return refuse(error, EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, actions, "no fate action is found");
    if (parsed->marks && profile->marks_are_negotiated && !marks_negotiated)
        return refuse(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, actions,
                      "MARK delivery has not been negotiated (rte_eth_rx_metadata_negotiate)");
    return 0;
}

int simnic_profile_check(const struct simnic_profile* profile, bool marks_negotiated, uint16_t receive_queues,
                         const struct rte_flow_attr* attributes, const struct rte_flow_item pattern[],
                         const struct rte_flow_action actions[], struct simnic_actions* parsed,
                         struct rte_flow_error* error) {
    memset(parsed, 0, sizeof *parsed);
    int result = check_attributes(profile, attributes, error);
    if (result == 0) result = check_items(profile, pattern, error);
    if (result == 0) result = parse_actions(profile, marks_negotiated, receive_queues, actions, parsed, error);
    return result;
}
