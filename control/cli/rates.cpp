// SPDX-License-Identifier: Apache-2.0
#include "control/cli/rates.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using Counters = std::map<std::string, std::uint64_t>;

constexpr std::string_view kDropsPrefix = "drops/";
constexpr double kBitsPerByte = 8;

/// Every number of a row of stats.get by its name, those of `drops` behind a prefix.
Counters counters_of(const json& row) {
    Counters counters;
    for (const auto& [key, value] : row.items())
        if (value.is_number_unsigned()) counters[key] = value.get<std::uint64_t>();
    const json drops = row.value("drops", json::object());  // named: items() of a temporary would outlive it
    for (const auto& [reason, packets] : drops.items())
        if (packets.is_number_unsigned()) counters[std::string(kDropsPrefix) + reason] = packets.get<std::uint64_t>();
    return counters;
}

/// What was added since then. A counter that was not there had counted nothing; one that is lower was begun anew.
Counters growth(const Counters& now, const Counters& before) {
    Counters grown;
    for (const auto& [key, value] : now) {
        const auto old = before.find(key);
        if (old != before.end() && old->second > value) return {};
        grown[key] = old == before.end() ? value : value - old->second;
    }
    return grown;
}

double count(const Counters& counters, const char* key) {
    const auto found = counters.find(key);
    return found == counters.end() ? 0.0 : static_cast<double>(found->second);
}

std::pair<double, std::string> drops_of(const Counters& grown) {
    std::uint64_t sum = 0, most = 0;
    std::string leading;
    for (const auto& [key, packets] : grown) {
        if (!key.starts_with(kDropsPrefix)) continue;
        sum += packets;
        if (packets > most) {
            most = packets;
            leading = key.substr(kDropsPrefix.size());
        }
    }
    return {static_cast<double>(sum), leading};
}

PortRate port_rate(const std::string& name, const Counters& grown, double seconds) {
    const auto [drops, leading] = drops_of(grown);
    return {.name = name,
            .rx_packets = count(grown, "rx_packets") / seconds,
            .tx_packets = count(grown, "tx_packets") / seconds,
            .rx_bits = count(grown, "rx_bytes") * kBitsPerByte / seconds,
            .tx_bits = count(grown, "tx_bytes") * kBitsPerByte / seconds,
            .drops = drops / seconds,
            .leading_reason = leading};
}

WorkerRate worker_rate(std::uint64_t worker, const Counters& grown, double seconds) {
    const double busy = count(grown, "busy_cycles"), cycles = busy + count(grown, "idle_cycles");
    return {.worker = worker,
            .busy = cycles > 0 ? busy / cycles : 0,
            .received = count(grown, "received") / seconds,
            .transmitted = count(grown, "transmitted") / seconds,
            .drops = drops_of(grown).first / seconds};
}

/// The reason that leads over all ports is that of the port with the most drops.
PortRate total_of(const std::vector<PortRate>& ports) {
    PortRate total{.name = "total", .leading_reason = {}};
    double most = 0;
    for (const PortRate& port : ports) {
        total.rx_packets += port.rx_packets;
        total.tx_packets += port.tx_packets;
        total.rx_bits += port.rx_bits;
        total.tx_bits += port.tx_bits;
        total.drops += port.drops;
        if (port.drops > most) {
            most = port.drops;
            total.leading_reason = port.leading_reason;
        }
    }
    return total;
}

/// Growth since the last answer by key of the row; the memory then holds this answer.
template <typename Key>
std::map<Key, Counters> advance(std::map<Key, Counters>& memory, std::map<Key, Counters> now) {
    std::map<Key, Counters> grown;
    for (const auto& [key, counters] : now) {
        const auto before = memory.find(key);
        grown[key] = before == memory.end() ? Counters{} : growth(counters, before->second);
    }
    memory = std::move(now);
    return grown;
}

}  // namespace

std::optional<SortKey> sort_key_from(std::string_view name) {
    constexpr std::array kNames = {std::pair{"rate", SortKey::rate}, std::pair{"name", SortKey::name},
                                   std::pair{"rx", SortKey::rx}, std::pair{"tx", SortKey::tx},
                                   std::pair{"drops", SortKey::drops}};
    for (const auto& [text, key] : kNames)
        if (name == text) return key;
    return std::nullopt;
}

void sort_ports(std::vector<PortRate>& ports, SortKey key) {
    const auto weight = [key](const PortRate& port) {
        switch (key) {
            case SortKey::rate:
                return port.rx_packets + port.tx_packets;
            case SortKey::rx:
                return port.rx_packets;
            case SortKey::tx:
                return port.tx_packets;
            case SortKey::drops:
                return port.drops;
            case SortKey::name:
                break;
        }
        return 0.0;
    };
    std::ranges::sort(ports, [&](const PortRate& a, const PortRate& b) {
        const double weight_a = weight(a), weight_b = weight(b);
        return weight_a != weight_b ? weight_a > weight_b : a.name < b.name;
    });
}

std::optional<Rates> RateMeter::update(const json& stats, Time now) {
    std::map<std::string, Counters> ports;
    std::map<std::uint64_t, Counters> workers;
    for (const json& row : stats.value("ports", json::array())) ports[row.value("name", "")] = counters_of(row);
    for (const json& row : stats.value("workers", json::array()))
        workers[row.value("worker", std::uint64_t{0})] = counters_of(row);

    const auto grown_ports = advance(ports_, std::move(ports));
    const auto grown_workers = advance(workers_, std::move(workers));
    const std::optional<Time> last = std::exchange(last_, now);
    if (!last || now <= *last) return std::nullopt;

    Rates rates{.seconds = std::chrono::duration<double>(now - *last).count(), .ports = {}, .total = {}, .workers = {}};
    for (const auto& [name, grown] : grown_ports) rates.ports.push_back(port_rate(name, grown, rates.seconds));
    for (const auto& [worker, grown] : grown_workers)
        rates.workers.push_back(worker_rate(worker, grown, rates.seconds));
    rates.total = total_of(rates.ports);
    return rates;
}

}  // namespace bulkhead::cli
