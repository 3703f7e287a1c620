// SPDX-License-Identifier: Apache-2.0
// What goes wrong on request, at plug time (faults=(create=3,…)) or later by telemetry
// (/simnic/fault,PORT NAME VALUE, telemetry's socket and EAL's --telemetry):
//   refuse_create=N      the next N creations are refused (EINVAL)
//   no_space=N           the next N creations find no space (ENOSPC)
//   fail_destroy=N       the next N destructions fail (EBUSY), and the rule stays in force
//   destroy_delay_us=T   each destruction takes that long, and the rule is in force until then
//   wrong_marks=N        the next N marked frames carry the mark of another generation
//   lose_rules=1         all rules are gone at once, unannounced
//   reset=1              the same, announced by RTE_ETH_EVENT_INTR_RESET
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct simnic;

struct simnic_faults {
    _Atomic uint32_t refuse_create, no_space, fail_destroy, destroy_delay_us, wrong_marks;
};

/// Returns -EINVAL when there is no such fault.
int simnic_fault_set(struct simnic* nic, const char* name, uint32_t value);
/// Takes one from a fault that is counted down; false: there is none left.
static inline bool simnic_fault_take(_Atomic uint32_t* left) {
    uint32_t now = atomic_load_explicit(left, memory_order_relaxed);
    while (now != 0)
        if (atomic_compare_exchange_weak(left, &now, now - 1)) return true;
    return false;
}
