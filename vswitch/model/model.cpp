// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/model.h"

#include <algorithm>

namespace bulkhead {

std::uint16_t device_mtu(const Port& port, const Model& model) {
    if (port.mtu) return *port.mtu;
    std::uint16_t largest = 0;
    for (const Attachment& attachment : port.attachments) {
        if (auto segment = model.segments.find(attachment.segment); segment != model.segments.end()) {
            largest = std::max(largest, segment->second.mtu);
        }
    }
    for (const auto& [name, underlay] : model.underlays)
        if (underlay.port == port.name) largest = std::max(largest, underlay.mtu);
    return largest != 0 ? largest : kDefaultMtu;
}

}  // namespace bulkhead
