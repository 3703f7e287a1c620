// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/listener.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/rpc/server_fixture.h"

namespace bulkhead::rpc {
namespace {

using testing::HasSubstr;

class ListenerTest : public testing::Test {
  protected:
    TempFolder folder;
    std::string path = folder / "control.sock";
};

TEST_F(ListenerTest, ThePathMustFitASocketAddress) {
    const auto of_length = [&](std::size_t length) {
        return folder / std::string(length - folder.path().size() - 1, 's');
    };
    EXPECT_TRUE(Listener::open(of_length(107), {}));
    const auto refused = Listener::open(of_length(108), {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_params);
    EXPECT_EQ(refused.error().got, "108 bytes");
    EXPECT_FALSE(Listener::open("", {}));
    EXPECT_FALSE(Listener::open(std::string("a\0b", 3), {}));
}

TEST_F(ListenerTest, TheFileHasItsModeAndGroupAndGoesAway) {
    {
        const auto listener = Listener::open(path, 12345);
        if (::geteuid() != 0) GTEST_SKIP() << "giving a file to a group of one's choice needs root";
        ASSERT_TRUE(listener) << listener.error().message;
        struct stat status{};
        ASSERT_EQ(::stat(path.c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 07777, 0660U);
        EXPECT_EQ(status.st_gid, 12345U);
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenerTest, ItsFolderIsCreated) {
    EXPECT_TRUE(Listener::open(folder / "run/control.sock", {}));
    const auto refused = Listener::open(folder / "no/such/control.sock", {});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("no/such"));
}

TEST_F(ListenerTest, AStaleSocketIsReplaced) {
    const UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    ASSERT_EQ(::bind(dead.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_FALSE(TestClient::connect(path));
    const auto listener = Listener::open(path, {});
    ASSERT_TRUE(listener) << listener.error().message;
    EXPECT_TRUE(TestClient::connect(path));
}

TEST_F(ListenerTest, ALiveSocketIsAnError) {
    const auto first = Listener::open(path, {});
    ASSERT_TRUE(first);
    const auto second = Listener::open(path, {});
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("another bulkheadd is running"));
    EXPECT_TRUE(TestClient::connect(path)) << "the first one must not notice";
}

TEST_F(ListenerTest, WhatIsNotASocketIsLeftAlone) {
    std::ofstream(path) << "precious";
    const auto refused = Listener::open(path, {});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("not a socket"));
    std::string content;
    std::ifstream(path) >> content;
    EXPECT_EQ(content, "precious");

    std::filesystem::create_symlink(folder / "control.sock", folder / "link");
    EXPECT_FALSE(Listener::open(folder / "link", {}));
}

TEST_F(ListenerTest, ASuccessorsFileIsLeftAlone) {
    auto first = std::make_unique<Result<Listener>>(Listener::open(path, {}));
    std::filesystem::remove(path);
    const auto successor = Listener::open(path, {});
    ASSERT_TRUE(successor);
    first.reset();
    EXPECT_TRUE(TestClient::connect(path));
}

}  // namespace
}  // namespace bulkhead::rpc
