// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/support/bench.h"

#include <numeric>

namespace bulkhead::test {

Bench::Bench(std::uint16_t workers) : buffers_before_(rte_mempool_avail_count(test_buffers())) {
    SwitchSettings settings{.workers = workers,
                            .buffers = test_buffers(),
                            .copies = test_copies(),
                            .mac_capacity = 1U << 12,
                            .connection_places = 1U << 12};
    settings.clock_s = [this] { return now_s; };
    settings.clock_ms = [this] { return now_ms; };
    switch_ = Switch::create(settings).value();
}

Bench::~Bench() {
    for (std::uint16_t worker = 0; worker < switch_->workers(); ++worker) {
        const WorkerStats books = switch_->worker_stats(worker);
        const std::uint64_t dropped = std::accumulate(books.drops.begin(), books.drops.end(), std::uint64_t{0});
        EXPECT_EQ(books.received + books.originated + books.copies,
                  books.transmitted + books.consumed + dropped + books.held);
    }
    switch_.reset();
    ports_.clear();
    EXPECT_EQ(rte_mempool_avail_count(test_buffers()), buffers_before_) << "buffers leaked";
    EXPECT_EQ(rte_mempool_in_use_count(test_copies()), 0U) << "copies leaked";
}

Segment& Bench::segment(const std::string& name, std::uint32_t vni) {
    return model.segments[name] = {.owner = {}, .name = name, .vni = vni, .tenant = {}};
}

Port& Bench::access(const std::string& name, const std::string& segment) {
    Port& port = trunk(name);
    port.attachments.push_back({.vlan = std::nullopt, .segment = segment, .macs = {}});
    return port;
}

Port& Bench::trunk(const std::string& name) {
    ports_[name] = std::make_unique<MemoryPort>(test_buffers());
    Port port;
    port.name = name;
    return model.ports[name] = port;
}

Attachment& Bench::vlan(const std::string& port, std::uint16_t vlan, const std::string& segment) {
    return model.ports.at(port).attachments.emplace_back(Attachment{.vlan = vlan, .segment = segment, .macs = {}});
}

Underlay& Bench::underlay(const std::string& nic) {
    trunk(nic);
    ports_.at(nic)->set_mac("02:00:00:00:00:aa");
    Underlay underlay{.name = "u0", .port = nic};
    underlay.addresses = {IpPrefix::parse("192.0.2.1/24").value(), IpPrefix::parse("2001:db8::1/64").value()};
    return model.underlays["u0"] = underlay;
}

Tunnel& Bench::tunnel(const std::string& name, const std::string& remote, const std::vector<std::string>& segments,
                      std::optional<MacAddress> mac) {
    Tunnel tunnel{.name = name, .underlay = "u0", .remote = IpAddress::parse(remote).value(), .segments = segments};
    if (mac) model.underlays.at("u0").neighbors.push_back({tunnel.remote, *mac});
    return model.tunnels[name] = tunnel;
}

void Bench::apply() {
    std::map<std::string, PortIo*> open;
    for (const auto& [name, port] : ports_) open[name] = port.get();
    ASSERT_TRUE(switch_->apply(model, open).has_value());
}

void Bench::remove(const std::string& port) {
    model.ports.erase(port);
    const auto gone = ports_.extract(port);
    apply();
}

void Bench::run() {
    std::uint64_t before = 0, after = 0;
    do {
        before = after;
        after = 0;
        for (std::uint16_t worker = 0; worker < switch_->workers(); ++worker) {
            switch_->run_worker_once(worker);
            after += switch_->worker_stats(worker).received + switch_->worker_stats(worker).originated;
        }
        switch_->serve_underlays();
    } while (after != before);
}

std::map<std::string, std::vector<Bytes>> Bench::pass(const std::string& port, const Bytes& frame) {
    ports_.at(port)->inject(frame);
    run();
    std::map<std::string, std::vector<Bytes>> sent;
    for (const auto& [name, memory] : ports_)
        if (auto frames = memory->take_bytes(); !frames.empty()) sent[name] = std::move(frames);
    return sent;
}

std::uint64_t Bench::drops(DropReason reason) const {
    std::uint64_t sum = 0;
    for (std::uint16_t worker = 0; worker < switch_->workers(); ++worker)
        sum += switch_->worker_stats(worker).drops[static_cast<std::size_t>(reason)];
    return sum;
}

}  // namespace bulkhead::test
