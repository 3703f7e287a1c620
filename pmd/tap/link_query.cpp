// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/link_query.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "vswitch/base/unique_fd.h"

namespace bulkhead {
namespace {

struct Request {
    nlmsghdr header;
    ifinfomsg link;
    rtattr attribute;
    std::array<char, RTA_ALIGN(IFNAMSIZ)> name;
};

std::unexpected<Error> failed(const char* what, int error) {
    return failure({.code = ErrorCode::device_failed,
                    .message = std::string(what) + ": " + std::strerror(error),
                    .field = "/ifname",
                    .got = {},
                    .allowed = {},
                    .object_kind = {},
                    .object_name = {}});
}

template <typename Visit>
void for_each_attribute(const void* begin, std::size_t size, Visit visit) {
    auto* attribute = static_cast<const rtattr*>(begin);
    for (int left = static_cast<int>(size); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
        visit(*attribute);
}

template <typename T>
T value(const rtattr& attribute) {
    T result{};
    if (RTA_PAYLOAD(&attribute) >= sizeof(result)) std::memcpy(&result, RTA_DATA(&attribute), sizeof(result));
    return result;
}

std::string text(const rtattr& attribute) {
    const auto* begin = static_cast<const char*>(RTA_DATA(&attribute));
    return {begin, strnlen(begin, RTA_PAYLOAD(&attribute))};
}

void read_tun(const rtattr& data, LinkInfo& link) {
    for_each_attribute(RTA_DATA(&data), RTA_PAYLOAD(&data), [&](const rtattr& attribute) {
        if (attribute.rta_type == IFLA_TUN_TYPE) link.tap = value<std::uint8_t>(attribute) == IFF_TAP;
        if (attribute.rta_type == IFLA_TUN_MULTI_QUEUE) link.multi_queue = value<std::uint8_t>(attribute) != 0;
        if (attribute.rta_type == IFLA_TUN_NUM_QUEUES || attribute.rta_type == IFLA_TUN_NUM_DISABLED_QUEUES) {
            link.tun_queues += value<std::uint32_t>(attribute);
        }
    });
}

LinkInfo read_link(const nlmsghdr& message) {
    LinkInfo link;
    const auto* begin = static_cast<const char*>(NLMSG_DATA(&message)) + NLMSG_ALIGN(sizeof(ifinfomsg));
    for_each_attribute(begin, NLMSG_PAYLOAD(&message, sizeof(ifinfomsg)), [&](const rtattr& attribute) {
        if (attribute.rta_type != IFLA_LINKINFO) return;
        for_each_attribute(RTA_DATA(&attribute), RTA_PAYLOAD(&attribute), [&](const rtattr& inner) {
            if (inner.rta_type == IFLA_INFO_KIND) link.kind = text(inner);
            if (inner.rta_type == IFLA_INFO_DATA && link.kind == "tun") read_tun(inner, link);  // the kind comes first
        });
    });
    return link;
}

}  // namespace

Result<std::optional<LinkInfo>> query_link(const std::string& name) {
    const UniqueFd netlink(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!netlink.valid()) return failed("cannot ask the kernel for its links", errno);
    Request request{};
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = RTM_GETLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.link.ifi_family = AF_UNSPEC;
    request.attribute.rta_type = IFLA_IFNAME;
    request.attribute.rta_len = RTA_LENGTH(IFNAMSIZ);
    name.copy(request.name.data(), IFNAMSIZ - 1);
    if (send(netlink.get(), &request, sizeof(request), 0) < 0)
        return failed("cannot ask the kernel for its links", errno);

    alignas(nlmsghdr) std::array<char, 32768> answer{};
    auto left = recv(netlink.get(), answer.data(), answer.size(), 0);
    const auto* message = reinterpret_cast<const nlmsghdr*>(answer.data());
    if (left < 0 || !NLMSG_OK(message, left)) return failed("no answer about the link", left < 0 ? errno : EBADMSG);
    if (message->nlmsg_type == NLMSG_ERROR) {
        const int error = -static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error;
        if (error == ENODEV) return std::nullopt;
        return failed("no answer about the link", error);
    }
    return read_link(*message);
}

}  // namespace bulkhead
