// SPDX-License-Identifier: Apache-2.0
#include "vswitch/explain/names.h"

namespace bulkhead {

Names::Names(const Indices& indices)
    : attachments_(indices.attachments.bound()), rules_(indices.rules.bound()), mirrors_(indices.mirrors.bound()) {
    for (const auto& [key, index] : indices.attachments.in_use()) attachments_[index] = &key;
    for (const auto& [key, index] : indices.rules.in_use()) rules_[index] = &key;
    for (const auto& [key, index] : indices.mirrors.in_use()) mirrors_[index] = &key;
}

FramePlace Names::place(AttachmentIndex attachment) const {
    const AttachmentKey& key = *attachments_[attachment];
    FramePlace place;
    if (auto tunnel = tunnel_of_port_name(key.port))
        place.tunnel = std::move(*tunnel);
    else
        place.port = key.port;
    if (key.vlan != 0) place.vlan = key.vlan;
    return place;
}

std::string Names::spoken(AttachmentIndex attachment) const {
    const FramePlace at = place(attachment);
    std::string text = at.tunnel.empty() ? "port " + at.port : "tunnel " + at.tunnel;
    if (at.vlan) text += ", VLAN " + std::to_string(*at.vlan);
    return text;
}

}  // namespace bulkhead
