// SPDX-License-Identifier: Apache-2.0
// Reads one JSON object by its table of fields, strictly: a key that is not in the table, a wrong type, a missing field
// and one that is not built in yet are refused. The first thing wrong is kept and all later reads answer with nothing,
// so that a decoder is a plain list of fields and asks once, at its end.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "control/api/fields.h"
#include "control/config/enum_names.h"
#include "vswitch/base/ip_address.h"
#include "vswitch/base/mac_address.h"
#include "vswitch/base/result.h"

namespace bulkhead::config {

class ObjectReader {
  public:
    /// `what` is the object in words, with its article ("a port"). Both must outlive the reader.
    ObjectReader(const nlohmann::json& object, std::span<const api::Field> fields, std::string_view what);

    [[nodiscard]] bool ok() const { return !error_; }
    [[nodiscard]] bool has(std::string_view name) const;  ///< written in the object, not only a default
    /// The value as written, else its default; nullptr when there is neither.
    [[nodiscard]] const nlohmann::json* value(std::string_view name) const;

    std::string text(std::string_view name);
    bool flag(std::string_view name);
    std::uint64_t number(std::string_view name, std::uint64_t lowest, std::uint64_t highest);
    std::optional<std::uint64_t> optional_number(std::string_view name, std::uint64_t lowest, std::uint64_t highest);
    std::optional<MacAddress> optional_mac(std::string_view name);
    std::vector<MacAddress> macs(std::string_view name);
    std::optional<IpAddress> optional_ip(std::string_view name);
    std::vector<IpAddress> ips(std::string_view name);
    std::vector<IpPrefix> prefixes(std::string_view name);  ///< addresses in CIDR notation
    std::vector<std::string> texts(std::string_view name);
    std::vector<std::uint64_t> numbers(std::string_view name, std::uint64_t lowest, std::uint64_t highest);

    template <typename E, std::size_t N>
    E choice(std::string_view name, const EnumName<E> (&names)[N]) {
        const std::string written = text(name);
        std::vector<std::string_view> allowed;
        for (const auto& entry : names) {
            if (entry.name == written) return entry.value;
            allowed.push_back(entry.name);
        }
        refuse_choice(name, written, allowed);
        return names[0].value;
    }

    /// Notes a refusal unless one is noted already.
    void refuse(Error error);
    void refuse(std::string_view name, std::string_view says, std::string got = {}, std::string allowed = {});
    /// Of a value that will be one.
    void refuse_not_built_in(std::string_view name, std::string got, std::string allowed);
    /// Takes over the refusal of an object inside this one, at `prefix` ("/vlans/1").
    void refuse_inside(Error error, std::string_view prefix);

    /// The decoded value, or the first refusal.
    template <typename T>
    Result<T> finish(T value) {
        if (error_) return failure(std::move(*error_));
        return value;
    }

  private:
    void check(std::string_view what);
    void check_key(const std::string& key, const nlohmann::json& value, std::string_view what);
    void refuse_choice(std::string_view name, const std::string& written, std::span<const std::string_view> allowed);
    [[nodiscard]] const api::Field* find(std::string_view name) const;
    std::uint64_t checked_number(const nlohmann::json& value, std::uint64_t lowest, std::uint64_t highest,
                                 std::string field);
    MacAddress checked_mac(const nlohmann::json& value, std::string field);
    IpAddress checked_ip(const nlohmann::json& value, std::string field);

    const nlohmann::json& object_;
    std::span<const api::Field> fields_;
    std::optional<Error> error_;
};

/// The text itself, or its beginning with a mark that there is more: at most `longest` bytes, no character torn.
[[nodiscard]] std::string shortened(std::string text, std::size_t longest);
/// JSON for people: one line, shortened.
[[nodiscard]] std::string shown(const nlohmann::json& value);
/// A key as a token of a JSON pointer (RFC 6901, section 3), with its slash.
[[nodiscard]] std::string pointer_token(std::string_view key);
/// "a, b or c"
[[nodiscard]] std::string listed(std::span<const std::string_view> words);
/// The names nearest to a misspelt one, best first, at most three.
[[nodiscard]] std::vector<std::string_view> nearest(std::string_view word, std::span<const api::Field> fields);

}  // namespace bulkhead::config
