// SPDX-License-Identifier: Apache-2.0
// Nodes with a ring watch each, joined to rings, trees and meshes: who cuts, when, and whether the segment stays whole.
#include "vswitch/overlay/ring_watch.h"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace bulkhead::test {
namespace {

constexpr std::uint32_t kVni = 100;
constexpr std::uint64_t kDelay = 5;  ///< ms from node to node, most of it the time that a node takes
using Kind = RingWatch::Outcome::Kind;

/// A tunnel; its number is that of the attachments at both ends.
struct Edge {
    unsigned a, b;
    bool is_mesh = false;
};

struct Network {
    Network(unsigned nodes, std::vector<Edge> joined, unsigned seed = 1) : edges(std::move(joined)), random(seed) {
        for (unsigned node = 0; node < nodes; ++node) {
            watches.push_back(std::make_unique<RingWatch>(random(), kVni));
            cuts.emplace_back();
            connect(node);
        }
    }

    void connect(unsigned node) {
        std::vector<RingWatch::Link> links;
        for (unsigned edge = 0; edge < edges.size(); ++edge)
            if (is_of(edge, node)) links.push_back({static_cast<AttachmentIndex>(edge), edges[edge].is_mesh});
        watches[node]->set_links(links);
        drain(node);
    }
    void disconnect(unsigned edge) {
        const Edge gone = edges[edge];
        edges[edge] = {UINT32_MAX, UINT32_MAX};
        connect(gone.a);
        connect(gone.b);
    }

    [[nodiscard]] bool is_of(unsigned edge, unsigned node) const {
        return edges[edge].a == node || edges[edge].b == node;
    }
    [[nodiscard]] unsigned far(unsigned edge, unsigned node) const {
        return edges[edge].a == node ? edges[edge].b : edges[edge].a;
    }

    /// A broadcast of a pod on `origin` on its way through the nodes, each of which takes the first copy only. Returns
    /// how many nodes it came to; those that get a second copy suspect a ring.
    unsigned flood(unsigned origin) {
        struct Copy {
            unsigned node, edge;
        };
        constexpr unsigned kPod = UINT32_MAX;
        std::vector<Copy> copies{{origin, kPod}};
        std::set<unsigned> reached;
        while (!copies.empty()) {
            const auto next = copies.begin() + static_cast<std::ptrdiff_t>(random() % copies.size());
            const Copy copy = *next;
            copies.erase(next);
            ++frames;
            const auto by = static_cast<AttachmentIndex>(copy.edge);
            if (copy.edge != kPod && cuts[copy.node].contains(by)) continue;
            if (!reached.insert(copy.node).second) {
                if (copy.edge != kPod) watches[copy.node]->suspect(by, now);
                continue;
            }
            for (unsigned edge = 0; edge < edges.size(); ++edge) {
                const bool is_mesh_to_mesh = copy.edge != kPod && edges[edge].is_mesh && edges[copy.edge].is_mesh;
                if (!is_of(edge, copy.node) || edge == copy.edge || is_mesh_to_mesh) continue;
                if (!cuts[copy.node].contains(static_cast<AttachmentIndex>(edge)))
                    copies.push_back({far(edge, copy.node), edge});
            }
        }
        for (unsigned node = 0; node < watches.size(); ++node) drain(node);
        return static_cast<unsigned>(reached.size());
    }

    void drain(unsigned node) {
        for (const RingWatch::Outgoing& outgoing : watches[node]->take_outgoing()) {
            if (random() % 100 >= loss_percent)
                under_way.emplace(now + kDelay, Message{far(outgoing.by, node), outgoing.by, outgoing.probe});
        }
        for (const RingWatch::Outcome& outcome : watches[node]->take_outcomes()) {
            if (outcome.kind == Kind::cut) cuts[node].insert(outcome.link);
            if (outcome.kind == Kind::lifted) cuts[node].erase(outcome.link);
            ++outcomes[outcome.kind];
        }
    }

    /// Pods on all nodes broadcast, ten times a second each.
    void run(std::uint64_t ms, bool with_traffic = true) {
        for (const std::uint64_t end = now + ms; now < end; ++now) {
            while (!under_way.empty() && under_way.begin()->first <= now) {
                const Message message = under_way.extract(under_way.begin()).mapped();
                if (message.to == UINT32_MAX || !is_of(message.edge, message.to)) continue;
                watches[message.to]->hear(message.edge, message.probe, now);
                drain(message.to);
            }
            for (unsigned each = 0; each < watches.size(); ++each) {
                if (now % 100 == each * 17) {
                    watches[each]->tick(now);
                    drain(each);
                }
            }
            if (with_traffic && now % 20 == 0) flood(static_cast<unsigned>(now / 20 % watches.size()));
        }
    }

    [[nodiscard]] unsigned cut_links() const {
        std::set<AttachmentIndex> all;
        for (const auto& of_node : cuts) all.insert(of_node.begin(), of_node.end());
        return static_cast<unsigned>(all.size());
    }
    [[nodiscard]] bool is_whole() {
        for (unsigned node = 0; node < watches.size(); ++node)
            if (flood(node) != watches.size()) return false;
        return true;
    }

    struct Message {
        unsigned to;
        AttachmentIndex edge;
        RingProbe probe;
    };
    std::vector<Edge> edges;
    std::mt19937_64 random;
    std::vector<std::unique_ptr<RingWatch>> watches;
    std::vector<std::set<AttachmentIndex>> cuts;  ///< by node
    std::multimap<std::uint64_t, Message> under_way;
    std::map<Kind, unsigned> outcomes;
    std::uint64_t now = 1'000'000;
    std::uint64_t frames = 0;
    unsigned loss_percent = 0;
};

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
