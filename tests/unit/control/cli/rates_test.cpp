// SPDX-License-Identifier: Apache-2.0
#include "control/cli/rates.h"

#include <gtest/gtest.h>

#include "control/cli/top_view.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr RateMeter::Time kStart{1000s};

json port(const char* name, std::uint64_t packets, json drops = json::object()) {
    return {{"name", name},     {"rx_packets", packets}, {"rx_bytes", packets * 100},
            {"tx_packets", 0U}, {"tx_bytes", 0U},        {"drops", std::move(drops)}};
}

json stats(json ports, json workers = json::array()) {
    return {{"ports", std::move(ports)}, {"segments", json::array()}, {"workers", std::move(workers)}};
}

TEST(Rates, AreDifferencesOverTime) {
    RateMeter meter;
    EXPECT_FALSE(meter.update(stats({port("a", 1000)}), kStart));
    const auto rates = meter.update(stats({port("a", 3000)}), kStart + 500ms);
    ASSERT_TRUE(rates);
    ASSERT_EQ(rates->ports.size(), 1U);
    EXPECT_DOUBLE_EQ(rates->seconds, 0.5);
    EXPECT_DOUBLE_EQ(rates->ports[0].rx_packets, 4000);
    EXPECT_DOUBLE_EQ(rates->ports[0].rx_bits, 4000 * 100 * 8);
    EXPECT_DOUBLE_EQ(rates->ports[0].tx_packets, 0);
}

TEST(Rates, NameTheReasonThatLeads) {
    RateMeter meter;
    static_cast<void>(meter.update(stats({port("a", 0, {{"link_down", 1000U}})}), kStart));
    const auto rates =
        meter.update(stats({port("a", 0, {{"link_down", 1001U}, {"no_buffer", 5U}}), port("b", 0)}), kStart + 1s);
    ASSERT_TRUE(rates);
    EXPECT_DOUBLE_EQ(rates->ports[0].drops, 6);
    EXPECT_EQ(rates->ports[0].leading_reason, "no_buffer");
    EXPECT_DOUBLE_EQ(rates->total.drops, 6);
    EXPECT_EQ(rates->total.leading_reason, "no_buffer");
}

TEST(Rates, OfWhatIsNewOrBegunAnewAreZero) {
    RateMeter meter;
    static_cast<void>(meter.update(stats({port("a", 1000)}), kStart));
    const auto rates = meter.update(stats({port("a", 10), port("b", 500)}), kStart + 1s);
    ASSERT_TRUE(rates);
    EXPECT_DOUBLE_EQ(rates->ports[0].rx_packets, 0);
    EXPECT_DOUBLE_EQ(rates->ports[1].rx_packets, 0);
    const auto next = meter.update(stats({port("a", 20), port("b", 600)}), kStart + 2s);
    EXPECT_DOUBLE_EQ(next->ports[0].rx_packets, 10);
    EXPECT_DOUBLE_EQ(next->ports[1].rx_packets, 100);
}

TEST(Rates, OfWhatIsGoneAreGone) {
    RateMeter meter;
    static_cast<void>(meter.update(stats({port("a", 1), port("b", 1)}), kStart));
    EXPECT_EQ(meter.update(stats({port("b", 2)}), kStart + 1s)->ports.size(), 1U);
}

TEST(Rates, WorkersAreBusyByTheirCycles) {
    const auto worker = [](std::uint64_t busy, std::uint64_t idle) {
        return json{{"worker", 3U},
                    {"busy_cycles", busy},
                    {"idle_cycles", idle},
                    {"received", busy},
                    {"drops", json::object()}};
    };
    RateMeter meter;
    static_cast<void>(meter.update(stats(json::array(), {worker(100, 100)}), kStart));
    const auto rates = meter.update(stats(json::array(), {worker(125, 175)}), kStart + 1s);
    ASSERT_TRUE(rates);
    EXPECT_EQ(rates->workers[0].worker, 3U);
    EXPECT_DOUBLE_EQ(rates->workers[0].busy, 0.25);
    EXPECT_DOUBLE_EQ(rates->workers[0].received, 25);
    EXPECT_DOUBLE_EQ(meter.update(stats(json::array(), {worker(125, 175)}), kStart + 2s)->workers[0].busy, 0);
}

TEST(Rates, SortPorts) {
    std::vector<PortRate> ports(3);
    ports[0] = {.name = "b", .rx_packets = 1, .leading_reason = {}};
    ports[1] = {.name = "c", .tx_packets = 5, .leading_reason = {}};
    ports[2] = {.name = "a", .rx_packets = 1, .drops = 2, .leading_reason = {}};
    const auto order = [&](SortKey key) {
        sort_ports(ports, key);
        return ports[0].name + ports[1].name + ports[2].name;
    };
    EXPECT_EQ(order(SortKey::rate), "cab");
    EXPECT_EQ(order(SortKey::name), "abc");
    EXPECT_EQ(order(SortKey::rx), "abc");
    EXPECT_EQ(order(SortKey::tx), "cab");
    EXPECT_EQ(order(SortKey::drops), "abc");
}

TEST(TopView, Units) {
    EXPECT_EQ(packet_rate(999), "999 pps");
    EXPECT_EQ(packet_rate(12'345), "12.3 kpps");
    EXPECT_EQ(packet_rate(14'880'952), "14.88 Mpps");
    EXPECT_EQ(bit_rate(945'100'000), "945.1 Mbit/s");
}

TEST(TopView, AFrame) {
    Rates rates{.seconds = 1, .ports = {}, .total = {}, .workers = {{.worker = 0, .busy = 0.5, .received = 2000}}};
    rates.ports = {{.name = "web-0", .rx_packets = 2000, .rx_bits = 1e6, .drops = 3, .leading_reason = "link_down"}};
    rates.total = rates.ports[0];
    EXPECT_EQ(top_frame(rates, {}, 0),
              "PORT              RX     RX RATE     TX     TX RATE  DROPS/S  MOST OF THEM\n"
              "web-0       2.0 kpps  1.0 Mbit/s  0 pps  0.0 Mbit/s        3  link_down\n"
              "total of 1  2.0 kpps  1.0 Mbit/s  0 pps  0.0 Mbit/s        3  link_down\n"
              "\n"
              "WORKER    BUSY  RECEIVED  TRANSMITTED  DROPS/S\n"
              "     0  50.0 %  2.0 kpps        0 pps        0\n");
}

TEST(TopView, FitsTheHeight) {
    Rates rates{.seconds = 1, .ports = std::vector<PortRate>(100), .total = {}, .workers = std::vector<WorkerRate>(2)};
    const std::string frame = top_frame(rates, {}, 20);
    EXPECT_LE(std::ranges::count(frame, '\n'), 20);
    EXPECT_NE(frame.find("total of 100"), std::string::npos);
}

}  // namespace
}  // namespace bulkhead::cli
