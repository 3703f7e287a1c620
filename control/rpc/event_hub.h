// SPDX-License-Identifier: Apache-2.0
// Who wants to hear of what: events.subscribe, events.unsubscribe, and the notifications
//   {"jsonrpc":"2.0","method":"event","params":{"seq":12,"kind":"port.up","time":"2025-01-31T12:00:00.123Z", …}}
// `seq` is one growing sequence for all subscribers; what a subscriber did not ask for or may not see leaves gaps in
// it. A subscriber that reads too slowly loses events, never delays anyone, and is told how many by an event of kind
// "lost" with `count` as soon as it has read on. Called by the control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/rpc/caller.h"
#include "control/rpc/dispatcher.h"
#include "vswitch/base/result.h"

namespace bulkhead::rpc {

class EventHub {
  public:
    /// Queues one line for a connection; false when there is no room (Server::notify).
    using Deliver = std::function<bool(std::uint64_t connection, std::string_view line)>;
    /// Whether this subscriber may know of the event.
    using Visible = std::function<bool(const Caller&)>;

    /// `kinds` are all that will ever be published; subscribing to another is an error. "lost" comes unasked.
    EventHub(std::vector<std::string> kinds, Deliver deliver);

    /// `{kinds?}` → `{"kinds": […], "seq": the last number used}`. Without kinds: all. Subscribing again replaces.
    Result<nlohmann::json> subscribe(const Call& call);
    /// → `{"subscribed": false}`, whether or not there was a subscription.
    Result<nlohmann::json> unsubscribe(const Call& call);

    /// `fields` is an object, its keys beside seq, kind and time; it may say the time of what is not of now. An empty
    /// `visible` shows the event to everyone.
    void publish(std::string_view kind, nlohmann::json fields, const Visible& visible = {});

    void drained(std::uint64_t connection);  ///< there is room again (ServerHooks::on_drained)
    void forget(std::uint64_t connection);   ///< it is closed (ServerHooks::on_closed)

    [[nodiscard]] std::size_t subscribers() const { return subscribers_.size(); }

  private:
    struct Subscriber {
        Caller caller;
        std::set<std::string, std::less<>> kinds;
        std::uint64_t lost = 0;
    };
    [[nodiscard]] std::string line_of(std::string_view kind, nlohmann::json fields);

    const std::vector<std::string> kinds_;
    const Deliver deliver_;
    std::map<std::uint64_t, Subscriber> subscribers_;
    std::uint64_t seq_ = 0;
};

}  // namespace bulkhead::rpc
