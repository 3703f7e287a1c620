// SPDX-License-Identifier: Apache-2.0
#include "control/cli/policy_importer.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "control/cli/error_text.h"

namespace bulkhead::cli {
namespace {

namespace import = policy_import;
using nlohmann::json;

constexpr int kConflict = -32003;

json list_of(const json& document, const char* name) {
    const auto list = document.find(name);
    return list == document.end() ? json::array() : *list;
}

std::string names(const std::vector<std::string>& list) {
    constexpr std::size_t kMost = 8;
    std::string text;
    for (std::size_t at = 0; at < list.size() && at < kMost; ++at)
        text += concat({text.empty() ? "" : ", ", printable(list[at])});
    return list.size() > kMost ? text + ", …" : text;
}

std::string text_of_failed(const json& failed) {
    const auto group = failed.at("group").get<std::string>();
    return concat({"port \"", failed.at("port").get<std::string>(), "\" should have ",
                   group.empty() ? "no group" : "group \"" + group + "\"",
                   " and could not be given it: ", failed.at("reason").get<std::string>()});
}

bool is_conflict(const api::CallFailure& failure) {
    return failure.kind == api::CallFailure::Kind::refused && failure.error.value("code", 0) == kConflict;
}

}  // namespace

PolicyImporter::Outcome<json> PolicyImporter::call(const std::string& method, const json& params) {
    auto result = client_.call(method, params);
    if (!result) return std::unexpected(Refused{std::move(result.error()), method, params});
    return std::move(*result);
}

PolicyImporter::Outcome<PolicyImporter::Present> PolicyImporter::present() {
    Present now;
    const auto state = call("system.get", json::object());
    if (!state) return std::unexpected(state.error());
    now.generation = state->value("generation", json());
    auto own = call("config.get", {{"owner", target_.owner}});
    if (!own) return std::unexpected(own.error());
    now.own = std::move(*own);
    auto all = call("config.get", json::object());
    if (!all) return std::unexpected(all.error());
    now.all = std::move(*all);
    now.used_groups =
        import::used_groups(list_of(now.all, "ports"), import::groups_of(now.own, target_.segment), target_.segment);
    return now;
}

PolicyImporter::Outcome<PolicyImporter::Present> PolicyImporter::apply(const MakeConfig& config) {
    constexpr unsigned kMostAttempts = 5;  // others change the switch, too, while this looks at it
    for (unsigned attempt = 1;; ++attempt) {
        auto now = present();
        if (!now) return now;
        json params = {{"config", config(*now)}, {"owner", target_.owner}, {"dry_run", target_.dry_run}};
        if (now->generation.is_number()) params["expect_generation"] = now->generation;
        auto result = call("config.apply", params);
        if (result) {
            result_ = std::move(*result);
            return now;
        }
        if (!is_conflict(result.error().failure) || attempt == kMostAttempts) return std::unexpected(result.error());
    }
}

void PolicyImporter::set_ports(const std::vector<import::PortChange>& changes) {
    for (const import::PortChange& change : changes) {
        const auto done = call("port.set", change.parameters);
        if (done) {
            set_.push_back(change.port);
            continue;
        }
        const auto& failure = done.error().failure;
        const std::string reason = failure.kind == api::CallFailure::Kind::refused
                                       ? error_text(failure.error, "port.set", change.parameters)
                                       : failure.message;
        failed_.push_back({{"port", change.port}, {"group", change.group}, {"reason", reason}});
    }
}

void PolicyImporter::warn(const Present& before) {
    for (const json& segment : list_of(before.all, "segments"))
        if (segment.value("name", json()) == json(target_.segment) &&
            segment.value("default_policy", "allow") != "allow")
            warnings_.push_back(concat({"segment ", target_.segment,
                                        " denies by default, so pods that no policy selects "
                                        "are isolated, too: Kubernetes would allow them"}));
    if (import_.policies == 0)
        warnings_.push_back(concat(
            {"no policy of the file is for segment ", target_.segment, " (annotation k8s.v1.cni.cncf.io/policy-for)"}));
    if (!plan_.unlabelled.empty())
        warnings_.push_back(concat({"ports without labels, which no policy selects: ", names(plan_.unlabelled)}));
}

PolicyImporter::Outcome<int> PolicyImporter::carry_out() {
    const auto before = present();
    if (!before) return std::unexpected(before.error());
    const auto former = import::groups_of(before->own, target_.segment);
    plan_ = import::plan_ports(list_of(before->all, "ports"), former, import_);
    warn(*before);
    for (const std::string& port : plan_.foreign)
        failed_.push_back(
            {{"port", port}, {"group", import_.group_of.at(port)}, {"reason", "it has one of another owner"}});
    const auto with_import = [this](const Present& now) {
        return import::with_import(now.own, import_, now.used_groups);
    };
    if (target_.dry_run) {
        const auto tried = apply(with_import);
        if (!tried) return std::unexpected(tried.error());
        return kDone;
    }
    const bool is_new = std::ranges::any_of(
        plan_.first, [&](const import::PortChange& change) { return !former.contains(change.group); });
    if (is_new) {
        const auto grown = apply([this](const Present& now) { return import::with_new_groups(now.own, import_); });
        if (!grown) return std::unexpected(grown.error());
    }
    set_ports(plan_.first);
    const auto switched = apply(with_import);
    if (!switched) return std::unexpected(switched.error());
    set_ports(plan_.later);
    const bool has_kept = std::ranges::any_of(switched->used_groups, [&](const std::string& group) {
        return std::ranges::find(import_.groups, group, &Group::name) == import_.groups.end();
    });
    if (has_kept) {
        const auto cleared = apply(with_import);
        if (!cleared) return std::unexpected(cleared.error());
    }
    return kDone;
}

void PolicyImporter::tell() {
    if (session_.line.json) {
        json result = {{"segment", target_.segment},
                       {"owner", target_.owner},
                       {"policies", import_.policies},
                       {"others", import_.others},
                       {"groups", import_.groups.size()},
                       {"rules", import_.rules.size()},
                       {"generation", result_.value("generation", json())},
                       {"dry_run", target_.dry_run},
                       {"ports",
                        {{"set", set_},
                         {"right", plan_.right},
                         {"absent", plan_.absent},
                         {"unlabelled", plan_.unlabelled},
                         {"failed", failed_}}},
                       {"warnings", warnings_}};
        if (target_.dry_run) {
            const json own = import::with_import(json::object(), import_, {});
            result["config"] = {{"groups", list_of(own, "groups")}, {"policies", list_of(own, "policies")}};
            for (const auto* changes : {&plan_.first, &plan_.later})
                for (const import::PortChange& change : *changes)
                    result["ports"]["to_set"].push_back({{"port", change.port}, {"group", change.group}});
        }
        print_json(session_, result);
        return;
    }
    const std::size_t to_set = plan_.first.size() + plan_.later.size();
    session_.out << "segment " << printable(target_.segment) << ": " << import_.policies << " policies, "
                 << import_.groups.size() << " groups, " << import_.rules.size() << " rules"
                 << (target_.dry_run ? " would be imported\n"
                                     : ", generation " + one_line(result_.value("generation", json())) + "\n");
    if (!import_.others.empty()) session_.out << "policies for other networks: " << names(import_.others) << "\n";
    session_.out << "ports: " << (target_.dry_run ? to_set : set_.size())
                 << (target_.dry_run ? " to get their group, " : " got their group, ") << plan_.right.size()
                 << " had it, " << plan_.absent.size() << " not in the segment here\n"
                 << std::flush;
}

int PolicyImporter::run() {
    const auto done = carry_out();
    for (const json& warning : warnings_)
        session_.err << "bulkheadctl: warning: " << printable(warning.get<std::string>()) << "\n";
    if (done) tell();
    for (const json& failed : failed_) session_.err << "bulkheadctl: " << printable(text_of_failed(failed)) << "\n";
    if (!done) return report(session_, done.error().failure, done.error().method, done.error().params);
    return failed_.empty() ? kDone : kRefused;
}

}  // namespace bulkhead::cli
