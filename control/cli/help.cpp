// SPDX-License-Identifier: Apache-2.0
#include "control/cli/help.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "control/api/vocabulary.h"
#include "control/cli/arguments.h"
#include "control/cli/text.h"

namespace bulkhead::cli {
namespace {

constexpr std::string_view kNotYet = " (not built in yet)";

/// Two columns: what to type, and what it does.
class Glossary {
  public:
    void add(std::string term, std::string meaning) { entries_.emplace_back(std::move(term), std::move(meaning)); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] std::string text() const {
        std::size_t width = 0;
        for (const auto& [term, meaning] : entries_) width = std::max(width, display_width(term));
        std::string lines;
        for (const auto& [term, meaning] : entries_)
            lines += concat({"  ", term, std::string(width - display_width(term) + 2, ' '), meaning, "\n"});
        return lines;
    }

  private:
    std::vector<std::pair<std::string, std::string>> entries_;
};

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](unsigned char letter) { return std::toupper(letter); });
    return result;
}

std::string_view verb_of(const api::Method& method) {
    return method.name.substr(method.name.find('.') + 1);
}

/// What stands after the option: its type, for an array what it holds.
std::string placeholder(const api::Field& field) {
    switch (field.type) {
        case api::JsonType::boolean:
            return "";
        case api::JsonType::integer:
            return " N";
        case api::JsonType::array:
            return field.items == api::JsonType::object ? " JSON|@FILE" : " A,B,…";
        case api::JsonType::object:
            return " JSON|@FILE";
        case api::JsonType::string:
        case api::JsonType::any:
            break;
    }
    return " TEXT";
}

std::string meaning_of(const api::Field& field) {
    std::string text(field.help);
    if (!field.default_json.empty()) text.append(" (default ").append(field.default_json).append(")");
    if (!field.built_in) text += kNotYet;
    return text;
}

constexpr std::string_view kGlobalOptions =
    "Options everywhere:\n"
    "  --socket PATH      control socket (default: $BULKHEAD_SOCKET, or /run/bulkhead/control.sock)\n"
    "  --json             print the result as it came\n"
    "  --timeout SECONDS  how long to wait for an answer (default 60)\n"
    "  --help             this; after NOUN or NOUN VERB: more about it\n"
    "  --version          the version of this program\n";

}  // namespace

std::vector<std::string_view> nouns() {
    std::vector<std::string_view> result;
    for (const api::Method& method : api::method_table()) {
        const auto noun = method.name.substr(0, method.name.find('.'));
        if (result.empty() || result.back() != noun) result.push_back(noun);
    }
    return result;
}

std::vector<const api::Method*> methods_of(std::string_view noun) {
    std::vector<const api::Method*> result;
    for (const api::Method& method : api::method_table())
        if (method.name.substr(0, method.name.find('.')) == noun) result.push_back(&method);
    return result;
}

std::string program_help() {
    Glossary built_in, planned;
    for (const auto noun : nouns()) {
        std::string verbs, planned_verbs;
        for (const api::Method* method : methods_of(noun))
            (method->built_in ? verbs : planned_verbs).append(" ").append(verb_of(*method));
        if (!verbs.empty()) built_in.add(std::string(noun), verbs.substr(1));
        if (!planned_verbs.empty()) planned.add(std::string(noun), planned_verbs.substr(1));
    }
    Glossary others;
    others.add("call METHOD [JSON]", "any method, by its name; prints JSON (`-`: parameters from standard input)");
    others.add("policy import FILE", "Kubernetes' MultiNetworkPolicies as groups and rules");
    others.add("top [-n N] [--interval SECONDS] [--sort KEY]", "rates of ports and workers, live");
    others.add("watch [KIND…]", "events as they happen");
    others.add("completion bash", "a script for bash: source <(bulkheadctl completion bash)");
    return concat({"Usage: bulkheadctl [--socket PATH] [--json] NOUN VERB [ARGS]\n\nNouns and their verbs:\n",
                   built_in.text(), "\nNot built in yet:\n", planned.text(), "\nOther commands:\n", others.text(), "\n",
                   kGlobalOptions, "\nExit status: 0 done, 1 the switch said no, 2 wrong usage, 3 no connection.\n"});
}

std::string noun_help(std::string_view noun) {
    Glossary verbs;
    for (const api::Method* method : methods_of(noun))
        verbs.add(std::string(verb_of(*method)), concat({method->help, method->built_in ? "" : kNotYet}));
    if (noun == "policy") verbs.add("import", "make groups and rules of Kubernetes' MultiNetworkPolicies");
    return concat({"Usage: bulkheadctl ", noun, " VERB [ARGS]\n\nVerbs:\n", verbs.text(), "\nbulkheadctl ", noun,
                   " VERB --help says more.\n"});
}

std::string method_help(const api::Method& method) {
    std::string text = concat({"Usage: bulkheadctl ", spoken(method.name)});
    Glossary required, optional;
    for (const api::Field& field : method.params) {
        if (field.required) {
            text += concat({" ", upper(field.name)});
            required.add(concat({upper(field.name), " (", option_name(field), ")"}), meaning_of(field));
        } else {
            if (field.bare_word) text += concat({" [", upper(field.name), "]"});
            optional.add(concat({option_name(field), placeholder(field)}), meaning_of(field));
        }
    }
    text += concat({optional.empty() ? "" : " [OPTIONS]", "\n\n", method.help, method.built_in ? "" : kNotYet, "\n"});
    if (!required.empty()) text += concat({"\nNeeded:\n", required.text()});
    if (!optional.empty()) text += concat({"\nOptions:\n", optional.text()});
    std::string roles;
    for (const auto role : api::role_names(method.roles)) roles += concat({roles.empty() ? "" : ", ", role});
    text += concat({"\nResult: ", method.result, "\nRoles:  ", roles, "\n"});
    if (!method.example.empty()) text += concat({"\nExample:\n  bulkheadctl ", method.example, "\n"});
    return text;
}

}  // namespace bulkhead::cli
