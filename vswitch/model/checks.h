// SPDX-License-Identifier: Apache-2.0
// Rules that one object must keep by itself, whatever else is configured.
#pragma once

#include <string>
#include <string_view>

#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead {

[[nodiscard]] Result<> check_name(std::string_view name, std::string field);
/// Owners and tenants: a name, or empty for nobody in particular.
[[nodiscard]] Result<> check_optional_name(std::string_view name, std::string field);
[[nodiscard]] Result<> check_unicast(MacAddress mac, std::string field);
[[nodiscard]] Result<> check_range(std::uint64_t value, std::uint64_t lowest, std::uint64_t highest, std::string field);

[[nodiscard]] Result<> check_segment(const Segment& segment);
/// Name, ranges and device of a port; its attachments are the admission's.
[[nodiscard]] Result<> check_port(const Port& port);
[[nodiscard]] Result<> check_underlay(const Underlay& underlay);
[[nodiscard]] Result<> check_tunnel(const Tunnel& tunnel);
[[nodiscard]] Result<> check_group(const Group& group);
/// All of a rule but what it refers to, which is the admission's.
[[nodiscard]] Result<> check_policy(const Policy& policy);
/// All of a mirror but what it refers to, likewise.
[[nodiscard]] Result<> check_mirror(const Mirror& mirror);
/// What the kernel takes for the name of a network device.
[[nodiscard]] Result<> check_interface_name(std::string_view name, std::string field);

/// `got` of a field that is not there.
inline constexpr const char* kNothing = "nothing";

/// A refusal that reads as a sentence: "vni 100 is taken by …". `says` begins with a verb; `field` is the JSON pointer.
[[nodiscard]] std::unexpected<Error> refused(std::string field, std::string_view says, std::string got = {},
                                             std::string allowed = {});

/// The result, and if it is a refusal, that of this object.
[[nodiscard]] Result<> about(Result<> result, std::string_view kind, std::string name);

[[nodiscard]] inline std::string in_quotes(std::string_view text) {
    std::string result = "\"";
    return result.append(text).append("\"");
}

}  // namespace bulkhead
