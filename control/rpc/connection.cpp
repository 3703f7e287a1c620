// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/connection.h"

#include <array>
#include <cerrno>
#include <sys/socket.h>

namespace bulkhead::rpc {
namespace {

constexpr std::size_t kReadBytes = 64UL * 1024;     ///< per client and turn: nobody's flood starves the others
constexpr std::size_t kKeptCapacity = 64UL * 1024;  ///< one long reply must not hold its memory for ever

bool is_transient(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

std::string_view Connection::read_once() {
    static thread_local std::array<char, kReadBytes> buffer;
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got > 0) return {buffer.data(), static_cast<std::size_t>(got)};
    if (got == 0 || !is_transient(errno)) input_ended_ = true;
    return {};
}

void Connection::receive() {
    input_.append(read_once());
}

void Connection::discard() {
    read_once();
}

void Connection::queue(std::string_view line) {
    if (output_ended_) return;
    output_ += line;
    output_ += '\n';
}

void Connection::send() {
    while (queued() > 0) {
        const ssize_t done = ::send(socket_.get(), output_.data() + sent_, queued(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0) {
            if (errno == EINTR) continue;
            if (!is_transient(errno)) peer_left();
            return;
        }
        sent_ += static_cast<std::size_t>(done);
        // Dropping what is sent only by halves keeps the copying linear.
        if (sent_ >= output_.size() / 2) {
            output_.erase(0, sent_);
            sent_ = 0;
        }
    }
    drop_output();
}

void Connection::end_output() {
    if (output_ended_) return;
    output_ended_ = true;
    ::shutdown(socket_.get(), SHUT_WR);
}

void Connection::peer_left() {
    output_ended_ = true;
    drop_output();
}

void Connection::drop_output() {
    sent_ = 0;
    output_.clear();
    if (output_.capacity() > kKeptCapacity) output_.shrink_to_fit();
}

}  // namespace bulkhead::rpc
