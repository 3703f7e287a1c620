// SPDX-License-Identifier: Apache-2.0
// config.get, apply, confirm
#include "control/config/config_document.h"
#include "control/config/config_file.h"
#include "control/config/object_reader.h"
#include "control/methods/objects.h"
#include "control/state/owned_objects.h"
#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLongestConfirmS = 86'400;

// Of the document itself: its fields are below /config.
Error in_config(Error error) {
    error.field.insert(0, "/config");
    return error;
}

// Of the change: about one object, or about none in particular (a generation, a change that is not confirmed).
Error of_change(Error error, const json& document) {
    if (error.object_kind.empty()) return error;
    error = config::locate(std::move(error), document);
    if (error.object_kind.empty()) return in_config(std::move(error));
    // About an object that is not in this document: one of another owner, or one that it leaves out.
    error.field.clear();
    if (error.message.find(in_quotes(error.object_name)) == std::string::npos) {
        error.message.insert(0, error.object_kind + " " + in_quotes(error.object_name) + ": ");
    }
    error.object_kind.clear();
    error.object_name.clear();
    return error;
}

Result<std::optional<std::uint64_t>> number(const json& params, const char* name, std::uint64_t lowest,
                                            std::uint64_t highest) {
    auto found = params.find(name);
    if (found == params.end()) return std::nullopt;
    const bool is_natural =
        found->is_number_unsigned() || (found->is_number_integer() && found->get<std::int64_t>() >= 0);
    const std::uint64_t value = is_natural ? found->get<std::uint64_t>() : 0;
    if (!is_natural || value < lowest || value > highest) {
        return failure(refused(config::pointer_token(name), "is out of range", config::shown(*found),
                               std::to_string(lowest) + "-" + std::to_string(highest))
                           .error());
    }
    return value;
}

// Of the fields that the request names, or that it leaves at another value than they have, the first that differs.
Result<> check_node(const config::Node& node, const config::Node& wanted, const json& written) {
    if (node == wanted) return {};
    const json is = config::encode(node), asked = config::encode(wanted);
    auto name = [&](const json& candidates) {
        for (const auto& [field, value] : candidates.items()) {
            if (is.contains(field) && is[field] != asked[field]) return field;
        }
        return std::string();
    };
    std::string field = name(written);
    if (field.empty()) field = name(is);
    return refused("/config/node" + config::pointer_token(field),
                   "is fixed at start: change it in the configuration file and restart", config::shown(asked[field]),
                   config::shown(is[field]) + " as in config.get, or no node at all");
}

Result<CommitOptions> options_from(const json& params) {
    CommitOptions options;
    options.dry_run = params.value("dry_run", false);
    auto generation = number(params, "expect_generation", 0, UINT64_MAX);
    if (!generation) return failure(std::move(generation.error()));
    options.expect_generation = *generation;
    auto seconds = number(params, "confirm_within_s", 1, kLongestConfirmS);
    if (!seconds) return failure(std::move(seconds.error()));
    if (*seconds) options.confirm_within = std::chrono::seconds(**seconds);
    return options;
}

Result<std::string> owner_from(const json& params) {
    std::string owner = params.value("owner", "");
    if (auto ok = check_optional_name(owner, "/owner"); !ok) return failure(std::move(ok.error()));
    if (owner != config::kFileOwner) return owner;
    Error error = invalid("/owner", "owner \"file\" speaks in the configuration file: change it there and restart",
                          in_quotes(owner), "any other owner")
                      .error();
    error.code = ErrorCode::denied;
    return failure(std::move(error));
}

}  // namespace

Answer config_get(MethodContext& context, const rpc::Call& call) {
    const Model& model = context.engine.configured();
    const bool is_one = call.params.contains("owner");
    return config::encode_document(
        {.node = context.node, .model = is_one ? objects_of(model, call.params["owner"].get<std::string>()) : model});
}

Answer config_apply(MethodContext& context, const rpc::Call& call) {
    auto owner = owner_from(call.params);
    if (!owner) return failure(std::move(owner.error()));
    auto options = options_from(call.params);
    if (!options) return failure(std::move(options.error()));
    const json& wanted = call.params.at("config");
    auto document = config::decode_document(wanted, *owner);
    if (!document) return failure(in_config(std::move(document.error())));
    if (document->node) {
        auto ok = check_node(context.node, *document->node, wanted.at("node"));
        if (!ok) return failure(std::move(ok.error()));
    }
    auto candidate = replace_owner(context.engine.configured(), *owner, document->model);
    if (!candidate) return failure(of_change(std::move(candidate.error()), wanted));
    auto changes = change(context, call, std::move(*candidate), *options);
    if (!changes) return failure(of_change(std::move(changes.error()), wanted));
    return json{
        {"generation", changes->generation}, {"changes", encode(changes->changes)}, {"dry_run", changes->dry_run}};
}

Answer config_confirm(MethodContext& context, const rpc::Call& /*call*/) {
    auto generation = context.engine.confirm();
    if (!generation) return failure(std::move(generation.error()));
    return json{{"generation", *generation}};
}

}  // namespace bulkhead::methods
