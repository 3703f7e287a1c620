// SPDX-License-Identifier: Apache-2.0
#include "control/state/state_file.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>
#include <utility>

#include "control/rpc/refusal.h"
#include "control/rpc/rfc3339.h"
#include "vswitch/base/system_failure.h"

namespace bulkhead {
namespace {

using rpc::refusal;

constexpr const char *kCurrent = "state.json", *kNewCurrent = "state.json.new", *kPrevious = "state.previous.json";
constexpr const char* kLock = "lock";

/// The state that was read, or nullptr where there is none or it is damaged.
SavedState* intact(Result<std::optional<SavedState>>& read) {
    return read && read->has_value() ? &read->value() : nullptr;
}

int write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -1;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

/// 0, or an errno.
int read_all(int fd, std::string& content) {
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got == 0) return 0;
        if (got > 0) {
            content.append(buffer.data(), static_cast<std::size_t>(got));
        } else if (errno != EINTR) {
            return errno;
        }
    }
}

/// Nothing tells when a lock is free but a call that waits for it for ever.
bool locks(int lock, std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

Result<UniqueFd> take_lock(int directory, const std::string& folder, std::chrono::milliseconds patience) {
    const std::string path = folder + '/' + kLock;
    UniqueFd lock(::openat(directory, kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock.valid()) return system_failure("cannot open " + path, errno, ErrorCode::device_failed);
    if (!locks(lock.get(), patience)) {
        if (errno != EWOULDBLOCK) return system_failure("cannot lock " + path, errno, ErrorCode::device_failed);
        std::string owner;
        read_all(lock.get(), owner);
        return failure(refusal(ErrorCode::in_use, "another bulkheadd (pid " + owner.substr(0, owner.find('\n')) +
                                                      ") uses the state folder " + folder));
    }
    // The pid is for people; the lock counts.
    if (::ftruncate(lock.get(), 0) == 0) write_all(lock.get(), std::to_string(::getpid()) + '\n');
    return lock;
}

}  // namespace

Result<std::optional<SavedState>> StateFile::look(const std::string& folder) {
    UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) return std::nullopt;
    return StateFile(folder, std::move(directory), UniqueFd(), {}).load();
}

Result<StateFile> StateFile::open(std::string folder, Fault fault, std::chrono::milliseconds patience) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), ignored);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
        return system_failure("cannot create the state folder " + folder, errno, ErrorCode::device_failed);
    }
    UniqueFd directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) {
        return system_failure("cannot open the state folder " + folder, errno, ErrorCode::device_failed);
    }
    auto lock = take_lock(directory.get(), folder, patience);
    if (!lock) return failure(lock.error());
    return StateFile(std::move(folder), std::move(directory), std::move(*lock), std::move(fault));
}

std::unexpected<Error> StateFile::failed(const std::string& what, const std::string& name, int error) const {
    return system_failure("cannot " + what + ' ' + folder_ + '/' + name, error, ErrorCode::device_failed);
}

/// 0, or the errno of the step, or that of the fault a test puts in its place.
int StateFile::step(std::string_view name, const std::function<int()>& act) const {
    if (const int error = fault_ ? fault_(name) : 0) return error;
    return act() == 0 ? 0 : errno;
}

int StateFile::sync_folder() const {
    return ::fsync(directory_.get());
}

/// Makes `to` another name of the file `from`; `to` exists throughout if it did before. 0, or -1 and errno.
int StateFile::link_over(const std::string& from, const std::string& to) const {
    const std::string temporary = to + ".new";
    const int folder = directory_.get();
    ::unlinkat(folder, temporary.c_str(), 0);
    if (::linkat(folder, from.c_str(), folder, temporary.c_str(), 0) != 0) return -1;
    const int renamed = ::renameat(folder, temporary.c_str(), folder, to.c_str());
    const int error = errno;
    ::unlinkat(folder, temporary.c_str(), 0);  // rename(2) does nothing when both are the same file already
    errno = error;
    return renamed;
}

// ---- saving ----

Result<> StateFile::save(std::uint64_t generation, std::string_view body) {
    if (auto ok = write_new(encode_state(generation, body)); !ok) return ok;
    const auto had_former = keep_former();
    if (!had_former) return failure(had_former.error());
    return put_in_force(*had_former);
}

