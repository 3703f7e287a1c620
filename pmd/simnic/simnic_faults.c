// SPDX-License-Identifier: Apache-2.0
#include "simnic_faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_telemetry.h>

#include "simnic.h"

static void reset(struct simnic* nic) {
    simnic_flows_lose(nic);
    rte_eth_dev_callback_process(&rte_eth_devices[nic->data->port_id], RTE_ETH_EVENT_INTR_RESET, NULL);
}

int simnic_fault_set(struct simnic* nic, const char* name, uint32_t value) {
    struct simnic_faults* const faults = &nic->faults;
    const struct {
        const char* name;
        _Atomic uint32_t* value;
    } known[] = {{"refuse_create", &faults->refuse_create},
                 {"no_space", &faults->no_space},
                 {"fail_destroy", &faults->fail_destroy},
                 {"destroy_delay_us", &faults->destroy_delay_us},
                 {"wrong_marks", &faults->wrong_marks}};
    for (size_t at = 0; at < RTE_DIM(known); ++at)
        if (strcmp(known[at].name, name) == 0) {
            atomic_store(known[at].value, value);
            return 0;
        }
    if (strcmp(name, "lose_rules") == 0) {
        if (value != 0) simnic_flows_lose(nic);
        return 0;
    }
    if (strcmp(name, "reset") == 0) {
        if (value != 0) reset(nic);
        return 0;
    }
    return -EINVAL;
}

/// PORT, NAME and VALUE of "PORT NAME VALUE"; NULL: it is none of ours.
static struct simnic* nic_named(const char* port) {
    uint16_t id;
    if (rte_eth_dev_get_port_by_name(port, &id) != 0) return NULL;
    struct rte_eth_dev_info info;
    if (rte_eth_dev_info_get(id, &info) != 0 || strcmp(info.driver_name, "net_simnic") != 0) return NULL;
    return rte_eth_devices[id].data->dev_private;
}

static int on_fault(const char* command __rte_unused, const char* parameters, struct rte_tel_data* answer) {
    char port[RTE_ETH_NAME_MAX_LEN], name[32];
    uint32_t value;
    if (parameters == NULL || sscanf(parameters, "%63s %31s %u", port, name, &value) != 3) return -EINVAL;
    struct simnic* nic = nic_named(port);
    if (nic == NULL || simnic_fault_set(nic, name, value) != 0) return -EINVAL;
    rte_tel_data_start_dict(answer);
    return rte_tel_data_add_dict_string(answer, name, "set");
}

static int on_state(const char* command __rte_unused, const char* parameters, struct rte_tel_data* answer) {
    const struct simnic* nic = parameters == NULL ? NULL : nic_named(parameters);
    if (nic == NULL) return -EINVAL;
    rte_tel_data_start_dict(answer);
    rte_tel_data_add_dict_string(answer, "profile", nic->profile->name);
    rte_tel_data_add_dict_u64(answer, "capacity", nic->capacity);
    return rte_tel_data_add_dict_u64(answer, "rules", nic->used);
}

RTE_INIT(simnic_telemetry) {
    rte_telemetry_register_cmd("/simnic/fault", on_fault,
                               "Lets something go wrong. Parameters: PORT NAME VALUE (see simnic_faults.h)");
    rte_telemetry_register_cmd("/simnic/state", on_state, "Rules in the device. Parameter: PORT");
}
