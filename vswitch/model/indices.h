// SPDX-License-Identifier: Apache-2.0
// Hands out the data path's indices: an object keeps its index while it lives, and a freed one is used again only after
// release_retired(), which control calls when every worker and the MAC table have forgotten it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vswitch/base/ids.h"
#include "vswitch/model/model.h"
#include "vswitch/offload/flow_mark.h"

namespace bulkhead {

template <typename Key>
class IndexPool {
  public:
    IndexPool(std::uint16_t first, std::uint16_t limit) : first_(first), next_(first), limit_(limit) {}

    /// The key's index, a new one if it has none; nothing when all are in use.
    std::optional<std::uint16_t> acquire(const Key& key) {
        if (const auto known = by_key_.find(key); known != by_key_.end()) return known->second;
        std::uint16_t index = 0;
        if (!free_.empty()) {
            index = free_.front();
            free_.pop_front();
        } else if (next_ < limit_) {
            index = next_++;
            generations_.push_back(0);
        } else {
            return std::nullopt;
        }
        generations_[index - first_] = generation_after(generations_[index - first_]);
        by_key_.emplace(key, index);
        return index;
    }

    [[nodiscard]] std::optional<std::uint16_t> find(const Key& key) const {
        const auto known = by_key_.find(key);
        return known == by_key_.end() ? std::nullopt : std::optional(known->second);
    }

    /// The key is gone, its index not yet free.
    void retire(const Key& key) {
        const auto known = by_key_.find(key);
        if (known == by_key_.end()) return;
        retired_.push_back(known->second);
        by_key_.erase(known);
    }

    void release_retired() {
        free_.insert(free_.end(), retired_.begin(), retired_.end());
        retired_.clear();
    }

    [[nodiscard]] const std::map<Key, std::uint16_t>& in_use() const { return by_key_; }
    [[nodiscard]] std::uint16_t bound() const { return next_; }  ///< every index handed out so far is below
    /// Which of its uses an index is in: see flow_mark.h.
    [[nodiscard]] std::uint8_t generation(std::uint16_t index) const { return generations_[index - first_]; }

  private:
    std::uint16_t first_, next_, limit_;
    std::map<Key, std::uint16_t> by_key_;
    std::vector<std::uint8_t> generations_;  ///< by index, from first_ on
    std::deque<std::uint16_t> free_;         ///< the one that is free for longest is next
    std::vector<std::uint16_t> retired_;
};

/// An attachment is named by its port, its segment and its VLAN: if one of them changes it is another attachment, with
/// no MAC of the former one.
struct AttachmentKey {
    std::string port;
    std::string segment;
    std::uint16_t vlan = 0;
    auto operator<=>(const AttachmentKey&) const = default;
};

[[nodiscard]] inline AttachmentKey key_of(const std::string& port, const Attachment& attachment) {
    return {port, attachment.segment, attachment.vlan.value_or(0)};
}

/// A tunnel has the index of a port, and an attachment in each segment that it carries. Its name among theirs is none
/// that a port can have.
[[nodiscard]] inline std::string port_name_of_tunnel(std::string_view tunnel) {
    return std::string("tunnel:").append(tunnel);
}
/// The other way: nothing if it is the name of a port.
[[nodiscard]] inline std::optional<std::string> tunnel_of_port_name(std::string_view port) {
    constexpr std::string_view kMark = "tunnel:";
    if (!port.starts_with(kMark)) return std::nullopt;
    return std::string(port.substr(kMark.size()));
}

/// Every attachment of the model, those of tunnels included.
template <typename Function>
void for_each_attachment(const Model& model, Function function) {
    for (const auto& [name, port] : model.ports)
        for (const Attachment& attachment : port.attachments) function(key_of(name, attachment));
    for (const auto& [name, tunnel] : model.tunnels)
        for (const std::string& segment : tunnel.segments)
            function(AttachmentKey{port_name_of_tunnel(name), segment, 0});
}

/// Everything that copies: mirrors by ("", name), rules that mirror by (segment, name). No segment's name is empty.
template <typename Function>
void for_each_mirror(const Model& model, Function function) {
    for (const auto& [name, mirror] : model.mirrors) function(std::pair(std::string(), name));
    for (const auto& [key, policy] : model.policies)
        if (policy.action == PolicyAction::mirror) function(key);
}

struct Indices {
    IndexPool<std::string> segments{1, kMaxSegments};
    IndexPool<std::string> ports{0, kMaxPorts};  ///< and tunnels, see port_name_of_tunnel()
    IndexPool<AttachmentKey> attachments{0, kMaxAttachments};
    IndexPool<std::pair<std::string, std::string>> rules{0, kMaxRules};      ///< of policies, by (segment, name)
    IndexPool<std::pair<std::string, std::string>> mirrors{0, kMirrorRows};  ///< see for_each_mirror()
};

}  // namespace bulkhead
