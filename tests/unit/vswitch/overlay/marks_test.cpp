// SPDX-License-Identifier: Apache-2.0
// A NIC that marks what it matched changes nothing but the work: bursts of frames, sound and broken, taken apart with
// marks and without, must come out alike.
#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <tuple>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "tests/unit/support/memory_port.h"
#include "tests/unit/support/test_buffers.h"
#include "tests/unit/vswitch/overlay/outer.h"
#include "vswitch/limits/port_limiter.h"
#include "vswitch/mirror/mirror_compiler.h"
#include "vswitch/model/snapshot_builder.h"
#include "vswitch/pipeline/decapsulate.h"
#include "vswitch/policy/policy_compiler.h"

namespace bulkhead::test {
namespace {

struct Marked {
    OuterSpec spec;
    FlowMark mark = kNoMark;
};

/// What became of a frame that goes on: its octets, attachment and group.
using Opened = std::tuple<Bytes, AttachmentIndex, GroupId>;

struct Outcome {
    std::vector<Opened> opened;
    std::vector<std::uint64_t> drops;
    std::uint64_t consumed = 0;
    bool operator==(const Outcome&) const = default;
};

/// Segments blue (VNI 100) and red (200); tunnels to 192.0.2.2 (both segments) and .3 (blue).
struct Marks : testing::TestWithParam<std::tuple<TunnelType, bool>> {
    Marks() {
        nic_.set_mac("02:00:00:00:00:aa");
        model_.segments["blue"] = {.name = "blue", .vni = 100};
        model_.segments["red"] = {.name = "red", .vni = 200};
        model_.ports["nic"] = {.name = "nic"};
        Underlay underlay{.name = "u0", .port = "nic"};
        underlay.addresses = {IpPrefix::parse("192.0.2.1/24").value()};
        model_.underlays["u0"] = underlay;
        add_tunnel("n2", "192.0.2.2", {"blue", "red"});
        add_tunnel("n3", "192.0.2.3", {"blue"});
        build();
    }

    void add_tunnel(const std::string& name, const std::string& remote, std::vector<std::string> segments) {
        const auto [type, trusts] = GetParam();
        model_.tunnels[name] = {.name = name,
                                .type = type,
                                .underlay = "u0",
                                .remote = IpAddress::parse(remote).value(),
                                .segments = std::move(segments),
                                .dst_port = type == TunnelType::vxlan ? kVxlanPort : kGenevePort,
                                .trust_groups = trusts};
    }
    void build() {
        snapshot_ =
            build_snapshot(model_, {{"nic", &nic_}}, {{"nic", {0}}}, 1, indices_, policies_, limiters_, mirrors_)
                .value();
    }

    [[nodiscard]] AttachmentIndex attachment(const std::string& tunnel, const std::string& segment) const {
        return *indices_.attachments.find({port_name_of_tunnel(tunnel), segment, 0});
    }
    [[nodiscard]] FlowMark mark(const std::string& tunnel, const std::string& segment) const {
        return snapshot_->marks[attachment(tunnel, segment)].mark;
    }
    /// Such a NIC's mark: it matches addresses, UDP port and VNI, and nothing else.
    [[nodiscard]] FlowMark true_mark(const OuterSpec& spec) const {
        if (spec.local != "192.0.2.1" || spec.udp_port != model_.tunnels.at("n2").dst_port) return kNoMark;
        const std::string segment = spec.vni == 100 ? "blue" : spec.vni == 200 ? "red" : "";
        if (spec.source == "192.0.2.2" && !segment.empty()) return mark("n2", segment);
        if (spec.source == "192.0.2.3" && segment == "blue") return mark("n3", segment);
        return kNoMark;
    }
    [[nodiscard]] OuterSpec plain(const std::string& source = "192.0.2.2", std::uint32_t vni = 100) const {
        const TunnelType type = std::get<0>(GetParam());
        const bool is_vxlan = type == TunnelType::vxlan;
        return {.source = source,
                .type = type,
                .vni = vni,
                .udp_port = is_vxlan ? kVxlanPort : kGenevePort,
                .shim_first = is_vxlan ? std::uint8_t{0x08} : std::uint8_t{0}};
    }

