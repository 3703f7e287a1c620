// SPDX-License-Identifier: Apache-2.0
#include "control/cli/watch.h"

#include <ostream>

#include "control/cli/policy_log_line.h"

namespace bulkhead::cli {

using nlohmann::json;

namespace {

json facts_of(const json& notification) {
    json facts = notification.value("params", json::object());
    return facts.is_object() ? facts : json{{"params", facts}};
}

}  // namespace

std::string event_line(const json& notification) {
    const json facts = facts_of(notification);
    if (facts.value("kind", json()) == "policy.log") return policy_log_line(facts);
    std::string line;
    for (const char* first : {"time", "kind"})
        if (facts.contains(first)) line += concat({line.empty() ? "" : " ", one_line(facts.at(first))});
    for (const auto& [key, value] : facts.items())
        if (key != "time" && key != "kind" && key != "seq") line += concat({" ", printable(key), "=", one_line(value)});
    return line;
}

int run_watch(const Session& session) {
    json params = json::object();
    for (std::size_t at = 1; at < session.line.words.size(); ++at) {
        const std::string& kind = session.line.words[at];
        if (kind.starts_with('-')) return report(session, UsageError{"watch has no option " + kind});
        params["kinds"].push_back(kind);
    }
    auto client = api::Client::connect(session.line.socket, session.line.timeout);
    if (!client) return report(session, client.error(), "events.subscribe", params);
    if (const auto subscribed = client->call("events.subscribe", params); !subscribed)
        return report(session, subscribed.error(), "events.subscribe", params);
    while (true) {
        const auto notification = client->wait_notification();
        if (!notification) return report(session, notification.error(), "watch", params);
        session.out << (session.line.json ? facts_of(*notification).dump() : event_line(*notification)) << "\n"
                    << std::flush;
        if (!session.out) return kRefused;  // nobody reads any more
    }
}

}  // namespace bulkhead::cli
