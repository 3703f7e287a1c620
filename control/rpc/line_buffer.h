// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bulkhead::rpc {

/// Bytes as they arrive, handed out as lines. Each byte is looked at once for its newline, however small the pieces in
/// which a long line comes.
class LineBuffer {
  public:
    void append(std::string_view bytes);

    /// The next whole line without its newline. The view holds until the next append().
    [[nodiscard]] std::optional<std::string_view> next();
    [[nodiscard]] bool has_line();

    /// What came after the last newline, as a line of its own: for the end of the input. Nothing when that is empty.
    [[nodiscard]] std::optional<std::string_view> take_rest();

    [[nodiscard]] std::size_t size() const { return data_.size() - begin_; }  ///< bytes not handed out
    void clear() { *this = {}; }

  private:
    std::string data_;
    std::size_t begin_ = 0;    ///< first byte not handed out
    std::size_t scanned_ = 0;  ///< no newline in [begin_, scanned_)
};

}  // namespace bulkhead::rpc
