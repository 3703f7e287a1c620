// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "pmd/tap/tap_port.h"
#include "tests/unit/pmd/support/frames.h"
#include "tests/unit/pmd/support/test_namespace.h"

namespace bulkhead {
namespace {

class TapErrors : public test::PoolCheck {
  protected:
    Error error_of(const TapDevice& device, std::uint16_t mtu = 1500) {
        Port port;
        port.name = "pod";
        port.device = device;
        const auto opened = open_tap_port(port, mtu, test::buffers(), 1, {});
        if (opened) {
            ADD_FAILURE() << device.ifname << " opened";
            return {};
        }
        EXPECT_EQ(opened.error().object_kind, "port");
        EXPECT_EQ(opened.error().object_name, "pod");
        EXPECT_FALSE(opened.error().message.empty());
        return opened.error();
    }

    [[nodiscard]] TapDevice named(const std::string& ifname) const { return {pod_.path(), ifname, {}, {}}; }
    [[nodiscard]] static TapDevice in(const std::string& netns) { return {netns, "net1", {}, {}}; }

    test::TestNamespace pod_;
};

TEST_F(TapErrors, Names) {
    for (const char* name : {"", "sixteen-bytes-ab", "a/b", "tap%d", "a b", "a:1", ".", "..", "tab\t"}) {
        const auto error = error_of(named(name));
        EXPECT_EQ(error.field, "/ifname") << name;
        EXPECT_EQ(error.code, ErrorCode::invalid_params) << name;
        EXPECT_EQ(error.got, name);
    }
}

TEST_F(TapErrors, NamespacesThatAreNotThere) {
    const auto error = error_of(in("/run/netns/no-such-pod"));
    EXPECT_EQ(error.field, "/netns");
    EXPECT_EQ(error.code, ErrorCode::not_found);
    EXPECT_EQ(error.got, "/run/netns/no-such-pod");
    EXPECT_TRUE(error.retryable);
}

TEST_F(TapErrors, PathsThatAreNoNetworkNamespace) {
    char folder[] = "/tmp/tap-errors.XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    const auto fifo = std::string(folder) + "/fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    for (const std::string path :
         {"/etc/passwd", "/tmp", "/dev/null", "/proc/self/ns/mnt", "/proc/self/ns/pid", fifo.c_str()}) {
        const auto error = error_of(in(path));
        EXPECT_EQ(error.field, "/netns") << path;
        EXPECT_EQ(error.code, ErrorCode::invalid_params) << path << ": " << error.message;
    }
    unlink(fifo.c_str());
    rmdir(folder);
}

TEST_F(TapErrors, OurOwnNamespaceByPath) {
    const auto error = error_of(in("/proc/self/ns/net"));
    EXPECT_EQ(error.field, "/netns");
    EXPECT_EQ(error.code, ErrorCode::denied);
}

TEST_F(TapErrors, NamesThatOthersHave) {
    pod_.command("link add bridge0 type bridge");
    pod_.command("link add veth0 type veth peer name veth1");
    pod_.command("tuntap add dev single0 mode tap");
    pod_.command("tuntap add dev tun0 mode tun multi_queue");
    for (const char* name : {"lo", "bridge0", "veth0", "single0", "tun0"}) {
        const auto error = error_of(named(name));
        EXPECT_EQ(error.field, "/ifname") << name;
        EXPECT_EQ(error.code, ErrorCode::exists) << name << ": " << error.message;
        EXPECT_TRUE(pod_.has_link(name)) << name;
    }
}

TEST_F(TapErrors, ADeviceInUse) {
    Port port;
    port.name = "first";
    port.device = named("net1");
    const auto first = open_tap_port(port, 1500, test::buffers(), 1, {});
    ASSERT_TRUE(first);
    const auto error = error_of(named("net1"));
    EXPECT_EQ(error.field, "/ifname");
    EXPECT_EQ(error.code, ErrorCode::in_use);
    EXPECT_TRUE(error.retryable);
}

TEST_F(TapErrors, AddressesThatAreNotAnInterfacesOwn) {
    for (const char* mac : {"01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"}) {
        auto device = named("net1");
        device.mac = MacAddress::parse(mac);
        const auto error = error_of(device);
        EXPECT_EQ(error.field, "/mac");
        EXPECT_EQ(error.got, mac);
    }
    EXPECT_FALSE(pod_.has_link("net1"));
}

TEST_F(TapErrors, AFailureHalfwayLeavesNoDevice) {
    EXPECT_EQ(error_of(named("net1"), 10).field, "/mtu");
    EXPECT_FALSE(pod_.has_link("net1"));
}

}  // namespace
}  // namespace bulkhead
