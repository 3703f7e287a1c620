// SPDX-License-Identifier: Apache-2.0
// Which attachment a tunnelled frame belongs to: (outer source, VNI) → (tunnel, segment). Built with the snapshot and
// never changed; its cost does not grow with the number of remotes.
#pragma once

#include <cstdint>
#include <cstring>
#include <unordered_map>

#include <rte_hash_crc.h>

#include "vswitch/base/drop_reason.h"
#include "vswitch/base/ids.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/model/model.h"

namespace bulkhead {

class TunnelIndex {
  public:
    struct Remote {
        TunnelType type = TunnelType::vxlan;
        std::uint16_t udp_port = 0;
        bool wants_checksum = false;  ///< a datagram without UDP checksum is not taken
    };
    struct Found {
        AttachmentIndex attachment = kNoAttachment;
        DropReason reason = DropReason::none;  ///< why there is no attachment
        bool wants_checksum = false;
    };

    void add_remote(const IpAddress& address, const Remote& remote) { remotes_.emplace(address, remote); }
    void add_segment(const IpAddress& remote, std::uint32_t vni, AttachmentIndex attachment) {
        attachments_.emplace(Key{remote, vni}, attachment);
    }
    void add_vni(std::uint32_t vni) { vnis_.emplace(vni, true); }

    [[nodiscard]] Found find(const IpAddress& source, TunnelType type, std::uint16_t udp_port,
                             std::uint32_t vni) const noexcept {
        const auto remote = remotes_.find(source);
        if (remote == remotes_.end() || remote->second.type != type || remote->second.udp_port != udp_port)
            return {kNoAttachment, DropReason::unknown_remote};
        if (const auto known = attachments_.find(Key{source, vni}); known != attachments_.end())
            return {known->second, DropReason::none, remote->second.wants_checksum};
        return {kNoAttachment, vnis_.contains(vni) ? DropReason::vni_not_attached : DropReason::unknown_vni};
    }

  private:
    struct Key {
        IpAddress remote;
        std::uint32_t vni = 0;
        bool operator==(const Key&) const = default;
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
    std::unordered_map<Key, AttachmentIndex, Hash> attachments_;
    std::unordered_map<std::uint32_t, bool> vnis_;  ///< of all segments
};

}  // namespace bulkhead
