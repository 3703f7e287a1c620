// SPDX-License-Identifier: Apache-2.0
// Who changed what: one JSON object a line, appended to audit.log (0600) in the state folder,
//   {"time":"…Z","uid":1001,"pid":4711,"role":"operator","method":"segment.add","object":"blue","generation":12,"result":"ok"}
// At its size bound the file becomes audit.log.1, that .2, and so on; the oldest goes. A line that can't be written
// goes to the daemon's own log instead: the audit never stops a change. Called by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <sys/types.h>

#include "vswitch/base/unique_fd.h"

namespace bulkhead {

struct AuditEntry {
    uid_t uid = 0;
    pid_t pid = 0;
    std::string role;
    std::string method;
    std::string object;  ///< kind and name, or empty
    std::uint64_t generation = 0;
    std::string result;  ///< "ok", or what was refused and why
};

class AuditLog {
  public:
    static constexpr std::size_t kMaxBytes = 16UL * 1024 * 1024;
    static constexpr unsigned kKept = 3;  ///< files beside the one that is written

    explicit AuditLog(const std::string& folder, std::size_t max_bytes = kMaxBytes, unsigned kept = kKept);

    void append(const AuditEntry& entry) noexcept;

  private:
    bool open();
    void rotate();
    bool write(const std::string& line);

    std::string path_;
    std::size_t max_bytes_;
    unsigned kept_;
    UniqueFd file_;
    std::size_t size_ = 0;
    bool torn_ = false;  ///< the file ends amid a line
};

}  // namespace bulkhead
