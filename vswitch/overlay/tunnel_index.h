// SPDX-License-Identifier: Apache-2.0
// Which attachment a tunnelled frame belongs to: (outer source, VNI) → (tunnel, segment). Built with the snapshot and
// never changed; its cost does not grow with the number of remotes.
#pragma once

#include <cstdint>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include <rte_hash_crc.h>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ids.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/model/model.h"
#include "vswitch/overlay/ipv4_vni_table.h"
#include "vswitch/overlay/outer_header.h"

namespace bulkhead {

class TunnelIndex {
  public:
    struct Remote {
        TunnelType type = TunnelType::vxlan;
        std::uint16_t udp_port = 0;
        bool wants_checksum = false;  ///< a datagram without UDP checksum is not taken
        bool has_keepalive = false;   ///< what comes in the management VNI is for the node

        [[nodiscard]] bool speaks(TunnelType asked, std::uint16_t port) const noexcept {
            return type == asked && udp_port == port;
        }
    };
    struct Found {
        AttachmentIndex attachment = kNoAttachment;
        DropReason reason = DropReason::none;  ///< why there is no attachment
        bool wants_checksum = false;
        bool is_for_node = false;  ///< a keepalive; there is no attachment, and no reason to drop
    };

    void add_remote(const IpAddress& address, const Remote& remote) { remotes_.emplace(address, remote); }
    void add_segment(const IpAddress& address, const Remote& remote, std::uint32_t vni, AttachmentIndex attachment) {
        attachments_.emplace(Key{address, vni}, Attached{remote, attachment});
        if (address.is_v4()) ipv4_.add(Ipv4VniTable::key(address, vni), remote.udp_port, attachment);
    }
    void add_vni(std::uint32_t vni) { vnis_.insert(vni); }

    [[nodiscard]] Found find(const IpAddress& source, TunnelType type, std::uint16_t udp_port,
                             std::uint32_t vni) const noexcept {
        if (const auto known = attachments_.find(Key{source, vni});
            known != attachments_.end() && known->second.remote.speaks(type, udp_port)) [[likely]]
            return {known->second.attachment, DropReason::none, known->second.remote.wants_checksum};
        const auto remote = remotes_.find(source);
        if (remote == remotes_.end() || !remote->second.speaks(type, udp_port))
            return {kNoAttachment, DropReason::unknown_remote};
        if (vni == kManagementVni && remote->second.has_keepalive)
            return {kNoAttachment, DropReason::none, remote->second.wants_checksum, true};
        return {kNoAttachment, vnis_.contains(vni) ? DropReason::vni_not_attached : DropReason::unknown_vni};
    }

    /// The same for IPv4 sources, quick and without a reason. All that speak at one UDP port speak one type.
    [[nodiscard]] const Ipv4VniTable& ipv4() const noexcept { return ipv4_; }

  private:
    struct Key {
        IpAddress remote;
        std::uint32_t vni = 0;
        bool operator==(const Key&) const = default;
    };
    struct Attached {
        Remote remote;
        AttachmentIndex attachment = kNoAttachment;
    };
    static std::uint32_t hash(const IpAddress& address, std::uint32_t seed) noexcept {
        std::uint64_t words[2];
        std::memcpy(words, address.octets().data(), sizeof words);
        return rte_hash_crc_8byte(words[1], rte_hash_crc_8byte(words[0], seed));
    }
    struct Hash {
        std::size_t operator()(const IpAddress& address) const noexcept { return hash(address, 0); }
        std::size_t operator()(const Key& key) const noexcept { return hash(key.remote, key.vni); }
    };

    std::unordered_map<IpAddress, Remote, Hash> remotes_;
    std::unordered_map<Key, Attached, Hash> attachments_;
    Ipv4VniTable ipv4_;
    std::unordered_set<std::uint32_t> vnis_;  ///< of all segments
};

}  // namespace bulkhead
