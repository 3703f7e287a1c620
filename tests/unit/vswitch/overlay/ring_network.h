// SPDX-License-Identifier: Apache-2.0
// Nodes with a ring watch each, joined by tunnels, in a time of their own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "vswitch/overlay/ring_watch.h"

namespace bulkhead::test {

inline constexpr std::uint32_t kVni = 100;
inline constexpr std::uint64_t kDelay = 5;  ///< ms from node to node, most of it the time that a node takes
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
            if (outcome.kind == RingWatch::Outcome::Kind::cut) cuts[node].insert(outcome.link);
            if (outcome.kind == RingWatch::Outcome::Kind::lifted) cuts[node].erase(outcome.link);
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
    std::map<RingWatch::Outcome::Kind, unsigned> outcomes;
    std::uint64_t now = 1'000'000;
    std::uint64_t frames = 0;
    unsigned loss_percent = 0;
};

}  // namespace bulkhead::test
