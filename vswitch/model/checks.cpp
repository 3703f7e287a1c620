// SPDX-License-Identifier: Apache-2.0
#include "vswitch/model/checks.h"

#include <algorithm>
#include <variant>

#include "vswitch/model/validate.h"

namespace bulkhead {
namespace {

constexpr std::size_t kMaxSocketPath = 107;    // sockaddr_un.sun_path without its terminating NUL
constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ without its terminating NUL
constexpr std::size_t kMaxPath = 4095;         // PATH_MAX without its terminating NUL
constexpr std::uint32_t kMaxPermissions = 0777;
constexpr const char* kInterfaceNames = "1-15 bytes with no '/', ':', '%' or white space, and not \".\" or \"..\"";

bool has_control_characters(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<> check_path(std::string_view path, std::string field, std::size_t longest) {
    const std::string allowed = "an absolute path of at most " + std::to_string(longest) + " bytes";
    if (path.empty() || path.front() != '/')
        return refused(std::move(field), "is not an absolute path", in_quotes(path), allowed);
    if (path.size() > longest) {
        return refused(std::move(field), "is too long", std::to_string(path.size()) + " bytes", allowed);
    }
    if (has_control_characters(path)) return refused(std::move(field), "has control characters in it", {}, allowed);
    return {};
}

Result<> check_device(const EthdevDevice& device) {
    if (device.devargs.empty())
        return refused("/devargs", "is required for an ethdev port", kNothing, "DPDK device arguments");
    if (has_control_characters(device.devargs) || device.devargs.front() == '-' || device.devargs.front() == ',') {
        return refused("/devargs", "is no DPDK device", in_quotes(device.devargs), "DPDK device arguments");
    }
    if (device.mac) return check_unicast(*device.mac, "/mac");
    return {};
}

Result<> check_device(const TapDevice& device) {
    if (device.ifname.empty()) return refused("/ifname", "is required for a tap port", kNothing, kInterfaceNames);
    if (auto ok = check_interface_name(device.ifname, "/ifname"); !ok) return ok;
    if (!device.netns.empty()) {
        if (auto ok = check_path(device.netns, "/netns", kMaxPath); !ok) return ok;
    }
    if (device.mac) return check_unicast(*device.mac, "/mac");
    return {};
}

Result<> check_limits(const PortLimits& limits) {
    struct Row {
        const char* field;
        std::optional<std::uint32_t> value;
        std::uint32_t lowest, highest;
    };
    const Row rows[] = {{"/limits/rx_mbps", limits.rx_mbps, 1, kMaxMbps},
                        {"/limits/tx_mbps", limits.tx_mbps, 1, kMaxMbps},
                        {"/limits/burst_kib", limits.burst_kib, 1, kMaxBurstKib},
                        {"/limits/storm_pps", limits.storm_pps, 0, kMaxStormPps},
                        {"/limits/mac_moves_per_s", limits.mac_moves_per_s, 0, kMaxMacMovesPerS},
                        {"/limits/connections", limits.connections, 0, kMaxConnectionsOfPort}};
    for (const Row& row : rows)
        if (row.value)
            if (auto ok = check_range(*row.value, row.lowest, row.highest, row.field); !ok) return ok;
    if (limits.burst_kib && !limits.rx_mbps && !limits.tx_mbps)
        return refused("/limits/burst_kib", "is of no rate", std::to_string(*limits.burst_kib),
                       "with rx_mbps or tx_mbps");
    return {};
}

std::string octal(std::uint32_t mode) {
    std::string digits;
    do digits.insert(digits.begin(), static_cast<char>('0' + (mode & 7)));
    while ((mode >>= 3) != 0);
    return in_quotes("0" + digits);
}

Result<> check_device(const VhostUserDevice& device) {
    if (device.path.empty()) return refused("/path", "is required for a vhost-user port", kNothing, "an absolute path");
    if (auto ok = check_path(device.path, "/path", kMaxSocketPath); !ok) return ok;
    if (device.path.back() == '/') return refused("/path", "names a folder", in_quotes(device.path), "a socket");
    if (device.mode == VhostMode::client) {
        // The guest makes the socket then: there is nothing of ours whose owner could be set.
        constexpr std::string_view kWhy = "is only for \"mode\": \"server\"";
        constexpr const char* kAllowed = "nothing in mode client";
        if (device.owner_uid) return refused("/owner_uid", kWhy, std::to_string(*device.owner_uid), kAllowed);
        if (device.owner_gid) return refused("/owner_gid", kWhy, std::to_string(*device.owner_gid), kAllowed);
        if (device.socket_mode) return refused("/socket_mode", kWhy, octal(*device.socket_mode), kAllowed);
    }
    if (device.socket_mode && *device.socket_mode > kMaxPermissions) {
        return refused("/socket_mode", "has more than permission bits", octal(*device.socket_mode),
                       "\"0000\"-\"0777\"");
    }
    return {};
}

}  // namespace

std::unexpected<Error> refused(std::string field, std::string_view says, std::string got, std::string allowed) {
    // "/vlans/1/vlan" is about "vlan", "/macs/0" about "macs": the pointer has the place, the sentence needs a word.
    std::string_view word = field;
    auto is_index = [](std::string_view token) {
        return token.find_first_not_of("0123456789") == std::string_view::npos;
    };
    while (!word.empty() && is_index(word.substr(word.rfind('/') + 1)))
        word.remove_suffix(word.size() - word.rfind('/'));
    word = word.substr(word.rfind('/') + 1);

    std::string message(word);
    if (!got.empty() && got != kNothing) message.append(" ").append(got);
    message.append(" ").append(says);
    return invalid(std::move(field), std::move(message), std::move(got), std::move(allowed));
}

Result<> about(Result<> result, std::string_view kind, std::string name) {
    if (!result) {
        result.error().object_kind = kind;
        result.error().object_name = std::move(name);
    }
    return result;
}

bool is_valid_name(std::string_view name) {
    constexpr std::size_t kLongest = 63;
    auto alphanumeric = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= kLongest && alphanumeric(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Result<> check_name(std::string_view name, std::string field) {
    if (is_valid_name(name)) return {};
    return refused(std::move(field), "is not a valid name", in_quotes(name), "[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
}

Result<> check_optional_name(std::string_view name, std::string field) {
    if (name.empty()) return {};
    return check_name(name, std::move(field));
}

Result<> check_unicast(MacAddress mac, std::string field) {
    if (!mac.is_multicast() && !mac.is_zero()) return {};
    return refused(std::move(field), "is not the address of one station", mac.to_string(),
                   "a unicast MAC address, not zero");
}

Result<> check_range(std::uint64_t value, std::uint64_t lowest, std::uint64_t highest, std::string field) {
    if (value >= lowest && value <= highest) return {};
    return refused(std::move(field), "is out of range", std::to_string(value),
                   std::to_string(lowest) + "-" + std::to_string(highest));
}

// dev_valid_name, less '%', which TUNSETIFF reads as a template.
Result<> check_interface_name(std::string_view name, std::string field) {
    const bool bad_character = std::ranges::any_of(
        name, [](unsigned char c) { return c <= 0x20 || c == 0x7f || c == '/' || c == ':' || c == '%'; });
    if (name.empty() || name.size() > kMaxInterfaceName || bad_character || name == "." || name == "..")
        return refused(std::move(field), "is no interface name", in_quotes(name), kInterfaceNames);
    return {};
}

Result<> check_segment(const Segment& segment) {
    if (auto ok = check_name(segment.name, "/name"); !ok) return ok;
    if (auto ok = check_optional_name(segment.owner, "/owner"); !ok) return ok;
    if (auto ok = check_range(segment.vni, 1, kMaxVni, "/vni"); !ok) return ok;
    if (auto ok = check_range(segment.mtu, kMinMtu, kMaxMtu, "/mtu"); !ok) return ok;
    if (auto ok = check_range(segment.mac_limit, 0, kMaxMacLimit, "/mac_limit"); !ok) return ok;
    if (auto ok = check_range(segment.mac_age_s, 1, kMaxMacAgeS, "/mac_age_s"); !ok) return ok;
    return check_optional_name(segment.tenant, "/tenant");
}

Result<> check_port(const Port& port) {
    if (auto ok = check_name(port.name, "/name"); !ok) return ok;
    if (auto ok = check_optional_name(port.owner, "/owner"); !ok) return ok;
    if (auto ok = check_range(port.queues, 1, kMaxQueues, "/queues"); !ok) return ok;
    if (port.mtu) {
        if (auto ok = check_range(*port.mtu, kMinMtu, kMaxMtu, "/mtu"); !ok) return ok;
    }
    for (std::size_t i = 0; i < port.workers.size(); ++i) {
        if (auto ok = check_range(port.workers[i], 0, kMaxWorkers - 1, "/workers/" + std::to_string(i)); !ok) return ok;
    }
    if (auto ok = check_limits(port.limits); !ok) return ok;
    return std::visit([](const auto& device) { return check_device(device); }, port.device);
}

}  // namespace bulkhead
