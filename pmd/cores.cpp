// SPDX-License-Identifier: Apache-2.0
#include "pmd/cores.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sched.h>

#include "vswitch/base/ids.h"

namespace bulkhead {
namespace {

struct Range {
    std::uint16_t first = 0, last = 0;
};

std::optional<std::uint16_t> parse_number(std::string_view text) {
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<Range> parse_range(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = parse_number(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
    if (!first || !last || *first > *last) return std::nullopt;
    return Range{*first, *last};
}

bool contains(const std::vector<std::uint16_t>& cores, unsigned core) {
    return std::find(cores.begin(), cores.end(), core) != cores.end();
}

std::unexpected<Error> refuse(std::string message, std::string_view text, std::string allowed) {
    return invalid("/cores", std::move(message), std::string(text), std::move(allowed));
}

}  // namespace

std::vector<std::uint16_t> available_cores() {
    std::vector<std::uint16_t> cores;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
    for (std::uint16_t core = 0; core < CPU_SETSIZE; ++core) {
        if (CPU_ISSET(core, &set)) cores.push_back(core);
    }
    return cores;
}

std::string format_cores(const std::vector<std::uint16_t>& cores) {
    std::string text;
    for (std::size_t i = 0; i < cores.size();) {
        std::size_t j = i;
        while (j + 1 < cores.size() && cores[j + 1] == cores[j] + 1) ++j;
        if (!text.empty()) text += ',';
        text += std::to_string(cores[i]);
        if (j > i) text += '-' + std::to_string(cores[j]);
        i = j + 1;
    }
    return text;
}

Result<std::vector<std::uint16_t>> parse_cores(std::string_view text, const std::vector<std::uint16_t>& available) {
    const std::string there = "CPUs of " + format_cores(available);
    std::vector<std::uint16_t> cores;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        const auto item = text.substr(begin, end - begin);
        const auto range = parse_range(item);
        if (!range) return refuse("cores is a list of CPUs and ascending ranges such as \"1,3-5\"", text, there);
        for (unsigned core = range->first; core <= range->last; ++core) {
            if (!contains(available, core)) {
                return refuse("CPU " + std::to_string(core) + " does not exist here, or this process may not use it",
                              text, there);
            }
            if (contains(cores, core)) return refuse("CPU " + std::to_string(core) + " is named twice", text, there);
            cores.push_back(static_cast<std::uint16_t>(core));
        }
        begin = end + 1;
    }
    if (cores.size() > kMaxWorkers) {
        return refuse("more CPUs than the switch has workers for", text, "at most " + std::to_string(kMaxWorkers));
    }
    return cores;
}

Result<std::vector<std::uint16_t>> parse_cores(std::string_view text) {
    return parse_cores(text, available_cores());
}

}  // namespace bulkhead
