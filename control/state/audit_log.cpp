// SPDX-License-Identifier: Apache-2.0
#include "control/state/audit_log.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "control/rpc/rfc3339.h"

namespace bulkhead {
namespace {

std::string line_of(const AuditEntry& entry) {
    // Ordered, so that people read the lines in columns.
    nlohmann::ordered_json line;
    line["time"] = rpc::rfc3339(std::chrono::system_clock::now());
    line["uid"] = entry.uid;
    line["pid"] = entry.pid;
    line["role"] = entry.role;
    line["method"] = entry.method;
    line["object"] = entry.object;
    line["generation"] = entry.generation;
    line["result"] = entry.result;
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

AuditLog::AuditLog(const std::string& folder, std::size_t max_bytes, unsigned kept)
    : path_(folder + "/audit.log"), max_bytes_(max_bytes), kept_(kept) {}

bool AuditLog::open() {
    if (file_.valid()) return true;
    file_.reset(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    struct stat status{};
    if (!file_.valid() || ::fstat(file_.get(), &status) != 0) return false;
    size_ = static_cast<std::size_t>(status.st_size);
    char last = '\n';
    torn_ = size_ > 0 && ::pread(file_.get(), &last, 1, status.st_size - 1) == 1 && last != '\n';
    return true;
}

void AuditLog::rotate() {
    const auto numbered = [this](unsigned number) {
        return number == 0 ? path_ : path_ + '.' + std::to_string(number);
    };
    for (unsigned number = kept_; number > 0; --number) {
        const bool moved = std::rename(numbered(number - 1).c_str(), numbered(number).c_str()) == 0;
        if (!moved && errno != ENOENT) {
            const auto why = std::generic_category().message(errno);
            spdlog::error("audit log: cannot rotate {}: {}", numbered(number - 1), why);
            return;  // the file grows on rather than losing what it holds
        }
    }
    if (kept_ == 0) std::remove(path_.c_str());
    file_.reset();
}

bool AuditLog::write(const std::string& line) {
    if (!open()) return false;
    if (size_ > 0 && size_ + line.size() + 1 > max_bytes_) rotate();
    if (!open()) return false;
    const std::string bytes = (torn_ ? "\n" : "") + line + '\n';
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written > 0) size_ += static_cast<std::size_t>(written);
    if (written >= 0 && static_cast<std::size_t>(written) < bytes.size()) {
        torn_ = torn_ || written > 0;
        errno = ENOSPC;  // what a short write to a file means
        return false;
    }
    if (written > 0) torn_ = false;
    return written > 0;
}

void AuditLog::append(const AuditEntry& entry) noexcept {
    try {
        const std::string line = line_of(entry);
        if (write(line)) return;
        const auto why = std::generic_category().message(errno);
        spdlog::error("audit log: cannot write {}: {}; the entry was {}", path_, why, line);
    } catch (const std::exception& error) {
        spdlog::error("audit log: {}", error.what());
    }
}

}  // namespace bulkhead
