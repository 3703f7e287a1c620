// SPDX-License-Identifier: Apache-2.0
#include "pmd/tap/tap_interface.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "pmd/tap/link_query.h"
#include "pmd/tap/network_namespace.h"
#include "pmd/tap/vnet_header.h"

namespace bulkhead {
namespace {

constexpr unsigned kOffloads = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
constexpr short kFlags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;

std::unexpected<Error> refuse(ErrorCode code, std::string field, std::string message, std::string got = {},
                              std::string allowed = {}) {
    return failure({.code = code,
                    .message = std::move(message),
                    .field = std::move(field),
                    .got = std::move(got),
                    .allowed = std::move(allowed),
                    .retryable = code == ErrorCode::device_failed || code == ErrorCode::in_use,
                    .object_kind = {},
                    .object_name = {}});
}

std::unexpected<Error> system_failure(std::string field, const std::string& what) {
    return refuse(ErrorCode::device_failed, std::move(field), what + ": " + std::strerror(errno));
}

ifreq request_for(const std::string& name) {
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    return request;
}

/// Names the kernel would refuse, or take for a pattern ("tap%d") and so make a device of another name.
Result<> check_name(const std::string& name) {
    const bool good = !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
                      std::none_of(
                          name.begin(), name.end(),
                          [](unsigned char c) { return c <= ' ' || c == '/' || c == ':' || c == '%' || c == 0x7f; });
    if (good) return {};
    return invalid("/ifname", "not a name for a network interface", name,
                   "1 to 15 bytes without '/', ':', '%' and white space");
}

Result<> check_mac(const TapDevice& wanted) {
    if (!wanted.mac || !(wanted.mac->is_multicast() || wanted.mac->is_zero())) return {};
    return invalid("/mac", "an interface's own address must be unicast and not zero", wanted.mac->to_string(),
                   "unicast MAC address");
}

/// A device that exists must be one that we (or an earlier life of ours) could have made, and nobody may be using it: a
/// multi-queue TAP lets any number of processes attach, and they would share its frames.
Result<> check_existing(const std::string& name) {
    const auto answer = query_link(name);
    if (!answer) return failure(answer.error());
    const auto& link = *answer;
    if (!link) return {};
    if (!link->tap) {
        const auto kind = link->kind.empty() ? "physical device" : link->kind;
        return refuse(ErrorCode::exists, "/ifname", "the namespace has an interface of that name that is not a TAP",
                      name + " (" + kind + ")");
    }
    if (!link->multi_queue) {
        return refuse(ErrorCode::exists, "/ifname", "the TAP of that name was made by another program (no multi_queue)",
                      name);
    }
    if (link->tun_queues != 0) {
        return refuse(ErrorCode::in_use, "/ifname", "another process, or another port, is attached to the TAP", name);
    }
    return {};
}

Result<UniqueFd> open_queue(const std::string& name) {
    UniqueFd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd.valid()) return system_failure("", "cannot open /dev/net/tun");
    auto request = request_for(name);
    request.ifr_flags = kFlags;
    if (ioctl(fd.get(), TUNSETIFF, &request) != 0) {
        if (errno == EBUSY) return refuse(ErrorCode::in_use, "/ifname", "the TAP is attached elsewhere", name);
        return system_failure("/ifname", "cannot make or attach the TAP " + name);
    }
    int header = kVnetHeaderBytes, little_endian = 1;
    if (ioctl(fd.get(), TUNSETVNETHDRSZ, &header) != 0 || ioctl(fd.get(), TUNSETVNETLE, &little_endian) != 0 ||
        ioctl(fd.get(), TUNSETOFFLOAD, kOffloads) != 0) {
        return system_failure("/ifname", "the kernel's TAP lacks checksum or segmentation offload");
    }
    return fd;
}

}  // namespace

