// SPDX-License-Identifier: Apache-2.0
#include "simnic_match.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <rte_ether.h>
#include <rte_geneve.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <rte_vxlan.h>

#define VXLAN_PORT 4789
#define GENEVE_PORT 6081
#define MAX_SHAPES 64

// ---- what a pattern means ----

/// Where an item's fields go, and what its being there says of the header before it.
struct parser {
    struct simnic_match* match;
    struct simnic_layers *spec, *mask;
};

static void set(void* spec, void* mask, const void* wanted, const void* bits, size_t octets) {
    for (size_t at = 0; at < octets; ++at) {
        ((uint8_t*)mask)[at] = ((const uint8_t*)bits)[at];
        ((uint8_t*)spec)[at] = ((const uint8_t*)wanted)[at] & ((const uint8_t*)bits)[at];
    }
}
#define SET(field, wanted, bits) set(&p->spec->field, &p->mask->field, &(wanted), &(bits), sizeof p->spec->field)
#define IS(field, value)                                      \
    do {                                                      \
        p->spec->field = (__typeof__(p->spec->field))(value); \
        memset(&p->mask->field, 0xff, sizeof p->mask->field); \
    } while (0)

static void parse_eth(struct parser* p, const struct rte_flow_item_eth* spec, const struct rte_flow_item_eth* mask) {
    SET(eth_dst, spec->hdr.dst_addr, mask->hdr.dst_addr);
    SET(eth_src, spec->hdr.src_addr, mask->hdr.src_addr);
    SET(eth_type, spec->hdr.ether_type, mask->hdr.ether_type);
}

static void parse_vlan(struct parser* p, const struct rte_flow_item_vlan* spec, const struct rte_flow_item_vlan* mask) {
    IS(has_vlan, 1);
    if (spec == NULL) return;
    SET(vlan_tci, spec->hdr.vlan_tci, mask->hdr.vlan_tci);
    if (mask->hdr.eth_proto != 0) SET(eth_type, spec->hdr.eth_proto, mask->hdr.eth_proto);
}

static void parse_ipv4(struct parser* p, const struct rte_flow_item_ipv4* spec, const struct rte_flow_item_ipv4* mask) {
    IS(eth_type, RTE_BE16(RTE_ETHER_TYPE_IPV4));
    IS(ip_version, 4);
    if (spec == NULL) return;
    set(p->spec->ip_src, p->mask->ip_src, &spec->hdr.src_addr, &mask->hdr.src_addr, 4);
    set(p->spec->ip_dst, p->mask->ip_dst, &spec->hdr.dst_addr, &mask->hdr.dst_addr, 4);
    if (mask->hdr.next_proto_id != 0) SET(ip_proto, spec->hdr.next_proto_id, mask->hdr.next_proto_id);
    if (mask->hdr.type_of_service != 0) SET(ip_tos, spec->hdr.type_of_service, mask->hdr.type_of_service);
}

static void parse_ipv6(struct parser* p, const struct rte_flow_item_ipv6* spec, const struct rte_flow_item_ipv6* mask) {
    IS(eth_type, RTE_BE16(RTE_ETHER_TYPE_IPV6));
    IS(ip_version, 6);
    if (spec == NULL) return;
    SET(ip_src, spec->hdr.src_addr, mask->hdr.src_addr);
    SET(ip_dst, spec->hdr.dst_addr, mask->hdr.dst_addr);
    if (mask->hdr.proto != 0) SET(ip_proto, spec->hdr.proto, mask->hdr.proto);
}

static void parse_udp(struct parser* p, const struct rte_flow_item_udp* spec, const struct rte_flow_item_udp* mask) {
    IS(has_udp, 1);
    if (spec == NULL) return;
    SET(src_port, spec->hdr.src_port, mask->hdr.src_port);
    SET(dst_port, spec->hdr.dst_port, mask->hdr.dst_port);
}

