// SPDX-License-Identifier: Apache-2.0
// From what happens in engine and switch to the notifications of events.subscribe and the log.
#pragma once

#include <string>
#include <vector>

#include "control/offload/offload_report.h"
#include "control/rpc/event_hub.h"
#include "control/state/engine.h"
#include "vswitch/switch.h"

namespace bulkhead::daemon {

[[nodiscard]] std::vector<std::string> event_kinds();

class EventStream {
  public:
    explicit EventStream(rpc::EventHub::Deliver deliver) : hub_(event_kinds(), std::move(deliver)) {}

    [[nodiscard]] rpc::EventHub& hub() { return hub_; }
    /// `model`: what is configured, which decides who may see it.
    void publish(const EngineEvent& event, const Model& model);
    void publish(const MacEvents& events, const Model& model);
    void publish(const OverlayEvent& event, const Model& model);
    void publish(const TunnelEvent& event, const Model& model);
    void publish(const RingEvent& event, const Model& model);
    void publish(const PolicyLogEntry& entry, const Model& model);
    void publish(const OffloadEvent& event, const Model& model);

  private:
    void publish_move(const MacEvent& move, const Model& model);

    rpc::EventHub hub_;
};

}  // namespace bulkhead::daemon
