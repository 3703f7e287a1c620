// SPDX-License-Identifier: Apache-2.0
#include "control/state/state_file.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <signal.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/rpc/temp_folder.h"

namespace bulkhead {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kSteps[] = {"open", "write", "sync", "keep", "rename", "sync folder"};
const SavedState kFirst{.generation = 1, .body = R"({"segments":["blue"]})"};
const SavedState kSecond{.generation = 2, .body = R"({"segments":["blue","red"]})"};
const SavedState kThird{.generation = 3, .body = R"({"segments":[]})"};

struct Killed : std::runtime_error {
    Killed() : std::runtime_error("killed") {}
};

std::string content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_to(const std::string& path, std::string_view content) {
    std::ofstream(path, std::ios::binary).write(content.data(), static_cast<std::streamsize>(content.size()));
}

mode_t mode_of(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
}

class StateFileTest : public testing::Test {
  protected:
    StateFile open(StateFile::Fault fault = {}) {
        auto opened = StateFile::open(folder, std::move(fault));
        EXPECT_TRUE(opened) << opened.error().message;
        return std::move(*opened);
    }
    void save(const SavedState& state) {
        const auto saved = open().save(state.generation, state.body);
        ASSERT_TRUE(saved) << saved.error().message;
    }
    Result<std::optional<SavedState>> load() { return open().load(); }
    std::optional<SavedState> loaded() {
        auto result = load();
        EXPECT_TRUE(result) << result.error().message;
        return result ? std::move(*result) : std::nullopt;
    }
    std::set<std::string> files() {
        std::set<std::string> names;
        for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
        return names;
    }

    TempFolder temp;
    std::string folder = temp / "state", current = folder + "/state.json", previous = folder + "/state.previous.json";
};

TEST_F(StateFileTest, StartsEmptyAndKeepsWhatIsSaved) {
    EXPECT_EQ(loaded(), std::nullopt);
    save(kFirst);
    EXPECT_EQ(loaded(), kFirst);
    save(kSecond);
    EXPECT_EQ(loaded(), kSecond);
    EXPECT_EQ(decode_state(content_of(previous)), kFirst);
    save({.generation = 3, .body = ""});
    EXPECT_EQ(loaded()->body, "");
    EXPECT_EQ(files(), (std::set<std::string>{"lock", "state.json", "state.previous.json"}));
}

TEST_F(StateFileTest, TheHeaderIsWhatIsDocumented) {
    save(kFirst);
    EXPECT_THAT(content_of(current), testing::MatchesRegex("[{]\"format\":1,\"generation\":1,\"length\":21,\"crc32\":"
                                                           "\"[0-9a-f]*\"[}]\n[{]\"segments\":.\"blue\".[}]"));
}

TEST_F(StateFileTest, OnlyItsOwnerMayLook) {
    const mode_t former = ::umask(0);
    save(kFirst);
    ::umask(former);
    EXPECT_EQ(mode_of(folder), 0700U);
    EXPECT_EQ(mode_of(current), 0600U);
    EXPECT_EQ(mode_of(folder + "/lock"), 0600U);
}

TEST_F(StateFileTest, TwoDaemonsDoNotShareAFolder) {
    {
        const auto first = open();
        const auto second = StateFile::open(folder);
        ASSERT_FALSE(second);
        EXPECT_EQ(second.error().code, ErrorCode::in_use);
        EXPECT_THAT(second.error().message, HasSubstr(folder));
        EXPECT_THAT(second.error().message, HasSubstr("pid " + std::to_string(::getpid())));
    }
    EXPECT_TRUE(StateFile::open(folder));
}

TEST_F(StateFileTest, AFolderThatCannotBeIsNamed) {
    write_to(folder, "a file");
    const auto refused = StateFile::open(folder);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::device_failed);
    EXPECT_THAT(refused.error().message, HasSubstr(folder + ": Not a directory"));
    EXPECT_FALSE(StateFile::open("/proc/no/such"));
}