static void parse_tcp(struct parser* p, const struct rte_flow_item_tcp* spec, const struct rte_flow_item_tcp* mask) {
    IS(has_tcp, 1);
    if (spec == NULL) return;
    SET(src_port, spec->hdr.src_port, mask->hdr.src_port);
    SET(dst_port, spec->hdr.dst_port, mask->hdr.dst_port);
    SET(tcp_flags, spec->hdr.tcp_flags, mask->hdr.tcp_flags);
}

static void parse_tunnel(struct parser* p, enum simnic_tunnel tunnel, const uint8_t* vni, const uint8_t* bits) {
    p->match->spec.tunnel = (uint8_t)tunnel;
    p->match->mask.tunnel = 0xff;
    if (vni != NULL) set(p->match->spec.vni, p->match->mask.vni, vni, bits, 3);
    p->spec = &p->match->spec.inner;
    p->mask = &p->match->mask.inner;
}

int simnic_match_parse(const struct rte_flow_item pattern[], struct simnic_match* match, struct rte_flow_error* error) {
    memset(match, 0, sizeof *match);
    struct parser parser = {match, &match->spec.outer, &match->mask.outer}, *const p = &parser;
    for (const struct rte_flow_item* item = pattern; item->type != RTE_FLOW_ITEM_TYPE_END; ++item) {
        const void* const spec = item->spec;
        const void* mask = item->mask;
        if (spec == NULL && mask != NULL)
            return rte_flow_error_set(error, EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_MASK, item, "a mask without a spec");
#define MASK_OR(default_mask) (mask != NULL ? mask : (const void*)&(default_mask))
        switch (item->type) {
            case RTE_FLOW_ITEM_TYPE_ETH:
                if (spec != NULL) parse_eth(p, spec, MASK_OR(rte_flow_item_eth_mask));
                break;
            case RTE_FLOW_ITEM_TYPE_VLAN:
                parse_vlan(p, spec, MASK_OR(rte_flow_item_vlan_mask));
                break;
            case RTE_FLOW_ITEM_TYPE_IPV4:
                parse_ipv4(p, spec, MASK_OR(rte_flow_item_ipv4_mask));
                break;
            case RTE_FLOW_ITEM_TYPE_IPV6:
                parse_ipv6(p, spec, MASK_OR(rte_flow_item_ipv6_mask));
                break;
            case RTE_FLOW_ITEM_TYPE_UDP:
                parse_udp(p, spec, MASK_OR(rte_flow_item_udp_mask));
                break;
            case RTE_FLOW_ITEM_TYPE_TCP:
                parse_tcp(p, spec, MASK_OR(rte_flow_item_tcp_mask));
                break;
            case RTE_FLOW_ITEM_TYPE_VXLAN: {
                const struct rte_flow_item_vxlan *vxlan = spec, *bits = MASK_OR(rte_flow_item_vxlan_mask);
                parse_tunnel(p, SIMNIC_VXLAN, vxlan == NULL ? NULL : vxlan->vni, bits->vni);
                break;
            }
            case RTE_FLOW_ITEM_TYPE_GENEVE: {
                const struct rte_flow_item_geneve *geneve = spec, *bits = MASK_OR(rte_flow_item_geneve_mask);
                parse_tunnel(p, SIMNIC_GENEVE, geneve == NULL ? NULL : geneve->vni, bits->vni);
                break;
            }
            default:
                break;  // VOID; simnic_profile.c refused all others
        }
#undef MASK_OR
    }
    return 0;
}

// ---- what a frame is ----

struct view {
    const uint8_t* data;
    uint32_t length, at;
};

static const void* take(struct view* view, uint32_t octets) {
    if (view->length - view->at < octets) return NULL;
    const void* const header = view->data + view->at;
    view->at += octets;
    return header;
}

