// SPDX-License-Identifier: Apache-2.0
#include "control/policy_import/pod_classes.h"

#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "control/policy_import/stable_hash.h"
#include "vswitch/model/policy_model.h"

namespace bulkhead::policy_import {
namespace {

constexpr std::size_t kNumbers = kMaxGroupId - kFirstGroupId + 1U;

/// One text a pod: its parts end in a character that none of them has (a NUL would not pass the reader).
std::string canonical_text(const Pod& pod) {
    std::string text = pod.space + '\0';
    for (const auto& [key, value] : pod.labels) text += key + '\0' + value + '\0';
    return text;
}

/// For people: "shop-web-frontend", of what a name may have (docs/api.md) and short enough for a hash behind it.
std::string readable(const Pod& pod) {
    constexpr std::size_t kLongest = 50;
    std::string text = pod.space;
    for (const auto& [key, value] : pod.labels)
        if (!value.empty()) text += "-" + value;
    text.resize(std::min(text.size(), kLongest));
    for (char& c : text)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.' && c != '_') c = '-';
    if (text.empty() || std::isalnum(static_cast<unsigned char>(text.front())) == 0) text.insert(0, "ns");
    return text;
}

std::string free_name(const Pod& pod, std::set<std::string>& taken) {
    constexpr unsigned kDigits = 8;
    for (std::string text = canonical_text(pod);; text += '+') {
        std::string name = readable(pod) + "-" + hash_digits(text, kDigits);
        if (taken.insert(name).second) return name;
    }
}

std::uint16_t free_id(const Pod& pod, std::set<std::uint16_t>& taken) {
    for (std::uint64_t at = stable_hash(canonical_text(pod));; ++at) {
        const auto id = static_cast<std::uint16_t>(kFirstGroupId + at % kNumbers);
        if (taken.insert(id).second) return id;
    }
}

}  // namespace

Result<std::vector<PodClass>> pod_classes(const Cluster& cluster) {
    std::map<Pod, std::vector<std::string>> ports_of;
    for (const auto& [port, pod] : cluster.ports) ports_of[pod].push_back(port);
    if (ports_of.size() > kNumbers)
        return invalid("/ports", "ports have too many different sets of labels", std::to_string(ports_of.size()),
                       "at most " + std::to_string(kNumbers));
    std::vector<PodClass> classes;
    std::set<std::string> names;
    std::set<std::uint16_t> ids;
    for (auto& [pod, ports] : ports_of)
        classes.push_back({free_name(pod, names), free_id(pod, ids), pod, std::move(ports)});
    return classes;
}

}  // namespace bulkhead::policy_import