TEST_F(StateFileTest, AFailureAtAnyStepLeavesTheFormerState) {
    save(kFirst);
    save(kSecond);
    for (const std::string failing : kSteps) {
        const auto saved =
            open([&](std::string_view step) { return step == failing ? ENOSPC : 0; }).save(3, kThird.body);
        ASSERT_FALSE(saved) << failing;
        EXPECT_EQ(saved.error().code, ErrorCode::device_failed);
        EXPECT_THAT(saved.error().message, HasSubstr(folder + "/state"));
        EXPECT_THAT(saved.error().message, HasSubstr("No space left on device"));
        EXPECT_EQ(loaded(), kSecond) << failing;
        EXPECT_EQ(files(), (std::set<std::string>{"lock", "state.json", "state.previous.json"})) << failing;
    }
    save(kThird);
    EXPECT_EQ(loaded(), kThird);
}

TEST_F(StateFileTest, AFailureOfTheFirstSaveLeavesNothing) {
    for (const std::string failing : kSteps) {
        const auto saved = open([&](std::string_view step) { return step == failing ? EIO : 0; }).save(1, kFirst.body);
        ASSERT_FALSE(saved) << failing;
        EXPECT_EQ(loaded(), std::nullopt) << failing;
    }
    save(kFirst);
    EXPECT_EQ(loaded(), kFirst);
}

TEST_F(StateFileTest, AKillBeforeAnyStepLeavesTheFormerStateOrTheNewOne) {
    for (const std::string killed_at : kSteps) {
        fs::remove_all(folder);
        save(kFirst);
        save(kSecond);
        const auto fault = [&](std::string_view step) -> int {
            EXPECT_TRUE(fs::exists(current)) << "state.json must exist at all times: " << step;
            if (step == killed_at) throw Killed();
            return 0;
        };
        EXPECT_THROW(std::ignore = open(fault).save(3, kThird.body), Killed);
        EXPECT_EQ(loaded(), killed_at == "sync folder" ? kThird : kSecond) << killed_at;
        EXPECT_EQ(open().load_last_good()->set_aside, "");
        save({.generation = 4, .body = "4"});
        EXPECT_EQ(loaded()->generation, 4U);
        EXPECT_EQ(files(), (std::set<std::string>{"lock", "state.json", "state.previous.json"})) << killed_at;
    }
}

TEST_F(StateFileTest, AFullDiskIsToldAndHarmsNothing) {
    save(kFirst);
    rlimit former{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &former), 0);
    rlimit tight = former;
    tight.rlim_cur = 4096;  // a real write that stops half-way
    const auto former_action = ::signal(SIGXFSZ, SIG_IGN);
    auto file = open();
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
    const auto saved = file.save(2, std::string(100'000, 'x'));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &former), 0);
    ::signal(SIGXFSZ, former_action);
    ASSERT_FALSE(saved);
    EXPECT_THAT(saved.error().message, HasSubstr("File too large"));
    EXPECT_EQ(file.load()->value(), kFirst);
    EXPECT_TRUE(file.save(2, kSecond.body));
    EXPECT_EQ(file.load()->value(), kSecond);
}

TEST_F(StateFileTest, ATruncatedFileIsNeverTakenForState) {
    save(kFirst);
    save(kSecond);
    const std::string whole = content_of(current);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        write_to(current, whole.substr(0, length));
        const auto refused = load();
        ASSERT_FALSE(refused) << length;
        EXPECT_THAT(refused.error().message, HasSubstr(current + " is damaged"));
        EXPECT_THAT(refused.error().message, HasSubstr("the last good state is " + previous + ", generation 1"));
    }
    write_to(current, whole + "x");
    EXPECT_FALSE(load());
    write_to(current, whole);
    EXPECT_EQ(loaded(), kSecond);
}

