// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/folder_watch.h"

#include <chrono>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace bulkhead::vhost {
namespace {

using std::chrono::milliseconds;

class FolderWatchTest : public testing::Test {
  protected:
    FolderWatchTest() {
        std::string pattern = "/tmp/folder-watch-XXXXXX";
        folder_ = mkdtemp(pattern.data());
    }
    ~FolderWatchTest() override { std::filesystem::remove_all(folder_); }

    void touch(const std::string& name) const { std::ofstream(folder_ + "/" + name) << "x"; }
    FolderWatch::Id count(const std::string& name, int& calls) {
        return watch_->watch(folder_, name, [&calls] { ++calls; });
    }
    void turn() { loop_->turn(milliseconds(100)); }

    std::string folder_;
    std::unique_ptr<EventLoop> loop_ =
        EventLoop::create([](const std::exception& error) { ADD_FAILURE() << error.what(); }).value();
    std::unique_ptr<FolderWatch> watch_ = FolderWatch::create(*loop_).value();
};

TEST_F(FolderWatchTest, tells_those_who_wait_for_the_name) {
    int first = 0, also_first = 0, second = 0;
    EXPECT_NE(count("a", first), 0U);
    EXPECT_NE(count("a", also_first), 0U);
    EXPECT_NE(count("b", second), 0U);
    touch("a");
    turn();
    EXPECT_EQ(first, 1);
    EXPECT_EQ(also_first, 1);
    EXPECT_EQ(second, 0);
    std::filesystem::rename(folder_ + "/a", folder_ + "/b");
    turn();
    EXPECT_EQ(second, 1);
}

TEST_F(FolderWatchTest, forgets_one_and_goes_on_with_the_other) {
    int first = 0, second = 0;
    const auto id = count("a", first);
    count("a", second);
    watch_->forget(id);
    watch_->forget(id);
    touch("a");
    turn();
    EXPECT_EQ(first, 0);
    EXPECT_EQ(second, 1);
}

TEST_F(FolderWatchTest, a_call_may_forget_any) {
    FolderWatch::Id first = 0, second = 0;
    int calls = 0;
    const auto forget_both = [&] {
        ++calls;
        watch_->forget(first);
        watch_->forget(second);
    };
    first = watch_->watch(folder_, "a", forget_both);
    second = watch_->watch(folder_, "a", forget_both);
    touch("a");
    turn();
    EXPECT_EQ(calls, 1);
}

TEST_F(FolderWatchTest, tells_when_the_folder_goes_and_can_watch_the_next) {
    int calls = 0;
    count("a", calls);
    std::filesystem::remove_all(folder_);
    turn();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(count("a", calls), 0U) << "it is not there";
    std::filesystem::create_directory(folder_);
    EXPECT_NE(count("a", calls), 0U);
    touch("a");
    turn();
    EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace bulkhead::vhost
