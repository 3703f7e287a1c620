// SPDX-License-Identifier: Apache-2.0
#include "vswitch/policy/connection_names.h"

#include <utility>

#include "vswitch/policy/connection_track.h"
#include "vswitch/policy/flow_address.h"
#include "vswitch/policy/segment_policy.h"

namespace bulkhead {
namespace {

struct End {
    IpAddress address;
    std::uint16_t port = 0;
};

/// The lower one, then the higher one; see ConnectionKey.
std::pair<End, End> ends_of(const Connection& connection) {
    std::array<std::uint64_t, 5> words{};
    for (std::size_t word = 0; word < words.size(); ++word)
        words[word] = connection.key[word].load(std::memory_order_relaxed);
    const auto low_port = static_cast<std::uint16_t>(words[4] >> 48),
               high_port = static_cast<std::uint16_t>(words[4] >> 32);
    const auto family = static_cast<FlowFamily>(words[4] & 0xff);
    if (family == FlowFamily::ipv4)
        return {{ip_address(family, {0, words[3] >> 32}), low_port},
                {ip_address(family, {0, words[3] & 0xffff'ffff}), high_port}};
    return {{ip_address(family, {words[0], words[1]}), low_port},
            {ip_address(family, {words[2], words[3]}), high_port}};
}

ConnectionStatus status_of(const Connection& connection) {
    return ConnectionStatus::of(connection.status.load(std::memory_order_relaxed));
}
ConnectionOrigin origin_of(const Connection& connection) {
    return ConnectionOrigin::of(connection.origin.load(std::memory_order_relaxed));
}

/// The index of a name that a filter has.
template <typename Pool, typename Index>
Index index_of(const Pool& pool, const std::optional<std::string>& name, Index none) {
    return name ? pool.find(*name).value_or(none) : none;
}

template <typename Key>
std::vector<const Key*> by_index(const IndexPool<Key>& pool) {
    std::vector<const Key*> keys(pool.bound());
    for (const auto& [key, index] : pool.in_use()) keys[index] = &key;
    return keys;
}

}  // namespace

ConnectionNames::ConnectionNames(const Indices& indices, const Snapshot& snapshot, std::uint32_t now_s)
    : snapshot_(snapshot),
      now_s_(now_s),
      segments_(by_index(indices.segments)),
      ports_(by_index(indices.ports)),
      rules_(by_index(indices.rules)) {}

/// Its rule is known by its number among the rules of a generation.
std::string ConnectionNames::rule_of(const Connection& connection) const {
    const SegmentPolicy* const policy = snapshot_.segments[segment_of(connection)].policy.get();
    const ConnectionOrigin origin = origin_of(connection);
    if (policy == nullptr || policy->generation != origin.generation || origin.rule >= policy->rules->size()) return {};
    return rules_[(*policy->rules)[origin.rule].index]->second;
}

ConnectionInfo ConnectionNames::describe(std::size_t place, const Connection& connection) const {
    const ConnectionStatus status = status_of(connection);
    auto [low, high] = ends_of(connection);
    if (!status.opened_from_low) std::swap(low, high);
    const std::uint8_t protocol = protocol_of(connection);
    const std::uint32_t idle_s = now_s_ > status.seen_s ? now_s_ - status.seen_s : 0;
    const std::uint32_t timeout_s = idle_timeout_s(status.state, protocol);
    ConnectionInfo info{.place = place,
                        .segment = *segments_[segment_of(connection)],
                        .protocol = protocol,
                        .source = low.address,
                        .destination = high.address,
                        .source_port = low.port,
                        .destination_port = high.port,
                        .state = status.state,
                        .idle_s = idle_s,
                        .expires_in_s = timeout_s > idle_s ? timeout_s - idle_s : 0,
                        .opened_by = {},
                        .rule = rule_of(connection)};
    const std::string& port = *ports_[origin_of(connection).port];
    if (auto tunnel = tunnel_of_port_name(port))
        info.opened_by.tunnel = std::move(*tunnel);
    else
        info.opened_by.port = port;
    return info;
}

ConnectionMatch::ConnectionMatch(const ConnectionFilter& filter, const Indices& indices, std::uint32_t now_s)
    : filter_(filter),
      segment_(index_of(indices.segments, filter.segment, kNoSegment)),
      port_(index_of(indices.ports, filter.port, kNoPort)),
      now_s_(now_s) {}

bool ConnectionMatch::operator()(const Connection& connection) const {
    if (filter_.segment && segment_of(connection) != segment_) return false;
    if (filter_.port && origin_of(connection).port != port_) return false;
    if (filter_.protocol && protocol_of(connection) != *filter_.protocol) return false;
    const ConnectionStatus status = status_of(connection);
    if (filter_.state && status.state != *filter_.state) return false;
    if (is_over(status, protocol_of(connection), now_s_)) return false;
    if (!filter_.address) return true;
    const auto [low, high] = ends_of(connection);
    return filter_.address->contains(low.address) || filter_.address->contains(high.address);
}

}  // namespace bulkhead
