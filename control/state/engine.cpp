// SPDX-License-Identifier: Apache-2.0
#include "control/state/engine.h"

#include <algorithm>
#include <set>

#include <spdlog/spdlog.h>

#include "control/config/config_file.h"
#include "control/state/change_rules.h"
#include "control/state/owned_objects.h"

namespace bulkhead {
namespace {

using nlohmann::json;

template <typename Map>
void add_where_free(Map& objects, const Map& saved, std::vector<ObjectKey>& displaced) {
    for (const auto& [name, object] : saved) {
        if (!objects.emplace(name, object).second) displaced.push_back(key_of(object));
    }
}

bool any_may_wait(const std::string& /*port*/) {
    return true;
}

std::uint64_t seconds_left(Time deadline, Time now) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(deadline - now).count();
    return left > 0 ? static_cast<std::uint64_t>(left) : 0;
}

}  // namespace

json encode(const std::vector<Change>& changes) {
    json result = json::array();
    for (const Change& change : changes) {
        result.push_back(
            {{"op", to_string(change.op)}, {"kind", to_string(change.object.kind)}, {"name", change.object.name}});
    }
    return result;
}

std::string described(const json& changes) {
    constexpr std::size_t kShown = 5;
    std::string text;
    for (std::size_t i = 0; i < std::min(kShown, changes.size()); ++i) {
        for (const char* word : {"op", "kind", "name"}) {
            text += (text.empty() ? "" : " ") + changes[i].at(word).get<std::string>();
        }
        if (i + 1 < std::min(kShown, changes.size())) text += ',';
    }
    if (changes.size() > kShown) text += " and " + std::to_string(changes.size() - kShown) + " more";
    return text.empty() ? "nothing" : text;
}

Result<std::vector<ObjectKey>> Engine::start(const Model& file_objects, const DurableState& saved) {
    std::vector<ObjectKey> displaced;
    Model all = file_objects;
    add_where_free(all.segments, saved.model.segments, displaced);
    add_where_free(all.groups, saved.model.groups, displaced);
    add_where_free(all.ports, saved.model.ports, displaced);
    add_where_free(all.underlays, saved.model.underlays, displaced);
    add_where_free(all.tunnels, saved.model.tunnels, displaced);
    add_where_free(all.static_macs, saved.model.static_macs, displaced);
    add_where_free(all.policies, saved.model.policies, displaced);
    add_where_free(all.mirrors, saved.model.mirrors, displaced);
    auto arranged = arrange(std::move(all), around_.target.workers(), [](const ObjectKey&, const std::string& owner) {
        return owner == config::kFileOwner ? Claim::preferred : Claim::modest;
    });
    if (!arranged) return failure(std::move(arranged.error()));
    arranged->generation = saved.generation;
    if (auto ok = put_in_force(std::move(*arranged), any_may_wait, OnRemoval::release, Save::nothing); !ok) {
        return failure(std::move(ok.error()));
    }
    return displaced;
}

Result<> Engine::check_generation(const CommitOptions& options) const {
    if (!options.expect_generation || *options.expect_generation == now_.generation) return {};
    Error error;
    error.code = ErrorCode::conflict;
    error.message = "the configuration has changed since";
    error.field = "/expect_generation";
    error.got = std::to_string(*options.expect_generation);
    error.allowed = std::to_string(now_.generation);
    return failure(std::move(error));
}

Result<> Engine::check_confirmed() const {
    if (!unconfirmed_) return {};
    Error error;
    error.code = ErrorCode::not_ready;
    error.message = "a change waits for config.confirm, or is rolled back in " +
                    std::to_string(seconds_left(unconfirmed_->deadline, around_.now())) + " s";
    error.allowed = "config.confirm";
    error.retryable = true;
    return failure(std::move(error));
}

Result<Configuration> Engine::arrange_change(Model candidate, const std::vector<Change>& changes) const {
    // What waited before and is not touched may go on waiting, or come into force now; all else must fit.
    std::set<ObjectKey> touched;
    for (const Change& change : changes) touched.insert(change.object);
    return arrange(std::move(candidate), around_.target.workers(), [&](const ObjectKey& key, const std::string& owner) {
        if (touched.contains(key)) return Claim::must;
        if (now_.unfit.empty() || !now_.unfit.contains(key)) return Claim::settled;
        return owner == config::kFileOwner ? Claim::preferred : Claim::modest;
    });
}

