// SPDX-License-Identifier: Apache-2.0
// rte_flow's functions.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "simnic.h"

#define NO_RULE UINT32_MAX

const struct simnic_match* simnic_rule_match(const struct rte_flow* rule) {
    return &rule->match;
}

static struct simnic* nic_of(struct rte_eth_dev* device) {
    return device->data->dev_private;
}

static void make_all_free(struct simnic* nic) {
    nic->first_free = 0;
    nic->used = 0;
    for (uint32_t at = 0; at < nic->capacity; ++at) {
        nic->rules[at].is_used = false;
        nic->rules[at].next_free = at + 1 < nic->capacity ? at + 1 : NO_RULE;
    }
}

int simnic_flows_init(struct simnic* nic, uint32_t capacity) {
    rte_spinlock_init(&nic->flow_ops);
    rte_rwlock_init(&nic->rules_lock);
    nic->capacity = capacity;
    nic->rules = calloc(capacity, sizeof *nic->rules);
    char name[16];
    snprintf(name, sizeof name, "simnic%u", nic->data->port_id);
    nic->table = simnic_table_create(name, capacity);
    if (nic->rules == NULL || nic->table == NULL) return -ENOMEM;
    make_all_free(nic);
    return 0;
}

void simnic_flows_free(struct simnic* nic) {
    simnic_table_free(nic->table);
    free(nic->rules);
    nic->table = NULL;
    nic->rules = NULL;
}

void simnic_flows_lose(struct simnic* nic) {
    rte_rwlock_write_lock(&nic->rules_lock);
    simnic_table_clear(nic->table);
    make_all_free(nic);
    rte_rwlock_write_unlock(&nic->rules_lock);
}

/// A handle that is no rule's, or no longer.
static bool is_unknown(const struct simnic* nic, const struct rte_flow* rule) {
    return rule < nic->rules || rule >= nic->rules + nic->capacity || !rule->is_used;
}

static int no_handle(struct rte_flow_error* error, const struct rte_flow* rule) {
    return rte_flow_error_set(error, ENOENT, RTE_FLOW_ERROR_TYPE_HANDLE, rule, "no such flow rule");
}

static int understand(struct simnic* nic, const struct rte_flow_attr* attributes, const struct rte_flow_item pattern[],
                      const struct rte_flow_action actions[], struct simnic_match* match, struct simnic_actions* parsed,
                      struct rte_flow_error* error) {
    int result = simnic_profile_check(nic->profile, nic->marks_negotiated, nic->data->nb_rx_queues, attributes, pattern,
                                      actions, parsed, error);
    if (result == 0) result = simnic_match_parse(pattern, match, error);
    if (result == 0) match->priority = attributes->priority;
    return result;
}

static int flow_validate(struct rte_eth_dev* device, const struct rte_flow_attr* attributes,
                         const struct rte_flow_item pattern[], const struct rte_flow_action actions[],
                         struct rte_flow_error* error) {
    struct simnic_match match;
    struct simnic_actions parsed;
    return understand(nic_of(device), attributes, pattern, actions, &match, &parsed, error);
}

static struct rte_flow* create(struct simnic* nic, const struct simnic_match* match,
                               const struct simnic_actions* actions, struct rte_flow_error* error) {
    const struct {
        int code;
        const char* says;
    } no_space = {ENOSPC, "no space left for flow rules"};
    if (simnic_fault_take(&nic->faults.refuse_create)) {
        rte_flow_error_set(error, EINVAL, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, NULL, "the device refused the flow rule");
        return NULL;
    }
    if (nic->first_free == NO_RULE || simnic_fault_take(&nic->faults.no_space)) {
        rte_flow_error_set(error, no_space.code, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, NULL, no_space.says);
        return NULL;
    }
    struct rte_flow* rule = &nic->rules[nic->first_free];
    rule->match = *match;
    rule->actions = *actions;
    rule->packets = rule->bytes = 0;
    const int result = simnic_table_add(nic->table, rule);
    if (result != 0) {
        rte_flow_error_set(error, -result, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, NULL,
                           result == -EEXIST ? "a flow rule with this pattern exists" : no_space.says);
        return NULL;
    }
    nic->first_free = rule->next_free;
    rule->is_used = true;
    ++nic->used;
    return rule;
}

static struct rte_flow* flow_create(struct rte_eth_dev* device, const struct rte_flow_attr* attributes,
                                    const struct rte_flow_item pattern[], const struct rte_flow_action actions[],
                                    struct rte_flow_error* error) {
    struct simnic* nic = nic_of(device);
    struct simnic_match match;
    struct simnic_actions parsed;
    if (understand(nic, attributes, pattern, actions, &match, &parsed, error) != 0) return NULL;
    if (nic->latency_us != 0) rte_delay_us_sleep(nic->latency_us);
    rte_rwlock_write_lock(&nic->rules_lock);
    struct rte_flow* rule = create(nic, &match, &parsed, error);
    rte_rwlock_write_unlock(&nic->rules_lock);
    return rule;
}

static void destroy(struct simnic* nic, struct rte_flow* rule) {
    simnic_table_remove(nic->table, rule);
    rule->is_used = false;
    rule->next_free = nic->first_free;
    nic->first_free = (uint32_t)(rule - nic->rules);
    --nic->used;
}

static int flow_destroy(struct rte_eth_dev* device, struct rte_flow* rule, struct rte_flow_error* error) {
    struct simnic* nic = nic_of(device);
    if (is_unknown(nic, rule)) return no_handle(error, rule);
    const uint32_t delay_us = nic->latency_us + atomic_load(&nic->faults.destroy_delay_us);
    if (delay_us != 0) rte_delay_us_sleep(delay_us);
    if (simnic_fault_take(&nic->faults.fail_destroy))
        return rte_flow_error_set(error, EBUSY, RTE_FLOW_ERROR_TYPE_HANDLE, rule, "the device did not let go of it");
    rte_rwlock_write_lock(&nic->rules_lock);
    const bool is_there = !is_unknown(nic, rule);
    if (is_there) destroy(nic, rule);
    rte_rwlock_write_unlock(&nic->rules_lock);
    return is_there ? 0 : no_handle(error, rule);
}

static int flow_flush(struct rte_eth_dev* device, struct rte_flow_error* error __rte_unused) {
    simnic_flows_lose(nic_of(device));
    return 0;
}

static int flow_query(struct rte_eth_dev* device, struct rte_flow* rule, const struct rte_flow_action* action,
                      void* data, struct rte_flow_error* error) {
    struct simnic* nic = nic_of(device);
    if (is_unknown(nic, rule)) return no_handle(error, rule);
    if (action->type != RTE_FLOW_ACTION_TYPE_COUNT || !rule->actions.counts)
        return rte_flow_error_set(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, action, "no counter is attached");
    struct rte_flow_query_count* count = data;
    count->hits_set = count->bytes_set = 1;
    count->hits = rule->packets;
    count->bytes = rule->bytes;
    if (count->reset) rule->packets = rule->bytes = 0;
    return 0;
}

static int flow_isolate(struct rte_eth_dev* device __rte_unused, int set, struct rte_flow_error* error) {
    if (!set) return 0;
    return rte_flow_error_set(error, ENOTSUP, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, NULL, "isolated mode is not supported");
}

const struct rte_flow_ops simnic_flow_ops = {.validate = flow_validate,
                                             .create = flow_create,
                                             .destroy = flow_destroy,
                                             .flush = flow_flush,
                                             .query = flow_query,
                                             .isolate = flow_isolate};