TEST_F(StateFileTest, AFlippedBitIsNeverTakenForState) {
    const std::string whole = encode_state(kSecond.generation, kSecond.body);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string flipped = whole;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_FALSE(decode_state(flipped)) << "bit " << bit;
    }
    EXPECT_EQ(decode_state(whole), kSecond);
}

TEST_F(StateFileTest, ANewerFormatIsNotGuessedAt) {
    save(kFirst);
    save(kSecond);
    write_to(current, "{\"format\":2,\"anything\":true}\nin another form");
    const auto refused = load();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("newer bulkheadd: format 2, this one reads 1"));
    EXPECT_THAT(refused.error().message, HasSubstr("generation 1"));
}

TEST_F(StateFileTest, DamageWithoutAPredecessorSaysSo) {
    save(kFirst);
    write_to(current, "rubbish");
    const auto refused = load();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("no other state to go back to"));
    const auto recovered = open().load_last_good();
    ASSERT_FALSE(recovered);
    EXPECT_THAT(recovered.error().message, HasSubstr(current));
    EXPECT_EQ(content_of(current), "rubbish");
}

TEST_F(StateFileTest, AMissingFileWithAPredecessorIsNotAFreshStart) {
    save(kFirst);
    save(kSecond);
    fs::remove(current);
    const auto refused = load();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(current + " is missing"));
    EXPECT_EQ(open().load_last_good()->state, kFirst);
    EXPECT_EQ(loaded(), kFirst);
}

TEST_F(StateFileTest, WhatIsNotAPlainFileIsNamed) {
    save(kFirst);
    fs::remove(current);
    fs::create_directory(current);
    const auto refused = load();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr(current + ": Is a directory"));
}

TEST_F(StateFileTest, RecoveryTakesThePredecessorAndSetsTheDamagedFileAside) {
    save(kFirst);
    save(kSecond);
    write_to(current, "rubbish");
    const auto recovered = open().load_last_good();
    ASSERT_TRUE(recovered) << recovered.error().message;
    EXPECT_EQ(recovered->state, kFirst);
    EXPECT_THAT(recovered->set_aside, HasSubstr(current + ".corrupt-20"));
    EXPECT_EQ(content_of(recovered->set_aside), "rubbish");
    EXPECT_EQ(loaded(), kFirst) << "the next start needs no recovery";
    save(kThird);
    EXPECT_EQ(loaded(), kThird);
    EXPECT_EQ(content_of(recovered->set_aside), "rubbish");
}

TEST_F(StateFileTest, RecoveryOfAnIntactFolderChangesNothing) {
    EXPECT_EQ(open().load_last_good()->state, std::nullopt);
    save(kFirst);
    EXPECT_EQ(open().load_last_good()->state, kFirst);
    save(kSecond);
    const auto recovered = open().load_last_good();
    EXPECT_EQ(recovered->state, kSecond);
    EXPECT_EQ(recovered->set_aside, "");
    EXPECT_EQ(loaded(), kSecond);
}

TEST_F(StateFileTest, RecoverySetsADamagedPredecessorAsideToo) {
    save(kFirst);
    save(kSecond);
    write_to(previous, "rubbish");
    EXPECT_EQ(loaded(), kSecond);
    const auto recovered = open().load_last_good();
    EXPECT_EQ(recovered->state, kSecond);
    EXPECT_EQ(content_of(recovered->set_aside), "rubbish");
    EXPECT_FALSE(fs::exists(previous));
}

TEST_F(StateFileTest, RecoveryTakesTheCurrentStateWhateverItsNumber) {
    save(kThird);
    save(kFirst);  // the state before a change that was not confirmed has the higher number of its roll-back
    const auto recovered = open().load_last_good();
    EXPECT_EQ(recovered->state, kFirst);
    EXPECT_EQ(recovered->set_aside, "");
    EXPECT_EQ(loaded(), kFirst);
}

}  // namespace
}  // namespace bulkhead
