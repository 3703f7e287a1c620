// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bulkhead::policy_import {

/// The same on every machine and in every version, since names and numbers are made of it: FNV-1a of 64 bits, mixed as
/// splitmix64 does, so that its low bits are as good as the high ones.
[[nodiscard]] constexpr std::uint64_t stable_hash(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111ebU;
    return hash ^ hash >> 31;
}

/// The first `digits` of it, in hexadecimal.
[[nodiscard]] inline std::string hash_digits(std::string_view text, unsigned digits) {
    std::string result;
    for (std::uint64_t hash = stable_hash(text); result.size() < digits; hash <<= 4)
        result += "0123456789abcdef"[hash >> 60];
    return result;
}

}  // namespace bulkhead::policy_import