Result<ChangeSet> Engine::commit(Model candidate, const CommitOptions& options) {
    if (auto ok = check_generation(options); !ok) return failure(std::move(ok.error()));
    ChangeSet result{now_.generation, diff(now_.configured, candidate), options.dry_run};
    if (result.changes.empty()) return result;
    if (auto ok = options.dry_run ? Result<>{} : check_confirmed(); !ok) return failure(std::move(ok.error()));
    if (auto ok = check_change(now_.configured, candidate, result.changes); !ok) return failure(std::move(ok.error()));
    auto next = arrange_change(std::move(candidate), result.changes);
    if (!next) return failure(std::move(next.error()));
    if (options.dry_run) return result;

    next->generation = result.generation = now_.generation + 1;
    // Asked for now: it must open now. One that waited to fit in and can come into force only now may go on waiting.
    auto may_wait = [&](const std::string& port) {
        const ObjectKey key{ObjectKind::port, port};
        return now_.unfit.contains(key) &&
               std::ranges::find(result.changes, key, &Change::object) == result.changes.end();
    };
    if (!options.confirm_within) {
        auto ok = put_in_force(std::move(*next), may_wait, OnRemoval::release, Save::next);
        if (!ok) return failure(std::move(ok.error()));
    } else {
        Configuration former = now_;
        auto ok = put_in_force(std::move(*next), may_wait, OnRemoval::park, Save::former);
        if (!ok) return failure(std::move(ok.error()));
        unconfirmed_ = Unconfirmed{std::move(former), around_.now() + *options.confirm_within};
    }
    tell_changed(result);
    return result;
}

Result<> Engine::put_in_force(Configuration next, const MayWait& may_wait, OnRemoval on_removal, Save what) {
    DeviceTransition devices(devices_, around_.factory, around_.target, now_.in_force, next.in_force);
    if (auto ok = devices.prepare(may_wait, around_.now()); !ok) return ok;
    auto undo = [&](Result<> why) {
        devices.roll_back(around_.now());
        return why;
    };
    // What is not confirmed must not survive a crash, so the disk keeps the former model, under the number that the
    // roll-back will have: no number ever means two things.
    auto saved = what == Save::next     ? save(next, next.generation)
                 : what == Save::former ? save(now_, next.generation + 1)
                                        : Result<>{};
    if (!saved) return undo(std::move(saved));
    if (auto applied = around_.target.apply(next.in_force, devices.pointers()); !applied) {
        if (what != Save::nothing) restore_saved();
        return undo(std::move(applied));
    }
    devices.finish(on_removal);
    now_ = std::move(next);
    return {};
}

Result<> Engine::save(const Configuration& configuration, std::uint64_t generation) {
    return around_.persistence.save(
        {generation, objects_not_of(configuration.configured, std::string(config::kFileOwner))});
}

void Engine::restore_saved() {
    if (auto ok = save(now_, now_.generation); !ok) {
        spdlog::critical("the state folder holds a change that was not put in force, and can't be written: {}",
                         ok.error().message);
    }
}

Result<std::uint64_t> Engine::confirm() {
    if (!unconfirmed_) {
        Error error;
        error.code = ErrorCode::not_found;
        error.message = "there is nothing to confirm";
        return failure(std::move(error));
    }
    if (auto ok = save(now_, now_.generation); !ok) return failure(std::move(ok.error()));
    devices_.release_parked();
    unconfirmed_.reset();
    return now_.generation;
}

void Engine::stop() {
    if (unconfirmed_) roll_back_unconfirmed();
}

void Engine::roll_back_unconfirmed() {
    Configuration former = unconfirmed_->former;
    former.generation = now_.generation + 1;
    ChangeSet changes{former.generation, diff(now_.configured, former.configured), false};
    // The disk has the former model already.
    if (auto ok = put_in_force(std::move(former), any_may_wait, OnRemoval::release, Save::nothing); !ok) {
        spdlog::error("the change that was not confirmed can't be rolled back, next try in a second: {}",
                      ok.error().message);
        unconfirmed_->deadline = around_.now() + std::chrono::seconds(1);
        return;
    }
    spdlog::warn("a change was not confirmed in time and is rolled back: generation {}", changes.generation);
    unconfirmed_.reset();
    tell("config.rolled_back", {{"generation", changes.generation}, {"changes", encode(changes.changes)}});
}

}  // namespace bulkhead
