// SPDX-License-Identifier: Apache-2.0
#include "control/state/learned_macs.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "vswitch/base/system_failure.h"
#include "vswitch/base/unique_fd.h"

namespace bulkhead {
namespace {

using nlohmann::json;
using std::chrono::duration_cast;
using std::chrono::seconds;

std::string path_in(const std::string& folder) {
    return folder + "/learned-macs.json";
}

seconds since_epoch(WallTime time) {
    return duration_cast<seconds>(time.time_since_epoch());
}

/// An entry is a row, since there may be thousands.
json row_of(const MacEntry& entry) {
    return json::array(
        {entry.segment, entry.mac.to_string(), entry.port, entry.tunnel, entry.vlan.value_or(0), entry.age_s});
}

/// Throws what json throws where a row is none.
MacEntry entry_of(const json& row, seconds away) {
    MacEntry entry{.segment = row.at(0), .mac = MacAddress::parse(row.at(1).get<std::string>()).value()};
    entry.port = row.at(2);
    entry.tunnel = row.at(3);
    if (const std::uint16_t vlan = row.at(4); vlan != 0) entry.vlan = vlan;
    entry.age_s = row.at(5).get<std::uint32_t>() + static_cast<std::uint32_t>(away.count());
    return entry;
}

std::unexpected<Error> useless(std::string why) {
    Error error;
    error.code = ErrorCode::internal;
    error.message = "learned MACs are not taken over: " + std::move(why);
    return failure(std::move(error));
}

}  // namespace

Result<> keep_learned_macs(const std::string& folder, const std::vector<MacEntry>& entries, WallTime now) {
    json rows = json::array();
    for (const MacEntry& entry : entries)
        if (!entry.is_static && rows.size() < kMostKeptMacs) rows.push_back(row_of(entry));
    const std::string text =
        json{{"format", 1}, {"saved_at", since_epoch(now).count()}, {"macs", std::move(rows)}}.dump();
    const std::string path = path_in(folder);
    const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return system_failure("cannot write " + path, errno);
    for (std::size_t done = 0; done < text.size();) {
        const ssize_t written = write(file.get(), text.data() + done, text.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return system_failure("cannot write " + path, errno);
        done += static_cast<std::size_t>(written);
    }
    return {};
}

Result<std::vector<MacEntry>> take_learned_macs(const std::string& folder, WallTime now) {
    std::ifstream file(path_in(folder));
    if (!file) return std::vector<MacEntry>();
    std::error_code ignored;
    std::filesystem::remove(path_in(folder), ignored);
    std::vector<MacEntry> entries;
    try {
        const json kept = json::parse(file);
        if (kept.at("format") != 1) return useless("another version wrote them");
        const seconds away = since_epoch(now) - seconds(kept.at("saved_at").get<std::int64_t>());
        if (away < seconds(0) || away > kFreshFor)
            return useless("they are " + std::to_string(away.count()) + " s old, " + std::to_string(kFreshFor.count()) +
                           " at most would do");
        for (const json& row : kept.at("macs")) entries.push_back(entry_of(row, away));
    } catch (const std::exception& error) {
        return useless(std::string("the file is damaged: ") + error.what());
    }
    return entries;
}

}  // namespace bulkhead
