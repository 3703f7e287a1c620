// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/validate.h"

#include "vswitch/model/admission.h"

namespace bulkhead {

Result<> validate(const Model& model) {
    Admission admission;
    for (const auto& [name, segment] : model.segments) {
        if (auto ok = admission.add(segment); !ok) return ok;
    }
    for (const auto& [key, group] : model.groups) {
        if (auto ok = admission.add(group); !ok) return ok;
    }
    for (const auto& [name, port] : model.ports) {
        if (auto ok = admission.add(port); !ok) return ok;
    }
    for (const auto& [name, underlay] : model.underlays) {
        if (auto ok = admission.add(underlay); !ok) return ok;
    }
    for (const auto& [name, tunnel] : model.tunnels) {
        if (auto ok = admission.add(tunnel); !ok) return ok;
    }
    for (const auto& [key, entry] : model.static_macs) {
        if (auto ok = admission.add(entry); !ok) return ok;
    }
    for (const auto& [key, policy] : model.policies) {
        if (auto ok = admission.add(policy); !ok) return ok;
    }
    for (const auto& [name, mirror] : model.mirrors) {
        if (auto ok = admission.add(mirror); !ok) return ok;
    }
    return {};
}

}  // namespace bulkhead
