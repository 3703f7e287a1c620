// SPDX-License-Identifier: Apache-2.0
#include "control/cli/invoke.h"

#include <algorithm>
#include <ostream>
#include <span>

#include "control/api/methods.h"
#include "control/cli/help.h"
#include "control/cli/json_text.h"
#include "control/cli/render.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;

/// What a method that answers page by page has on its pages; null: it does not.
const char* paged_items(const std::string& method) {
    if (method == "segment.verify") return "pairs";
    return method.ends_with(".list") ? "items" : nullptr;
}

/// Calls such a method until its end, unless the caller bounds it: then the answer is one page and tells where to go
/// on.
api::CallResult<> call_to_the_end(api::Client& client, const std::string& method, json params) {
    const char* const items = paged_items(method);
    const bool is_list = items != nullptr && !params.contains("limit");
    if (is_list && method == "segment.verify") params["limit"] = 1000;  // pairs are many
    auto whole = client.call(method, params);
    if (!whole || !is_list || !whole->is_object() || !whole->contains(items)) return whole;
    while (whole->value("cursor", json()).is_string()) {
        params["cursor"] = whole->at("cursor");
        auto page = client.call(method, params);
        if (!page) return page;
        for (json& item : page->at(items)) whole->at(items).push_back(std::move(item));
        if (page->value("complete", json(true)) != true) (*whole)["complete"] = false;
        const json next = page->value("cursor", json());
        (*whole)["cursor"] = next == params["cursor"] ? json() : next;  // a cursor that stands still would never end
    }
    return whole;
}

UsageError unknown_noun(const std::string& noun) {
    std::string known;
    for (const auto name : nouns()) known.append(known.empty() ? "" : ", ").append(name);
    return {"no noun \"" + printable(noun) + "\"; there are " + known +
            ", and call, top, watch, completion (--help says more)"};
}

UsageError unknown_verb(const std::string& noun, const std::string& verb) {
    std::string known;
    for (const api::Method* method : methods_of(noun))
        known.append(known.empty() ? "" : ", ").append(method->name.substr(noun.size() + 1));
    if (noun == "policy") known += ", import";  // the command line's own
    return {noun + " has no verb \"" + printable(verb) + "\"; it has " + known};
}

int execute(const Session& session, const api::Method& method) {
    const auto arguments = std::span(session.line.words).subspan(2);
    const auto params = parse_arguments(method, arguments, read_text);
    if (!params)
        return report(
            session,
            UsageError{concat({params.error().message, "\nTry: bulkheadctl ", spoken(method.name), " --help"})});

    const std::string name(method.name);
    auto client = api::Client::connect(session.line.socket, session.line.timeout);
    if (!client) return report(session, client.error(), name, *params);
    const auto result = call_to_the_end(*client, name, *params);
    if (!result) return report(session, result.error(), name, *params);
    if (session.line.json)
        print_json(session, *result);
    else
        session.out << render(name, *params, *result, session.screen) << std::flush;
    return kDone;
}

}  // namespace

int run_noun_verb(const Session& session) {
    const auto& words = session.line.words;
    if (methods_of(words[0]).empty()) return report(session, unknown_noun(words[0]));
    if (words.size() == 1) {
        (session.line.help ? session.out : session.err) << noun_help(words[0]);
        return session.line.help ? kDone : kWrongUsage;
    }
    const api::Method* method = api::find_method(words[0] + "." + words[1]);
    if (method == nullptr) return report(session, unknown_verb(words[0], words[1]));
    if (!session.line.help) return execute(session, *method);
    session.out << method_help(*method);
    return kDone;
}

int run_call(const Session& session) {
    const auto& words = session.line.words;
    if (words.size() < 2 || words.size() > 3)
        return report(session, UsageError{"usage: bulkheadctl call METHOD [JSON]"});
    json params = json::object();
    if (words.size() == 3) {
        const bool from_file = words[2] == "-" || words[2].starts_with('@');
        const auto text = from_file ? read_text(words[2].substr(words[2] == "-" ? 0 : 1)) : words[2];
        if (!text) return report(session, UsageError{"call: " + text.error()});
        auto parsed = parse_json(*text);
        if (!parsed) return report(session, UsageError{"call: the parameters are not JSON: " + parsed.error()});
        if (!parsed->is_structured())
            return report(session, UsageError{"call: parameters are a JSON object; got " + one_line(*parsed)});
        params = std::move(*parsed);
    }
    auto client = api::Client::connect(session.line.socket, session.line.timeout);
    if (!client) return report(session, client.error(), words[1], params);
    // The method need not be in our table: an older bulkheadctl can call what a newer switch has.
    const auto result = client->call(words[1], params);
    if (!result) return report(session, result.error(), words[1], params);
    print_json(session, *result);
    return kDone;
}

}  // namespace bulkhead::cli
