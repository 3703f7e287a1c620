// SPDX-License-Identifier: Apache-2.0
#include "control/methods/path_rules.h"

#include <algorithm>
#include <optional>

#include "vswitch/model/checks.h"

namespace bulkhead::methods {
namespace {

namespace fs = std::filesystem;

std::optional<fs::path> resolved(const fs::path& path) {
    std::error_code error;
    if (fs::exists(path, error)) {
        fs::path result = fs::canonical(path, error);
        return error ? std::nullopt : std::optional(result);
    }
    if (fs::is_symlink(fs::symlink_status(path, error))) return std::nullopt;
    fs::path folder = fs::weakly_canonical(path.parent_path(), error);
    if (error || path.filename() == ".." || path.filename() == ".") return std::nullopt;
    return folder / path.filename();
}

bool is_below(const fs::path& path, const fs::path& folder) {
    auto [end, rest] = std::ranges::mismatch(folder, path);
    return end == folder.end() && rest != path.end();
}

std::string listed_folders(const std::vector<std::string>& roots) {
    if (roots.empty()) return "none: no folder is open to callers below admin";
    std::string text = "in ";
    for (const std::string& root : roots) text += (text.size() > 3 ? " or " : "") + root;
    return text;
}

Result<> check_path(std::string field, const std::string& path, const std::vector<std::string>& roots) {
    if (is_inside(path, roots)) return {};
    auto refusal = refused(std::move(field), "is outside the folders that callers below admin may use", in_quotes(path),
                           listed_folders(roots));
    refusal.error().code = ErrorCode::denied;
    return refusal;
}

// By a link a socket would have a second name, under which it does not look taken. (A namespace may well be shared.)
Result<> check_no_link(const std::string& path) {
    const auto target = resolved(path);
    if (target && target->string() == path) return {};
    auto refusal = refused("/path", "leads over a symbolic link", in_quotes(path), target ? target->string() : "");
    refusal.error().code = ErrorCode::denied;
    return refusal;
}

}  // namespace

bool is_inside(const fs::path& path, const std::vector<std::string>& roots) {
    const auto target = resolved(path);
    if (!target) return false;
    return std::ranges::any_of(roots, [&](const std::string& root) {
        std::error_code error;
        fs::path folder = fs::weakly_canonical(root, error);
        if (!folder.has_filename()) folder = folder.parent_path();  // "/run/netns/"
        return !error && is_below(*target, folder);
    });
}

Result<> check_paths(const config::Node& node, const Port& port) {
    if (const auto* tap = std::get_if<TapDevice>(&port.device)) {
        if (!tap->netns.empty()) return check_path("/netns", tap->netns, node.netns_roots);
        auto refusal = refused("/netns", "is the daemon's own: that is the admin's alone", "\"\"",
                               listed_folders(node.netns_roots));
        refusal.error().code = ErrorCode::denied;
        return refusal;
    }
    if (const auto* vhost = std::get_if<VhostUserDevice>(&port.device)) {
        if (auto ok = check_path("/path", vhost->path, node.vhost_roots); !ok) return ok;
        return check_no_link(vhost->path);
    }
    return {};
}

}  // namespace bulkhead::methods
