// SPDX-License-Identifier: Apache-2.0
#include "control/api/api_markdown.h"

#include <cctype>
#include <span>
#include <sstream>
#include <string_view>
#include <vector>

#include "control/api/methods.h"
#include "control/api/vocabulary.h"
#include "vswitch/base/drop_reason.h"

namespace bulkhead::api {
namespace {

constexpr std::string_view kIntroduction = R"(# The control API

<!-- Made by generate_api_docs from the method table (control/api): change that, then run
     `build/control/api/docs/generate_api_docs docs/api.md`. -->

JSON-RPC 2.0 on a Unix stream socket, `/run/bulkhead/control.sock` (mode 0660) unless `--socket` says otherwise. A request is
one line of at most 16 MiB with no newline inside; replies come in order, one a line; batches and notifications are as the
standard says. Methods are `noun.verb` and take their parameters by name. `bulkheadctl NOUN VERB` is the same method on the command line,
and `bulkheadctl NOUN VERB --help` shows the same text as this page.

- Callers are known by their credentials on the socket; `node.roles` maps users and groups to *admin*, *operator*, *viewer* and
  *tenant*. uid 0 and the daemon's own uid are admin. A tenant sees and touches only what hangs on segments of its own tenant:
  names outside are "not found".
- A change is a transaction: it takes effect as a whole, or not at all. The reply comes when the workers forward by it and it is on disk.
- `add` of what is there already with the same content succeeds and changes nothing. `set` is an RFC 7396 merge patch: lists are
  replaced whole, `null` brings the default back.
- Every `list` answers `{"items", "cursor"}`: give the cursor back to go on; `null` means that this was the end.
- What is *not built in yet* is refused with error -32008.
)";

constexpr std::string_view kExamples = R"(
## Examples

A request and its reply, by hand:

```
$ echo '{"jsonrpc":"2.0","id":1,"method":"segment.add","params":{"name":"blue","vni":100}}' | nc -NU /run/bulkhead/control.sock
{"id":1,"jsonrpc":"2.0","result":{"changed":true,"generation":2,"object":{"name":"blue","vni":100,…}}}
```

A refusal names the field (a JSON pointer), what was got and what is allowed:

```
{"id":2,"jsonrpc":"2.0","error":{"code":-32602,"message":"out of range",
 "data":{"field":"/vni","got":"16777216","allowed":"1-16777215","retryable":false}}}
```

Two pods on one segment, then who is where and why frames were dropped:

```
bulkheadctl segment add blue 100 --mtu 1450
bulkheadctl port add web-0 --type tap --netns /run/netns/web --ifname net1 --segment blue
bulkheadctl port add db-0 --type vhost-user --path /run/bulkhead/vhost/db-0.sock --segment blue
bulkheadctl fdb list --segment blue
bulkheadctl drop list --port web-0
```

The whole desired state of one owner at once; first what it would change:

```
bulkheadctl config apply @node.json --owner controller --dry-run
bulkheadctl config apply @node.json --owner controller --confirm-within-s 60
bulkheadctl config confirm
```
)";

constexpr std::string_view kNotYet = " *(not built in yet)*";

/// A cell of a Markdown table may hold no bare bar.
std::string cell(std::string_view text) {
    std::string escaped;
    for (const char letter : text) {
        if (letter == '|') escaped += '\\';
        escaped += letter;
    }
    return escaped;
}

std::string code(std::string_view text) {
    if (text.empty()) return {};
    return std::string("`").append(cell(text)).append("`");
}

std::string type_text(const Field& field) {
    if (field.type != JsonType::array) return std::string(type_name(field.type));
    return "array of " + std::string(type_name(field.items));
}

std::string join(std::span<const std::string_view> words) {
    std::string text;
    for (const auto word : words) text.append(text.empty() ? "" : ", ").append(word);
    return text;
}

std::string sentence(std::string_view text) {
    std::string written(text);
    if (!written.empty())
        written.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(written.front())));
    return written.append(".");
}

void write_params(std::ostream& out, const Method& method) {
    if (method.params.empty()) {
        out << "\nNo parameters.\n";
        return;
    }
    out << "\n| parameter | type | default | |\n|---|---|---|---|\n";
    for (const Field& field : method.params)
        out << "| " << code(field.name) << " | " << type_text(field) << " | "
            << (field.required ? "*required*" : code(field.default_json)) << " | " << cell(field.help)
            << (field.built_in ? "" : kNotYet) << " |\n";
}

void write_method(std::ostream& out, const Method& method) {
    out << "\n### " << method.name << "\n\n"
        << sentence(method.help) << " Roles: " << join(role_names(method.roles)) << ".\n";
    write_params(out, method);
    out << "\nResult: `" << method.result << "`\n";
    if (!method.example.empty()) out << "\n```\nbulkheadctl " << method.example << "\n```\n";
}

void write_methods(std::ostream& out) {
    out << "\n## Methods\n";
    for (const Method& method : method_table())
        if (method.built_in) write_method(out, method);
    out << "\n### Not built in yet\n\n| method | parameters | |\n|---|---|---|\n";
    for (const Method& method : method_table()) {
        if (method.built_in) continue;
        std::vector<std::string_view> names;
        names.reserve(method.params.size());
        for (const Field& field : method.params) names.push_back(field.name);
        out << "| " << code(method.name) << " | " << code(join(names)) << " | " << cell(method.help) << " |\n";
    }
}

void write_object(std::ostream& out, const ObjectType& type) {
    out << "\n### " << type.name << "\n\n";
    if (!type.place.empty()) out << "At `" << type.place << "`: ";
    out << (type.place.empty() ? sentence(type.help) : std::string(type.help).append("."))
        << "\n\n| field | type | default | |\n|---|---|---|---|\n";
    for (const Field& field : type.fields)
        out << "| " << code(field.name) << " | " << type_text(field) << " | "
            << (field.required ? "*required*" : code(field.default_json)) << " | " << cell(field.help)
            << (field.immutable ? "; fixed once the object exists" : "") << (field.built_in ? "" : kNotYet) << " |\n";
}

void write_configuration(std::ostream& out) {
    out << "\n## Configuration\n\nOne JSON object, the same in the file, in `config.apply` and in `config.get`. Names "
           "match "
           "`[A-Za-z0-9][A-Za-z0-9._-]{0,62}`.\n";
    for (const ObjectType& type : object_types()) write_object(out, type);
}

void write_errors(std::ostream& out) {
    out << "\n## Errors\n\n`data` is `{\"field\": JSON pointer, \"got\", \"allowed\", \"retryable\"}`.\n\n"
           "| code | name | |\n|---|---|---|\n";
    for (const ErrorCodeText& error : error_codes())
        out << "| " << static_cast<int>(error.code) << " | " << error.name << " | " << cell(error.help) << " |\n";
}

void write_drop_reasons(std::ostream& out) {
    out << "\n## Drop reasons\n\nEvery frame that is not delivered is counted once, by one of these (`stats.get`, "
           "`drop.list`).\n\n| reason | |\n|---|---|\n";
    for (std::size_t at = 1; at < kDropReasons; ++at) {
        const auto reason = static_cast<DropReason>(at);
        out << "| " << code(to_string(reason)) << " | " << cell(describe(reason)) << " |\n";
    }
}

}  // namespace

std::string api_markdown() {
    std::ostringstream out;
    out << kIntroduction;
    write_methods(out);
    write_configuration(out);
    write_errors(out);
    write_drop_reasons(out);
    out << kExamples;
    return out.str();
}

}  // namespace bulkhead::api
