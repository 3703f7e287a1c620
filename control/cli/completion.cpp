// SPDX-License-Identifier: Apache-2.0
#include "control/cli/completion.h"

#include <algorithm>
#include <string_view>

#include "control/api/methods.h"
#include "control/cli/arguments.h"
#include "control/cli/help.h"
#include "control/cli/policy_import.h"
#include "control/cli/text.h"

namespace bulkhead::cli {
namespace {

constexpr std::string_view kHead = R"(# bash completion of bulkheadctl; made by: bulkheadctl completion bash

# Names of the objects of a noun, by asking the switch; nothing when it does not answer. Only what is a name: compgen
# expands what it is given, and whoever answers on that socket need not be a switch.
_bulkheadctl_names() {
    bulkheadctl "${_bulkheadctl_socket[@]}" --timeout 2 --json "$1" list 2>/dev/null |
        grep -o '"name":"[A-Za-z0-9._-]*"' | cut -d'"' -f4
}

_bulkheadctl_verbs() {
    case $1 in
)";

constexpr std::string_view kOptionsHead = R"(    esac
}

_bulkheadctl_options() {
    case $1 in
)";

constexpr std::string_view kBody =
    R"(declare -gA _bulkheadctl_named=([--segment]=segment [--port]=port [--tunnel]=tunnel [--underlay]=underlay)

_bulkheadctl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} at candidates=
    local -a words=() _bulkheadctl_socket=()
    COMPREPLY=()
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
            --socket) _bulkheadctl_socket=(--socket "${COMP_WORDS[++at]}") ;;
            --timeout) ((++at)) ;;
            --json) ;;
            *) words+=("${COMP_WORDS[at]}") ;;
        esac
    done
    if [[ $previous == --socket || $previous == --labels || $current == @* ]]; then
        local prefix=
        [[ $current == @* ]] && prefix=@
        mapfile -t COMPREPLY < <(compgen -P "$prefix" -f -- "${current#@}")
        return
    fi
    case ${#words[@]} in
        0) candidates="$_bulkheadctl_nouns call top watch completion --socket --json --timeout --help --version" ;;
        1) candidates=$(_bulkheadctl_verbs "${words[0]}") ;;
        *)
            if [[ $current == -* ]]; then
                candidates=$(_bulkheadctl_options "${words[0]} ${words[1]}")
            elif [[ ${_bulkheadctl_named[$previous]:-} ]]; then
                candidates=$(_bulkheadctl_names "${_bulkheadctl_named[$previous]}")
            elif [[ ${#words[@]} == 2 && " $_bulkheadctl_by_name " == *" ${words[0]}.${words[1]} "* ]]; then
                candidates=$(_bulkheadctl_names "${words[0]}")
            elif [[ ${words[0]} == fdb && ${#words[@]} == 2 ]]; then
                candidates=$(_bulkheadctl_names segment)
            fi
            ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current")
}

complete -o default -F _bulkheadctl bulkheadctl
)";

bool is_built_in(std::string_view noun) {
    return noun == "policy" || std::ranges::any_of(methods_of(noun), &api::Method::built_in);  // policy has import
}

std::string case_line(std::string_view word, std::string_view words) {
    return std::string("        ").append(word).append(") echo").append(words).append(" ;;\n");
}

std::string verb_cases() {
    std::string cases, methods;
    for (const auto noun : nouns()) {
        if (!is_built_in(noun)) continue;
        std::string verbs = noun == "policy" ? " import" : "";
        for (const api::Method* method : methods_of(noun)) {
            if (!method->built_in) continue;
            verbs.append(" ").append(method->name.substr(noun.size() + 1));
            methods.append(" ").append(method->name);
        }
        cases += case_line(noun, verbs);
    }
    return cases + case_line("call", methods) + case_line("completion", " bash") +
           case_line("top", " --iterations --interval --sort");
}

std::string option_cases() {
    std::string cases;
    for (const api::Method& method : api::method_table()) {
        if (!method.built_in) continue;
        std::string options = " --help";
        for (const api::Field& field : method.params)
            if (field.built_in) options.append(" ").append(option_name(field));
        cases += case_line('"' + spoken(method.name) + '"', options);
    }
    return cases + case_line("\"policy import\"", kPolicyImportOptions);
}

/// The methods whose first word is the name of something that exists.
std::string methods_by_name() {
    std::string names;
    for (const api::Method& method : api::method_table()) {
        const bool by_name =
            !method.params.empty() && method.params.front().name == "name" && method.params.front().required;
        if (method.built_in && by_name && !method.name.ends_with(".add")) names.append(" ").append(method.name);
    }
    return names.empty() ? names : names.substr(1);
}

std::string built_in_nouns() {
    std::string names;
    for (const auto noun : nouns())
        if (is_built_in(noun)) names.append(names.empty() ? "" : " ").append(noun);
    return names;
}

}  // namespace

std::string bash_completion() {
    return std::string(kHead)
        .append(verb_cases())
        .append(kOptionsHead)
        .append(option_cases())
        .append("    esac\n}\n\n_bulkheadctl_nouns=\"" + built_in_nouns() + "\"\n_bulkheadctl_by_name=\"" +
                methods_by_name() + "\"\n")
        .append(kBody);
}

}  // namespace bulkhead::cli
