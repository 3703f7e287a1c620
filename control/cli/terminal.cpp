// SPDX-License-Identifier: Apache-2.0
#include "control/cli/terminal.h"

#include <csignal>
#include <poll.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bulkhead::cli {
namespace {

volatile std::sig_atomic_t asked_to_end = 0;

void ask_to_end(int /*signal*/) {
    asked_to_end = 1;
}

void write_terminal(std::string_view text) {
    [[maybe_unused]] const auto written = ::write(STDOUT_FILENO, text.data(), text.size());
}

void on_end_signals(void (*handler)(int)) {
    struct sigaction action{};
    action.sa_handler = handler;  // no SA_RESTART: the wait must end
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
}

}  // namespace

TerminalSize terminal_size() {
    winsize size{};
    if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
    return {size.ws_col, size.ws_row};
}

FullScreen::FullScreen() {
    termios settings{};
    if (::tcgetattr(STDIN_FILENO, &settings) == 0) {
        before_ = settings;
        settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        ::tcsetattr(STDIN_FILENO, TCSANOW, &settings);
    }
    on_end_signals(ask_to_end);
    write_terminal("\033[?1049h\033[?25l");
}

FullScreen::~FullScreen() {
    write_terminal("\033[?25h\033[?1049l");
    if (before_) ::tcsetattr(STDIN_FILENO, TCSANOW, &*before_);
    on_end_signals(SIG_DFL);
}

std::optional<char> wait_key(std::chrono::milliseconds time) {
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const bool has_keys = ::isatty(STDIN_FILENO) != 0;
    const int ready = ::poll(&input, has_keys ? 1 : 0, static_cast<int>(time.count()));
    if (asked_to_end != 0) return '\0';
    if (ready <= 0) return std::nullopt;
    char key = '\0';
    return ::read(STDIN_FILENO, &key, 1) == 1 ? key : '\0';
}

}  // namespace bulkhead::cli
