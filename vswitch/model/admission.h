// SPDX-License-Identifier: Apache-2.0
// Takes objects one by one and says of each whether it fits with those taken before it. validate() is this over a whole
// model; the replay at start uses it object by object, so that one that does not fit keeps nobody else out.
// Costs O(log n) an object. Used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead {

class Admission {
  public:
    /// Segments go before the ports that attach to them, ports before the entries that point at them. An object that is
    /// refused leaves no trace; the Error names it (object_kind, object_name) and the field within it.
    Result<> add(const Segment& segment);
    Result<> add(const Port& port);
    Result<> add(const StaticMac& entry);

  private:
    using MacKey = std::pair<std::string, MacAddress>;

    Result<> check_attachments(const Port& port) const;
    Result<> check_macs(const Port& port) const;

    std::set<std::string, std::less<>> segments_;
    std::unordered_map<std::uint32_t, std::string> segment_by_vni_;
    std::map<std::string, std::set<std::string>, std::less<>> segments_of_port_;
    std::unordered_map<std::string, std::string> port_by_device_;
    std::map<MacKey, std::string> port_by_mac_;
    std::size_t attachments_ = 0;
};

/// What two ports must not share, as text: the socket path, the interface in its namespace, the DPDK device.
[[nodiscard]] std::string device_identity(const Port& port);

/// The JSON pointer of an attachment within its port: "" for the untagged one, "/vlans/N" for the others.
[[nodiscard]] std::string attachment_pointer(const Port& port, const Attachment& attachment);

/// The refusal of a reference to a segment that is not there (or that the caller may not know of).
[[nodiscard]] Error no_such_segment(std::string_view name, std::string field);

}  // namespace bulkhead
