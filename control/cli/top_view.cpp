// SPDX-License-Identifier: Apache-2.0
#include "control/cli/top_view.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "control/cli/table.h"

namespace bulkhead::cli {
namespace {

constexpr double kKilo = 1e3, kMega = 1e6;

std::string fixed(double value, int decimals, const char* unit) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f%s", decimals, value, unit);
    return text.data();
}

std::vector<Cell> row_of(const PortRate& port) {
    const auto right = [](std::string text) { return Cell{std::move(text), true}; };
    return {{printable(port.name)},
            right(packet_rate(port.rx_packets)),
            right(bit_rate(port.rx_bits)),
            right(packet_rate(port.tx_packets)),
            right(bit_rate(port.tx_bits)),
            right(fixed(port.drops, 0, "")),
            {port.leading_reason.empty() ? "-" : printable(port.leading_reason)}};
}

}  // namespace

std::string packet_rate(double packets) {
    if (packets >= kMega) return fixed(packets / kMega, 2, " Mpps");
    if (packets >= kKilo) return fixed(packets / kKilo, 1, " kpps");
    return fixed(packets, 0, " pps");
}

std::string bit_rate(double bits) {
    return fixed(bits / kMega, 1, " Mbit/s");
}

std::string top_frame(const Rates& rates, const Screen& screen, std::size_t height) {
    Table workers({"WORKER", "BUSY", "RECEIVED", "TRANSMITTED", "DROPS/S"});
    for (const WorkerRate& worker : rates.workers)
        workers.add({{std::to_string(worker.worker), true},
                     {fixed(worker.busy * 100, 1, " %"), true},
                     {packet_rate(worker.received), true},
                     {packet_rate(worker.transmitted), true},
                     {fixed(worker.drops, 0, ""), true}});

    // Around the ports: their heading and total, an empty line, the workers with their heading.
    const std::size_t around = 4 + rates.workers.size();
    const std::size_t room = height > around ? height - around : 1;
    const std::size_t shown = height == 0 ? rates.ports.size() : std::min(rates.ports.size(), room);
    Table ports({"PORT", "RX", "RX RATE", "TX", "TX RATE", "DROPS/S", "MOST OF THEM"});
    for (std::size_t at = 0; at < shown; ++at) ports.add(row_of(rates.ports[at]));
    PortRate total = rates.total;
    total.name = "total of " + std::to_string(rates.ports.size());
    ports.add(row_of(total));
    return ports.text(screen) + "\n" + workers.text(screen);
}

}  // namespace bulkhead::cli