    Outcome take_apart(const std::vector<Marked>& frames, bool with_marks) {
        WorkerCounters& counters = *counters_;
        const auto drops_of = [&] {
            std::vector<std::uint64_t> drops;
            for (const Counter& each : counters.books.drops) drops.push_back(each.read());
            return drops;
        };
        const auto drops_before = drops_of();
        const std::uint64_t consumed = counters.books.consumed.read();
        const std::uint64_t marked = counters.marked.read(), stale = counters.stale_marks.read();
        UnderlayExchange exchange(test_buffers());
        HostWire wire(0, counters, test_buffers());
        Batch batch;
        batch.port = *indices_.ports.find("nic");
        for (const auto& [spec, mark] : frames) {
            const Bytes bytes = tunnelled(spec, frame(1, 7));
            rte_mbuf* const buffer = rte_pktmbuf_alloc(test_buffers());
            std::memcpy(rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(bytes.size())), bytes.data(),
                        bytes.size());
            if (with_marks && mark != kNoMark) {
                buffer->ol_flags |= RTE_MBUF_F_RX_FDIR | RTE_MBUF_F_RX_FDIR_ID;
                buffer->hash.fdir.hi = mark;
            }
            batch.frames[batch.count++] = buffer;
        }
        decapsulate(batch, *snapshot_, counters, exchange, wire);
        marked_ = counters.marked.read() - marked;
        stale_ = counters.stale_marks.read() - stale;
        Outcome outcome;
        for (std::uint16_t row = 0; row < batch.count; ++row) {
            rte_mbuf* const buffer = batch.frames[row];
            EXPECT_EQ(buffer->ol_flags, 0U) << "receive flags stay behind";
            const auto* data = rte_pktmbuf_mtod(buffer, const std::uint8_t*);
            outcome.opened.emplace_back(Bytes(data, data + buffer->data_len), batch.ingress[row],
                                        snapshot_->exchanges_groups ? batch.group[row] : kNoGroupId);
            rte_pktmbuf_free(buffer);
        }
        outcome.drops = drops_of();
        std::ranges::transform(outcome.drops, drops_before, outcome.drops.begin(), std::minus());
        outcome.consumed = counters.books.consumed.read() - consumed;
        return outcome;
    }
    /// With marks; the outcome without must be the same.
    Outcome compare(const std::vector<Marked>& frames) {
        const Outcome without = take_apart(frames, false);
        Outcome with = take_apart(frames, true);
        EXPECT_EQ(with, without);
        return with;
    }
    /// Whether this kind of tunnel has marks at all.
    [[nodiscard]] static bool has_marks() { return GetParam() != std::tuple(TunnelType::geneve, true); }

