// SPDX-License-Identifier: Apache-2.0
#include "control/rpc/line_buffer.h"

#include <utility>

namespace bulkhead::rpc {
namespace {

constexpr std::size_t kKeptCapacity = 256UL * 1024;  ///< one long line must not hold its memory for ever

}  // namespace

void LineBuffer::append(std::string_view bytes) {
    if (begin_ == data_.size() && data_.capacity() > kKeptCapacity) {
        clear();
    } else if (begin_ > 0) {
        data_.erase(0, begin_);
        scanned_ -= begin_;
        begin_ = 0;
    }
    data_ += bytes;
}

bool LineBuffer::has_line() {
    const auto newline = data_.find('\n', scanned_);
    scanned_ = newline == std::string::npos ? data_.size() : newline;
    return newline != std::string::npos;
}

std::optional<std::string_view> LineBuffer::next() {
    if (!has_line()) return std::nullopt;
    const std::string_view line = std::string_view(data_).substr(begin_, scanned_ - begin_);
    begin_ = ++scanned_;
    return line;
}

std::optional<std::string_view> LineBuffer::take_rest() {
    const std::string_view rest = std::string_view(data_).substr(begin_);
    begin_ = scanned_ = data_.size();
    if (rest.empty()) return std::nullopt;
    return rest;
}

}  // namespace bulkhead::rpc
