// SPDX-License-Identifier: Apache-2.0
// herd FOLDER COUNT: so many vhost-user guests in one process, for tests of how long a switch is away. Guest i has the
// socket FOLDER/i.sock, listens there for ever as QEMU does, and each time that the switch comes sets its device up
// anew. It sends a frame to its partner (i ^ 1) every 2 ms and notes when it hears of it.
//
// A line on standard input is answered by a line of JSON:
//   reset   forget the gaps
//   pause, resume  sending
//   restart N  guest N goes, and comes back with a socket made anew
//   report  {"hearing": guests that heard in the last 50 ms, "longest_gap_ms": [of each guest, the present one
//            included], "first_heard": [when it first heard since the switch last came, CLOCK_MONOTONIC seconds, or 0],
//            "socket_made": [likewise]}
//   shrink N   guest N cuts off the memory that it shares, and waits to be hung up on
// Its end is the end of input.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/unit/vhost/fake_guest.h"

namespace {

using bulkhead::test::FakeGuest;
using bulkhead::test::Frame;
using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::uint64_t kFeatures = 1ULL << 32 | 1ULL << 15;  // VERSION_1, MRG_RXBUF
constexpr std::chrono::milliseconds kPace{2};

std::atomic<bool> paused{false};

struct Guest {
    explicit Guest(unsigned at) : number(at), last(Clock::now().time_since_epoch().count()) {}

    unsigned number;
    std::atomic<Clock::rep> last;      ///< when it heard of its partner
    std::atomic<Clock::rep> gap{0};    ///< the longest between two such times
    std::atomic<Clock::rep> first{0};  ///< since the switch last came
    std::atomic<Clock::rep> made{0};   ///< its socket
    std::atomic<bool> restarts{false}, shrinks{false};
};

Frame frame_to(unsigned to, unsigned from) {
    Frame frame(60, 0);
    frame[0] = frame[6] = 0x02;
    frame[4] = static_cast<std::uint8_t>(to >> 8), frame[5] = static_cast<std::uint8_t>(to);
    frame[10] = static_cast<std::uint8_t>(from >> 8), frame[11] = static_cast<std::uint8_t>(from);
    frame[12] = 0x88, frame[13] = 0xb5;  // IEEE 802, local experiments
    return frame;
}

bool is_from_partner(const Frame& frame, unsigned self) {
    const Frame expected = frame_to(self, self ^ 1);
    return frame.size() >= 12 && std::equal(expected.begin(), expected.begin() + 12, frame.begin());
}

void heard(Guest& guest) {
    const Clock::rep now = Clock::now().time_since_epoch().count();
    if (guest.first == 0) guest.first = now;
    guest.gap = std::max<Clock::rep>(guest.gap, now - guest.last);
    guest.last = now;
}

void live(Guest& self, FakeGuest device) {
    device.start(kFeatures);
    const Frame frame = frame_to(self.number ^ 1, self.number);
    while (device.still_connected(0) && !self.restarts) {
        if (self.shrinks.exchange(false)) {
            device.take_memory_back();  // who touches it now gets SIGBUS, we too
            while (device.still_connected(10)) continue;
            return;
        }
        if (!paused && !device.has_unsent()) device.send(frame);
        while (auto delivered = device.receive()) {
            if (is_from_partner(delivered->frame, self.number)) heard(self);
            device.give_buffers(1);
        }
        std::this_thread::sleep_for(kPace);
    }
}

[[noreturn]] void die(const std::string& what) {
    std::perror(what.c_str());
    std::exit(1);
}

int listen_at(const std::string& path) {
    const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    unlink(path.c_str());
    if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener, 1) != 0)
        die(path);
    return listener;
}

void serve(Guest& self, const std::string& path) {
    int listener = listen_at(path);
    while (true) {
        if (self.restarts) {
            close(listener);
            self.first = 0;
            listener = listen_at(path);
            self.made = Clock::now().time_since_epoch().count();
            self.restarts = false;
        }
        const int connection = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) die("accept");
        self.first = 0;
        try {
            live(self, FakeGuest::on(connection));
        } catch (const std::exception&) {  // the switch went while it was told something: it comes again
        }
    }
}

nlohmann::json report(const std::vector<std::unique_ptr<Guest>>& guests) {
    const Clock::rep now = Clock::now().time_since_epoch().count();
    const auto since = [now](Clock::rep time) { return Milliseconds(Clock::duration(now - time)).count(); };
    const auto at = [](Clock::rep time) { return std::chrono::duration<double>(Clock::duration(time)).count(); };
    nlohmann::json gaps = nlohmann::json::array(), firsts = gaps, made = gaps;
    unsigned hearing = 0;
    for (const auto& guest : guests) {
        const double silence = since(guest->last);
        if (silence < 50 && guest->first != 0) ++hearing;
        gaps.push_back(std::max(silence, Milliseconds(Clock::duration(guest->gap)).count()));
        firsts.push_back(at(guest->first));
        made.push_back(at(guest->made));
    }
    return {{"hearing", hearing}, {"longest_gap_ms", gaps}, {"first_heard", firsts}, {"socket_made", made}};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return std::fputs("usage: herd FOLDER COUNT\n", stderr), 2;
    const unsigned count = static_cast<unsigned>(std::atoi(argv[2]));
    rlimit descriptors{};
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    std::vector<std::unique_ptr<Guest>> guests;
    for (unsigned number = 0; number < count; ++number) {
        guests.push_back(std::make_unique<Guest>(number));
        std::thread(serve, std::ref(*guests.back()), argv[1] + ("/" + std::to_string(number)) + ".sock").detach();
    }
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "reset")
            for (const auto& guest : guests) guest->gap = 0;
        if (line.starts_with("shrink ")) guests.at(std::stoul(line.substr(7)))->shrinks = true;
        if (line == "pause" || line == "resume") paused = line == "pause";
        if (line.starts_with("restart ")) guests.at(std::stoul(line.substr(8)))->restarts = true;
        std::cout << (line == "report" ? report(guests) : nlohmann::json::object()) << std::endl;
    }
    _exit(0);  // the guests' threads wait for ever
}