Result<TapInterface> TapInterface::open(const TapDevice& wanted, std::uint16_t queues, std::uint16_t mtu) {
    if (auto good = check_name(wanted.ifname); !good) return failure(good.error());
    if (auto good = check_mac(wanted); !good) return failure(good.error());
    auto network_namespace = open_network_namespace(wanted.netns);
    if (!network_namespace) return failure(network_namespace.error());
    TapInterface tap;
    tap.netns_ = wanted.netns;
    tap.network_namespace_ = std::move(*network_namespace);
    auto opened = run_in_namespace(tap.network_namespace_, [&]() -> Result<> {
        if (auto good = check_existing(wanted.ifname); !good) return good;
        if (auto good = tap.attach(wanted, queues); !good) return good;
        return tap.set_up(wanted, mtu);
    });
    if (!opened) {
        auto& error = opened.error();
        if (error.field == "/netns") error.got = wanted.netns;
        return failure(error);
    }
    return tap;
}

Result<> TapInterface::attach(const TapDevice& wanted, std::uint16_t queues) {
    control_ = UniqueFd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!control_.valid()) return system_failure("/netns", "cannot open a socket in the namespace");
    for (std::uint16_t queue = 0; queue < queues; ++queue) {
        auto fd = open_queue(wanted.ifname);
        if (!fd) return failure(fd.error());
        queues_.push_back(std::move(*fd));
    }
    return {};
}

Result<> TapInterface::set_up(const TapDevice& wanted, std::uint16_t mtu) {
    const int fd = queues_.front().get();
    if (wanted.mac) {
        if (auto good = set_mac(*wanted.mac); !good) return good;
    }
    if (auto good = set_mtu(mtu); !good) return good;
    if (wanted.owner_uid && ioctl(fd, TUNSETOWNER, static_cast<unsigned long>(*wanted.owner_uid)) != 0) {
        return system_failure("/owner_uid", "cannot set the TAP's owner");
    }
    if (auto good = bring_up(); !good) return good;
    // Last, so that what fails before leaves no device behind.
    if (ioctl(fd, TUNSETPERSIST, 1UL) != 0) return system_failure("/ifname", "cannot make the TAP persistent");
    return {};
}

Result<> TapInterface::set_mac(const MacAddress& wanted) {
    if (mac() == wanted) return {};
    ifreq request{};
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    const auto octets = wanted.octets();
    std::memcpy(request.ifr_hwaddr.sa_data, octets.data(), octets.size());
    if (ioctl(queues_.front().get(), SIOCSIFHWADDR, &request) != 0)
        return system_failure("/mac", "cannot set the MAC address");
    return {};
}

Result<> TapInterface::set_mtu(std::uint16_t mtu) {
    ifreq request{};
    if (ioctl(queues_.front().get(), TUNGETIFF, &request) != 0) return system_failure("/ifname", "the TAP is gone");
    request.ifr_mtu = mtu;
    if (ioctl(control_.get(), SIOCSIFMTU, &request) == 0) return {};
    return refuse(ErrorCode::invalid_params, "/mtu", "the kernel refuses the MTU: " + std::string(std::strerror(errno)),
                  std::to_string(mtu), "68 to 65521");
}

Result<> TapInterface::bring_up() {
    ifreq request{};
    if (ioctl(queues_.front().get(), TUNGETIFF, &request) != 0 || ioctl(control_.get(), SIOCGIFFLAGS, &request) != 0) {
        return system_failure("/ifname", "the TAP is gone");
    }
    if ((request.ifr_flags & IFF_UP) != 0) return {};
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    if (ioctl(control_.get(), SIOCSIFFLAGS, &request) != 0) return system_failure("/ifname", "cannot bring the TAP up");
    return {};
}

std::optional<MacAddress> TapInterface::mac() const {
    ifreq request{};
    if (ioctl(queues_.front().get(), SIOCGIFHWADDR, &request) != 0) return std::nullopt;
    return MacAddress::from_octets(reinterpret_cast<const std::uint8_t*>(request.ifr_hwaddr.sa_data));
}

TapInterface::Link TapInterface::link() const {
    if (!leads_to(netns_, network_namespace_)) return Link::gone;
    ifreq request{};
    // By descriptor first: the pod may have renamed it.
    if (ioctl(queues_.front().get(), TUNGETIFF, &request) != 0) return Link::gone;
    if (ioctl(control_.get(), SIOCGIFFLAGS, &request) != 0) return Link::gone;
    return (request.ifr_flags & IFF_UP) != 0 ? Link::up : Link::down;
}

void TapInterface::forget() noexcept {
    ioctl(queues_.front().get(), TUNSETPERSIST, 0UL);
}

}  // namespace bulkhead
