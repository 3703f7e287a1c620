// SPDX-License-Identifier: Apache-2.0
// What the switch says of its own decisions.
#include "vswitch/explain/explain_packet.h"
#include "vswitch/switch_impl.h"

namespace bulkhead {

Result<PacketExplanation> Switch::explain_packet(const PacketQuestion& question) const {
    return bulkhead::explain_packet({.snapshot = *impl_->snapshots_.read(),
                                     .indices = impl_->indices_,
                                     .macs = *impl_->macs_,
                                     .rings = impl_->ring_guard_,
                                     .connections = *impl_->connections_,
                                     .fragments = impl_->fragments_,
                                     .buffers = impl_->settings_.buffers},
                                    question);
}

}  // namespace bulkhead