static bool dissect_ports(struct view* view, struct simnic_layers* layers) {
    if (layers->ip_proto == IPPROTO_UDP) {
        const struct rte_udp_hdr* udp = take(view, sizeof *udp);
        if (udp == NULL) return false;
        layers->has_udp = 1;
        layers->src_port = udp->src_port;
        layers->dst_port = udp->dst_port;
        return true;
    }
    if (layers->ip_proto == IPPROTO_TCP) {
        const struct rte_tcp_hdr* tcp = take(view, sizeof *tcp);
        if (tcp == NULL) return false;
        layers->has_tcp = 1;
        layers->src_port = tcp->src_port;
        layers->dst_port = tcp->dst_port;
        layers->tcp_flags = tcp->tcp_flags;
    }
    return false;
}

/// Returns whether a UDP header was read to its end.
static bool dissect_layers(struct view* view, struct simnic_layers* layers) {
    const struct rte_ether_hdr* eth = take(view, sizeof *eth);
    if (eth == NULL) return false;
    memcpy(layers->eth_dst, &eth->dst_addr, 6);
    memcpy(layers->eth_src, &eth->src_addr, 6);
    layers->eth_type = eth->ether_type;
    if (layers->eth_type == RTE_BE16(RTE_ETHER_TYPE_VLAN)) {
        const struct rte_vlan_hdr* vlan = take(view, sizeof *vlan);
        if (vlan == NULL) return false;
        layers->has_vlan = 1;
        layers->vlan_tci = vlan->vlan_tci;
        layers->eth_type = vlan->eth_proto;
    }
    if (layers->eth_type == RTE_BE16(RTE_ETHER_TYPE_IPV4)) {
        const struct rte_ipv4_hdr* ip = take(view, sizeof *ip);
        if (ip == NULL || ip->version != 4 || rte_ipv4_hdr_len(ip) < sizeof *ip) return false;
        if (take(view, rte_ipv4_hdr_len(ip) - (uint32_t)sizeof *ip) == NULL) return false;
        layers->ip_version = 4;
        layers->ip_proto = ip->next_proto_id;
        layers->ip_tos = ip->type_of_service;
        memcpy(layers->ip_src, &ip->src_addr, 4);
        memcpy(layers->ip_dst, &ip->dst_addr, 4);
        layers->ip_fragment = (ip->fragment_offset & RTE_BE16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0;
    } else if (layers->eth_type == RTE_BE16(RTE_ETHER_TYPE_IPV6)) {
        const struct rte_ipv6_hdr* ip = take(view, sizeof *ip);
        if (ip == NULL) return false;
        layers->ip_version = 6;
        layers->ip_proto = ip->proto;
        memcpy(layers->ip_src, ip->src_addr, 16);
        memcpy(layers->ip_dst, ip->dst_addr, 16);
    } else {
        return false;
    }
    return !layers->ip_fragment && dissect_ports(view, layers);
}

void simnic_dissect(const struct rte_mbuf* frame, struct simnic_fields* fields) {
    memset(fields, 0, sizeof *fields);
    struct view view = {rte_pktmbuf_mtod(frame, const uint8_t*), frame->data_len, 0};
    if (!dissect_layers(&view, &fields->outer)) return;
    if (fields->outer.dst_port == RTE_BE16(VXLAN_PORT)) {
        const struct rte_vxlan_hdr* vxlan = take(&view, sizeof *vxlan);
        if (vxlan == NULL) return;
        fields->tunnel = SIMNIC_VXLAN;
        memcpy(fields->vni, (const uint8_t*)vxlan + 4, 3);
    } else if (fields->outer.dst_port == RTE_BE16(GENEVE_PORT)) {
        const struct rte_geneve_hdr* geneve = take(&view, sizeof *geneve);
        if (geneve == NULL || take(&view, geneve->opt_len * 4U) == NULL) return;
        fields->tunnel = SIMNIC_GENEVE;
        memcpy(fields->vni, geneve->vni, 3);
    } else {
        return;
    }
    dissect_layers(&view, &fields->inner);
}

// ---- the rules ----

struct shape {
    struct simnic_fields mask;
    uint32_t priority, count;
    struct rte_hash* rules;  // by masked fields
};

struct simnic_table {
    char name[16];
    uint32_t capacity, made;
    uint32_t count;
    struct shape shapes[MAX_SHAPES];  // ascending by priority
};

static void apply_mask(const struct simnic_fields* fields, const struct simnic_fields* mask,
                       struct simnic_fields* out) {
    const uint8_t *from = (const uint8_t*)fields, *bits = (const uint8_t*)mask;
    for (size_t at = 0; at < sizeof *out; ++at) ((uint8_t*)out)[at] = from[at] & bits[at];
}

struct simnic_table* simnic_table_create(const char* name, uint32_t capacity) {
    struct simnic_table* table = rte_zmalloc("simnic_table", sizeof *table, 0);
    if (table == NULL) return NULL;
    snprintf(table->name, sizeof table->name, "%s", name);
    table->capacity = capacity;
    return table;
}

void simnic_table_clear(struct simnic_table* table) {
    for (uint32_t at = 0; at < table->count; ++at) rte_hash_free(table->shapes[at].rules);
    table->count = 0;
}

void simnic_table_free(struct simnic_table* table) {
    if (table == NULL) return;
    simnic_table_clear(table);
    rte_free(table);
}

static struct shape* find_shape(struct simnic_table* table, const struct simnic_match* match) {
    for (uint32_t at = 0; at < table->count; ++at) {
        struct shape* shape = &table->shapes[at];
        if (shape->priority == match->priority && memcmp(&shape->mask, &match->mask, sizeof shape->mask) == 0)
            return shape;
    }
    return NULL;
}

static struct shape* add_shape(struct simnic_table* table, const struct simnic_match* match) {
    if (table->count == MAX_SHAPES) return NULL;
    char name[RTE_HASH_NAMESIZE];
    snprintf(name, sizeof name, "%s.%u", table->name, table->made++);
    const struct rte_hash_parameters parameters = {.name = name,
                                                   .entries = table->capacity < 8 ? 8 : table->capacity,
                                                   .key_len = sizeof(struct simnic_fields),
                                                   .hash_func = rte_hash_crc,
                                                   .socket_id = SOCKET_ID_ANY,
                                                   .extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE};
    struct rte_hash* rules = rte_hash_create(&parameters);
    if (rules == NULL) return NULL;
    uint32_t at = table->count++;
    for (; at > 0 && table->shapes[at - 1].priority > match->priority; --at) table->shapes[at] = table->shapes[at - 1];
    table->shapes[at] = (struct shape){.mask = match->mask, .priority = match->priority, .rules = rules};
    return &table->shapes[at];
}

int simnic_table_add(struct simnic_table* table, struct rte_flow* rule) {
    const struct simnic_match* match = simnic_rule_match(rule);
    struct shape* shape = find_shape(table, match);
    if (shape == NULL) shape = add_shape(table, match);
    if (shape == NULL) return -ENOSPC;
    if (rte_hash_lookup(shape->rules, &match->spec) >= 0) return -EEXIST;
    if (rte_hash_add_key_data(shape->rules, &match->spec, rule) != 0) return -ENOSPC;
    ++shape->count;
    return 0;
}

void simnic_table_remove(struct simnic_table* table, struct rte_flow* rule) {
    const struct simnic_match* match = simnic_rule_match(rule);
    struct shape* shape = find_shape(table, match);
    if (shape == NULL || rte_hash_del_key(shape->rules, &match->spec) < 0) return;
    if (--shape->count > 0) return;
    rte_hash_free(shape->rules);
    const uint32_t at = (uint32_t)(shape - table->shapes);
    memmove(shape, shape + 1, (table->count - at - 1) * sizeof *shape);
    --table->count;
}

struct rte_flow* simnic_table_find(const struct simnic_table* table, const struct simnic_fields* fields) {
    for (uint32_t at = 0; at < table->count; ++at) {
        struct simnic_fields key;
        apply_mask(fields, &table->shapes[at].mask, &key);
        void* rule = NULL;
        if (rte_hash_lookup_data(table->shapes[at].rules, &key, &rule) >= 0) return rule;
    }
    return NULL;
}