Result<> StateFile::write_new(const std::string& content) {
    const std::string name = kNewCurrent;
    ::unlinkat(directory_.get(), name.c_str(), 0);  // a save that was killed left it
    UniqueFd file;
    const auto open = [&] {
        file.reset(::openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        return file.valid() ? 0 : -1;
    };
    if (const int error = step("open", open)) return failed("create", name, error);
    const char* what = "write";
    int error = step("write", [&] { return write_all(file.get(), content); });
    if (error == 0) {
        what = "sync";
        error = step("sync", [&] { return ::fsync(file.get()); });
    }
    if (error == 0) return {};
    ::unlinkat(directory_.get(), name.c_str(), 0);
    return failed(what, name, error);
}

/// Gives the state in force its second name; false when there is none.
Result<bool> StateFile::keep_former() {
    const int error = step("keep", [&] { return link_over(kCurrent, kPrevious); });
    if (error == 0) return true;
    if (error == ENOENT) return false;
    ::unlinkat(directory_.get(), kNewCurrent, 0);
    return failed("keep the former state as", kPrevious, error);
}

Result<> StateFile::put_in_force(bool had_former) {
    const int folder = directory_.get();
    const std::string name = kNewCurrent;
    if (const int error = step("rename", [&] { return ::renameat(folder, name.c_str(), folder, kCurrent); })) {
        ::unlinkat(folder, name.c_str(), 0);
        return failed("replace", kCurrent, error);
    }
    const int error = step("sync folder", [&] { return sync_folder(); });
    if (error == 0) return {};
    // The caller is about to hear that nothing was saved; a restart must not find otherwise.
    const int taken_back = had_former ? link_over(kPrevious, kCurrent) : ::unlinkat(folder, kCurrent, 0);
    sync_folder();
    return failed(taken_back == 0 ? "sync the folder of" : "sync the folder, or put back the former state, of",
                  kCurrent, error);
}

// ---- loading ----

Result<std::optional<SavedState>> StateFile::read(const std::string& name) const {
    const UniqueFd file(::openat(directory_.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid()) {
        if (errno == ENOENT) return std::nullopt;
        return failed("open", name, errno);
    }
    std::string content;
    if (const int error = read_all(file.get(), content)) return failed("read", name, error);
    auto state = decode_state(content);
    if (state) return std::optional(std::move(*state));
    Error error = std::move(state.error());
    const bool newer = error.code == ErrorCode::not_built_in;
    error.message = folder_ + '/' + name + (newer ? " " : " is damaged: ") + error.message;
    return failure(std::move(error));
}

std::string StateFile::last_good() const {
    auto previous = read(kPrevious);
    const std::string path = folder_ + '/' + kPrevious;
    if (const SavedState* state = intact(previous)) {
        return "the last good state is " + path + ", generation " + std::to_string(state->generation) +
               " (--recover starts from it)";
    }
    return "there is no other state to go back to: " + (previous ? "no " + path : previous.error().message);
}

Result<std::optional<SavedState>> StateFile::load() const {
    auto current = read(kCurrent);
    if (!current) {
        current.error().message += "; " + last_good();
        return current;
    }
    // state.json is never removed, so where only its predecessor stands something else removed it.
    if (!*current && ::faccessat(directory_.get(), kPrevious, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        return failure(refusal(ErrorCode::internal, folder_ + '/' + kCurrent + " is missing; " + last_good()));
    }
    return current;
}

/// Gives a file a second name under which it stays; its first name is then free to be replaced.
Result<std::string> StateFile::set_aside(const std::string& name) {
    const std::string aside = name + ".corrupt-" + rpc::rfc3339(std::chrono::system_clock::now());
    if (::linkat(directory_.get(), name.c_str(), directory_.get(), aside.c_str(), 0) != 0) {
        return failed("set aside", name, errno);
    }
    return folder_ + '/' + aside;
}

Result<RecoveredState> StateFile::load_last_good() {
    auto current = read(kCurrent), previous = read(kPrevious);
    SavedState *current_state = intact(current), *previous_state = intact(previous);
    if (!current_state && !previous_state) {
        if (current && previous) return RecoveredState{};
        const Error& why = current ? previous.error() : current.error();
        return failure(refusal(ErrorCode::internal, why.message + "; no intact state is left in " + folder_));
    }
    RecoveredState recovered;
    // state.json is always the last that counts, even where its number is the lower one: a change that was not
    // confirmed, or that the switch refused, is followed by the former state.
    const bool take_current = current_state != nullptr;
    const char* other = take_current ? kPrevious : kCurrent;
    // The next save would overwrite a damaged file, so it gets another name while there is somebody to be told.
    const bool other_stands = take_current ? !previous : !current;
    if (other_stands) {
        auto aside = set_aside(other);
        if (!aside) return failure(aside.error());
        recovered.set_aside = std::move(*aside);
    }
    if (take_current) {
        if (other_stands) ::unlinkat(directory_.get(), kPrevious, 0);
    } else if (link_over(kPrevious, kCurrent) != 0) {
        return failed("restore", kCurrent, errno);
    }
    if (sync_folder() != 0) return failed("sync the folder of", kCurrent, errno);
    recovered.state = std::move(take_current ? *current_state : *previous_state);
    return recovered;
}

}  // namespace bulkhead
