// SPDX-License-Identifier: Apache-2.0
// Which frames a rule means: fields of a frame as octets in a row, a rule's octets and its mask of them. Rules whose
// masks and priorities are the same are one shape: a frame is looked up once a shape, however many rules there are
// (tuple space search).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_flow.h>
#include <rte_mbuf.h>

/// In network order; 0 where a frame has no such field.
struct simnic_layers {
    uint8_t eth_dst[6], eth_src[6];
    uint16_t eth_type;  // behind the tags
    uint16_t vlan_tci, has_vlan;
    uint8_t ip_version, ip_proto, ip_tos, ip_fragment;
    uint8_t ip_src[16], ip_dst[16];  // IPv4: the first four
    uint16_t src_port, dst_port;
    uint8_t tcp_flags, has_udp, has_tcp, unused;
};

struct simnic_fields {
    struct simnic_layers outer, inner;
    uint8_t tunnel;  // enum simnic_tunnel
    uint8_t vni[3];
};

enum simnic_tunnel { SIMNIC_NO_TUNNEL, SIMNIC_VXLAN, SIMNIC_GENEVE };

struct simnic_match {
    struct simnic_fields spec, mask;
    uint32_t priority;  // lower ones first
};

/// What `pattern` means. An error names the item.
int simnic_match_parse(const struct rte_flow_item pattern[], struct simnic_match* match, struct rte_flow_error* error);

/// The fields of a frame, its first buffer.
void simnic_dissect(const struct rte_mbuf* frame, struct simnic_fields* fields);

struct rte_flow;
const struct simnic_match* simnic_rule_match(const struct rte_flow* rule);

struct simnic_table;

struct simnic_table* simnic_table_create(const char* name, uint32_t capacity);
void simnic_table_free(struct simnic_table* table);
/// -EEXIST: a rule that matches the same, -ENOSPC: too many shapes.
int simnic_table_add(struct simnic_table* table, struct rte_flow* rule);
void simnic_table_remove(struct simnic_table* table, struct rte_flow* rule);
void simnic_table_clear(struct simnic_table* table);
/// The first rule that matches; NULL if there is none.
struct rte_flow* simnic_table_find(const struct simnic_table* table, const struct simnic_fields* fields);
