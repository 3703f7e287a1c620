// SPDX-License-Identifier: Apache-2.0
// Nodes with a ring watch each, joined to rings, trees and meshes: who cuts, when, and whether the segment stays whole.
#include "vswitch/overlay/ring_watch.h"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/vswitch/overlay/ring_network.h"

namespace bulkhead::test {
namespace {

using Kind = RingWatch::Outcome::Kind;

std::vector<Edge> ring(unsigned nodes) {
    std::vector<Edge> edges;
    for (unsigned node = 0; node < nodes; ++node) edges.push_back({node, (node + 1) % nodes});
    return edges;
}
std::vector<Edge> mesh(unsigned nodes, bool is_mesh) {
    std::vector<Edge> edges;
    for (unsigned a = 0; a < nodes; ++a)
        for (unsigned b = a + 1; b < nodes; ++b) edges.push_back({a, b, is_mesh});
    return edges;
}

class Seeds : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(All, Seeds, testing::Range(1U, 21U));

TEST_P(Seeds, ARingOfFiveIsCutOnceWithinASecondAndStaysSo) {
    Network network(5, ring(5), GetParam());
    network.run(1000);
    EXPECT_EQ(network.cut_links(), 1U);
    EXPECT_TRUE(network.is_whole());
    network.run(20'000);
    EXPECT_EQ(network.cut_links(), 1U);
    EXPECT_TRUE(network.is_whole());
    EXPECT_EQ(network.outcomes[Kind::cut], 1U);
    EXPECT_EQ(network.outcomes[Kind::lifted], 0U);
    EXPECT_GE(network.outcomes[Kind::relearn], 5U) << "all forget which way addresses are";
}

TEST_P(Seeds, TheNodeWithTheLeastNumberOnTheRingCuts) {
    // Its pendant neighbour is on no ring, whatever its number.
    std::vector<Edge> edges = ring(4);
    edges.push_back({0, 4});
    Network network(5, edges, GetParam());
    std::mt19937_64 numbers(GetParam());
    std::vector<std::uint64_t> of_ring(4);
    for (std::uint64_t& number : of_ring) number = numbers();
    network.run(1000);
    const auto least = static_cast<std::size_t>(std::ranges::min_element(of_ring) - of_ring.begin());
    EXPECT_EQ(network.cut_links(), 1U);
    EXPECT_EQ(network.cuts[least].size(), 1U);
}

TEST_P(Seeds, LossDelaysButDoesNotPart) {
    Network network(5, ring(5), GetParam());
    network.loss_percent = 10;
    network.run(5000);
    EXPECT_LE(network.frames, 5U * 50 * 11) << "no storm: each node sends each frame on once";
    network.run(15'000);
    network.loss_percent = 0;
    network.run(15'000);
    EXPECT_EQ(network.cut_links(), 1U);
    EXPECT_TRUE(network.is_whole());
}

TEST_P(Seeds, AMeshOfSpokesIsCutToATree) {
    Network network(5, mesh(5, false), GetParam());
    network.run(40'000);
    EXPECT_EQ(network.cut_links(), 6U) << "of ten; four make a tree";
    EXPECT_TRUE(network.is_whole());
}

TEST_P(Seeds, ASpokeToTwoNodesOfAMeshIsCutAndNotTheMesh) {
    std::vector<Edge> edges = mesh(4, true);
    edges.push_back({4, 0});
    edges.push_back({4, 1});
    Network network(5, edges, GetParam());
    network.run(1000);
    EXPECT_EQ(network.cut_links(), 1U);
    for (const auto& of_node : network.cuts)
        for (const AttachmentIndex cut : of_node) EXPECT_FALSE(network.edges[cut].is_mesh);
    EXPECT_TRUE(network.is_whole());
}

TEST(RingWatch, TreesAndMeshesAreLeftAlone) {
    const std::vector<Edge> star = {{0, 1}, {0, 2}, {0, 3}, {0, 4}};
    const std::vector<Edge> tree = {{0, 1}, {0, 2}, {1, 3}, {1, 4}};
    const std::vector<Edge> two_meshes = {{0, 1, true}, {0, 2, true}, {1, 2, true}, {0, 3, false}, {3, 4, true}};
    for (const auto& edges : {star, tree, mesh(5, true), two_meshes}) {
        Network network(5, edges);
        network.run(5000);
        EXPECT_TRUE(network.outcomes.empty());
        EXPECT_TRUE(network.is_whole());
    }
}

TEST_P(Seeds, ALinkIsUsedAgainWhenTheRingIsMended) {
    Network network(5, ring(5), GetParam());
    network.run(1000);
    ASSERT_EQ(network.cut_links(), 1U);
    unsigned other = 0;
    for (const auto& of_node : network.cuts)
        for (const AttachmentIndex cut : of_node) other = (cut + 2U) % 5;
    network.disconnect(other);
    EXPECT_FALSE(network.is_whole());
    network.run(RingWatch::kLiftMs + 2 * RingWatch::kCheckMs);
    EXPECT_EQ(network.cut_links(), 0U);
    EXPECT_TRUE(network.is_whole());
}

TEST(RingWatch, ACutGoesWithItsTunnel) {
    Network network(5, ring(5));
    network.run(1000);
    unsigned cut = UINT32_MAX;
    for (const auto& of_node : network.cuts)
        for (const AttachmentIndex link : of_node) cut = link;
    ASSERT_NE(cut, UINT32_MAX);
    network.disconnect(cut);
    EXPECT_EQ(network.cut_links(), 0U);
    EXPECT_EQ(network.outcomes[Kind::lifted], 1U);
    EXPECT_TRUE(network.is_whole());
}

TEST(RingWatch, AnswersForItsOwnSegmentAndHopsOnly) {
    RingWatch watch(7, kVni);
    watch.set_links({{1, false}, {2, false}, {3, true}, {4, true}});
    const auto heard = [&](AttachmentIndex by, const RingProbe& probe) {
        watch.hear(by, probe, 1000);
        std::set<AttachmentIndex> to;
        for (const auto& outgoing : watch.take_outgoing()) {
            EXPECT_EQ(outgoing.probe.hops, probe.hops - 1);
            to.insert(outgoing.by);
        }
        return to;
    };
    const RingProbe probe{.sender = 9, .vni = kVni, .sequence = 1, .kind = RingProbe::Kind::question, .hops = 3};
    const auto with = [&](std::uint32_t sequence, std::uint32_t vni, std::uint8_t hops) {
        RingProbe other = probe;
        other.sequence = sequence;
        other.vni = vni;
        other.hops = hops;
        return other;
    };
    EXPECT_EQ(heard(1, probe), (std::set<AttachmentIndex>{2, 3, 4}));
    EXPECT_EQ(heard(2, probe), std::set<AttachmentIndex>{}) << "each once";
    EXPECT_EQ(heard(3, with(2, kVni, 3)), (std::set<AttachmentIndex>{1, 2})) << "split horizon";
    EXPECT_EQ(heard(1, with(3, kVni + 1, 3)), std::set<AttachmentIndex>{});
    EXPECT_EQ(heard(1, with(4, kVni, 0)), std::set<AttachmentIndex>{});
    EXPECT_EQ(heard(9, with(5, kVni, 3)), std::set<AttachmentIndex>{}) << "no link of the segment";
}

TEST(RingWatch, CutsOnlyWhatIsARingStill) {
    // Another one cut while this node stood for election: its claims come back no more.
    RingWatch watch(7, kVni);
    watch.set_links({{1, false}, {2, false}});
    watch.suspect(1, 1000);
    watch.hear(2, watch.take_outgoing().at(0).probe, 1010);
    EXPECT_EQ(watch.take_outgoing().at(0).probe.kind, RingProbe::Kind::claim);
    for (std::uint64_t now = 1100; now < 3000; now += 100) watch.tick(now);
    EXPECT_EQ(watch.take_outcomes(), (std::vector<RingWatch::Outcome>{{Kind::suspected, 1}}));
}

TEST(RingWatch, IsNotFooledByAnEcho) {
    // The far side sends back by the link what came by it: nothing that a cut here would mend.
    RingWatch watch(7, kVni);
    watch.set_links({{1, false}, {2, false}});
    watch.suspect(1, 1000);
    for (std::uint64_t now = 1000; now < 3000; now += 100) {
        for (const auto& outgoing : watch.take_outgoing()) watch.hear(outgoing.by, outgoing.probe, now);
        watch.tick(now);
    }
    EXPECT_EQ(watch.take_outcomes(), (std::vector<RingWatch::Outcome>{{Kind::suspected, 1}}));
}

TEST(RingProbe, IsReadAsItWasWritten) {
    const RingProbe probe{.sender = 0x0123'4567'89ab'cdefULL,
                          .vni = 0xabcdef,
                          .sequence = 0x1234'5678,
                          .kind = RingProbe::Kind::check,
                          .hops = 31};
    const RingProbeFrame frame = write_ring_probe(probe);
    EXPECT_EQ(read_ring_probe(frame), probe);
    EXPECT_EQ(load_big_endian<std::uint16_t>(&frame[12]), 0x88b5);
    EXPECT_EQ(frame[0] & 1, 1) << "to a group";
    EXPECT_EQ(frame[6] & 1, 0) << "from one station";
    for (const std::size_t wrong : {12U, 14U, 18U, 19U}) {
        RingProbeFrame other = frame;
        other[wrong] ^= 0x40;
        EXPECT_EQ(read_ring_probe(other), std::nullopt) << wrong;
    }
    EXPECT_EQ(read_ring_probe(std::span(frame).first(37)), std::nullopt);
}

}  // namespace
}  // namespace bulkhead::test