    MemoryPort nic_{test_buffers()};
    Model model_;
    Indices indices_;
    PolicyCompiler policies_;
    PortLimiters limiters_;
    MirrorCompiler mirrors_;
    std::unique_ptr<Snapshot> snapshot_;
    std::unique_ptr<WorkerCounters> counters_ = std::make_unique<WorkerCounters>();
    std::uint64_t marked_ = 0, stale_ = 0;
};

TEST_P(Marks, LeadToTheAttachmentWithoutALookUp) {
    std::vector<Marked> frames;
    for (const auto& spec : {plain(), plain("192.0.2.3"), plain("192.0.2.2", 200)})
        frames.push_back({spec, true_mark(spec)});
    const Outcome outcome = compare(frames);
    ASSERT_EQ(outcome.opened.size(), 3U);
    EXPECT_EQ(std::get<1>(outcome.opened[1]), attachment("n3", "blue"));
    EXPECT_EQ(marked_, has_marks() ? 3U : 0U);
    EXPECT_EQ(stale_, 0U);
}

TEST_P(Marks, OfFormerRulesAreCountedAndNotBelieved) {
    if (!has_marks()) return;
    const FlowMark former = mark("n2", "red");
    model_.tunnels.at("n2").segments = {"blue"};
    indices_.attachments.retire({port_name_of_tunnel("n2"), "red", 0});
    indices_.attachments.release_retired();
    add_tunnel("n4", "192.0.2.4", {"red"});
    build();
    ASSERT_EQ(attachment("n4", "red"), slot_of(former)) << "the slot is another attachment's";
    ASSERT_NE(mark("n4", "red"), former);
    const Outcome outcome = compare({{plain("192.0.2.2", 200), former}});
    EXPECT_EQ(outcome.opened.size(), 0U) << "node 2 is not in red any more";
    EXPECT_EQ(stale_, 1U);
    EXPECT_EQ(marked_, 0U);
}

TEST_P(Marks, AreCheckedAgainstTheVni) {
    if (!has_marks()) return;
    const Outcome outcome = compare({{plain("192.0.2.2", 200), mark("n2", "blue")}});
    ASSERT_EQ(outcome.opened.size(), 1U);
    EXPECT_EQ(std::get<1>(outcome.opened[0]), attachment("n2", "red"));
    EXPECT_EQ(marked_, 0U);
}

TEST_P(Marks, BeyondAllSlotsAreStale) {
    compare({{plain(), flow_mark(1, 0xfffe)}, {plain(), 0xff'ffffU}});
    EXPECT_EQ(stale_, 2U);
}

TEST_P(Marks, ChangeNothingForFramesOfAnyKind) {
    std::mt19937 random(20);
    const auto one_in = [&](unsigned n) { return random() % n == 0; };
    std::uint64_t marked = 0, stale = 0;
    for (int burst = 0; burst < 1000; ++burst) {
        std::vector<Marked> frames;
        // Half of the bursts have nothing odd in them.
        const bool odd = one_in(2);
        const std::size_t count = 1 + random() % 6;
        while (frames.size() < count) {
            OuterSpec spec = plain("192.0.2." + std::to_string(2 + random() % (odd ? 3 : 2)));
            if (spec.source == "192.0.2.2" && one_in(2)) spec.vni = 200;
            if (std::get<0>(GetParam()) == TunnelType::vxlan && one_in(3)) {
                spec.shim_first = 0x88;
                spec.vxlan_group = static_cast<std::uint16_t>(random());
            }
            if (odd) {
                if (one_in(8)) spec.ecn = static_cast<std::uint8_t>(random() % 4);
                if (one_in(16)) spec.fragment = 0x2000;
                if (one_in(16)) spec.shim_first = static_cast<std::uint8_t>(random());
                if (one_in(16)) spec.shim_second = static_cast<std::uint8_t>(random());
                if (one_in(16)) spec.has_udp_checksum = true;
                if (one_in(16)) spec.udp_length_off = static_cast<int>(random() % 5) - 2;
                if (one_in(16)) spec.ip_length_off = static_cast<int>(random() % 5) - 2;
                if (one_in(16)) spec.breaks_ip_checksum = true;
                if (one_in(16)) spec.padding = 1 + random() % 6;
                if (one_in(16)) spec.vni = 300;
            }
            FlowMark mark = one_in(odd ? 4 : 50) ? kNoMark : true_mark(spec);
            if (mark != kNoMark && one_in(16)) mark ^= 1U << 16 << random() % 8;
            frames.push_back({spec, mark});
        }
        compare(frames);
        marked += marked_;
        stale += stale_;
    }
    EXPECT_EQ(marked > 300, has_marks()) << "the short way was taken often, or there is none: " << marked;
    EXPECT_EQ(stale > 30, has_marks()) << stale;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Marks,
                         testing::Combine(testing::Values(TunnelType::vxlan, TunnelType::geneve), testing::Bool()),
                         [](const auto& kind) {
                             return std::string(std::get<0>(kind.param) == TunnelType::vxlan ? "Vxlan" : "Geneve") +
                                    (std::get<1>(kind.param) ? "WithGroups" : "");
                         });

}  // namespace
}  // namespace bulkhead::test
