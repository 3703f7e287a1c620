// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/guarded_segments.h"

#include <map>

namespace bulkhead {

std::set<std::string> guarded_segments(const Model& model) {
    std::map<std::string, unsigned> ways;  // of segments with a spoke
    for (const auto& [name, tunnel] : model.tunnels) {
        if (tunnel.horizon != Horizon::spoke) continue;
        for (const std::string& segment : tunnel.segments) ways.try_emplace(segment, 0U);
    }
    if (ways.empty()) return {};
    const auto count = [&ways](const std::string& segment) {
        if (const auto found = ways.find(segment); found != ways.end()) ++found->second;
    };
    for (const auto& [name, tunnel] : model.tunnels)
        for (const std::string& segment : tunnel.segments) count(segment);
    for (const auto& [name, port] : model.ports) {
        if (!std::holds_alternative<EthdevDevice>(port.device)) continue;
        for (const Attachment& attachment : port.attachments) count(attachment.segment);
    }
    std::set<std::string> guarded;
    for (const auto& [segment, number] : ways)
        if (number > 1) guarded.insert(segment);
    return guarded;
}

}  // namespace bulkhead
