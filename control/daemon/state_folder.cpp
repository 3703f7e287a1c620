// SPDX-License-Identifier: Apache-2.0
#include "control/daemon/state_folder.h"

#include <spdlog/spdlog.h>

#include "control/config/config_document.h"
#include "control/rpc/json_rpc.h"

namespace bulkhead::daemon {

namespace {

Result<DurableState> decoded(const SavedState& saved, const std::string& folder) {
    auto refuse = [&](Error error) {
        error.message = "the state in " + folder + " can't be read: " + error.field + " " + error.message;
        return failure(std::move(error));
    };
    auto parsed = rpc::parse_json(saved.body);
    if (!parsed) return refuse(std::move(parsed.error()));
    auto document = config::decode_document(*parsed);
    if (!document) return refuse(std::move(document.error()));
    return DurableState{saved.generation, std::move(document->model)};
}

}  // namespace

Result<> StateFolder::check(const std::string& folder) {
    auto saved = StateFile::look(folder);
    if (!saved) return failure(std::move(saved.error()));
    if (!*saved) return {};
    auto state = decoded(**saved, folder);
    if (!state) return failure(std::move(state.error()));
    return {};
}

Result<DurableState> StateFolder::load(bool recover) {
    std::optional<SavedState> saved;
    if (recover) {
        auto recovered = file_.load_last_good();
        if (!recovered) return failure(std::move(recovered.error()));
        if (!recovered->set_aside.empty()) spdlog::warn("damaged state set aside as {}", recovered->set_aside);
        saved = std::move(recovered->state);
    } else {
        auto loaded = file_.load();
        if (!loaded) return failure(std::move(loaded.error()));
        saved = std::move(*loaded);
    }
    if (!saved) return DurableState{};
    return decoded(*saved, file_.folder());
}

Result<> StateFolder::save(const DurableState& state) {
    return file_.save(state.generation, config::encode_document({.node = {}, .model = state.model}).dump());
}

}  // namespace bulkhead::daemon
