// SPDX-License-Identifier: Apache-2.0
#include "control/cli/arguments.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <boost/program_options.hpp>

#include "control/cli/argument_value.h"
#include "control/cli/text.h"

namespace bulkhead::cli {
namespace {

namespace po = boost::program_options;
using nlohmann::json;

constexpr const char* kBareWord = "bare word";  // no option can be typed that way

const api::Field* find_param(const api::Method& method, std::string_view name) {
    const auto found = std::ranges::find(method.params, name, &api::Field::name);
    return found == method.params.end() ? nullptr : &*found;
}

/// Spells options as the row does (underscores) and gives every flag its value: to the option parser a flag would take
/// whatever word comes next, and `--force blue` would lose its blue.
std::vector<std::string> normalized(const api::Method& method, std::span<const std::string> words) {
    std::vector<std::string> result;
    for (std::size_t at = 0; at < words.size(); ++at) {
        std::string word = words[at];
        if (word == "--") {
            result.insert(result.end(), words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
            break;
        }
        if (word.starts_with("--")) {
            const auto end = std::min(word.find('='), word.size());
            std::replace(word.begin() + 2, word.begin() + static_cast<std::ptrdiff_t>(end), '-', '_');
            const api::Field* field = find_param(method, std::string_view(word).substr(2));
            const bool flag = field != nullptr && field->type == api::JsonType::boolean;
            if (!flag && end + 1 == word.size()) {  // `--owner=`: the parser wants an empty value to stand apart
                result.push_back(word.substr(0, end));
                word.clear();
            }
            if (flag && end == word.size()) {
                const bool said = at + 1 < words.size() && is_boolean(words[at + 1]);
                word += said ? "=" + words[++at] : "=true";
            }
        }
        result.push_back(std::move(word));
    }
    return result;
}

po::parsed_options split(const api::Method& method, const std::vector<std::string>& words) {
    po::options_description options;
    for (const api::Field& field : method.params) {
        options.add_options()(std::string(field.name).c_str(), po::value<std::string>());
    }
    options.add_options()(kBareWord, po::value<std::vector<std::string>>());
    po::positional_options_description bare_words;
    bare_words.add(kBareWord, -1);
    namespace style = po::command_line_style;
    return po::command_line_parser(words)
        .options(options)
        .positional(bare_words)
        .style(style::allow_long | style::long_allow_adjacent | style::long_allow_next)
        .run();
}

UsageError unknown_option(const api::Method& method, const std::string& token) {
    std::string allowed;
    for (const api::Field& field : method.params) allowed += concat({allowed.empty() ? "" : ", ", option_name(field)});
    return {concat(
        {spoken(method.name), " has no option ", printable(token), "; it has ", allowed.empty() ? "none" : allowed})};
}

/// Puts one value in its place; an array that is given again grows.
std::expected<void, UsageError> store(json& params, const api::Method& method, const api::Field& field,
                                      const std::string& text, const ReadText& read_text) {
    auto value = argument_value(field, text, method.merge_patch, read_text);
    if (!value) return std::unexpected(UsageError{concat({option_name(field), ": ", value.error()})});
    const std::string name(field.name);
    if (!params.contains(name)) {
        params[name] = std::move(*value);
    } else if (params[name].is_array() && value->is_array()) {
        for (json& element : *value) params[name].push_back(std::move(element));
    } else {
        return std::unexpected(UsageError{option_name(field) + " is given twice"});
    }
    return {};
}

std::expected<void, UsageError> store_bare_words(json& params, const api::Method& method,
                                                 const std::vector<std::string>& words, const ReadText& read_text) {
    auto word = words.begin();
    for (const api::Field& field : method.params) {
        if (params.contains(field.name) || !(field.required || (field.bare_word && word != words.end()))) continue;
        if (word == words.end())
            return std::unexpected(UsageError{
                concat({spoken(method.name), " needs ", field.name, " (", option_name(field), "): ", field.help})});
        if (auto stored = store(params, method, field, *word++, read_text); !stored) return stored;
    }
    if (word == words.end()) return {};
    return std::unexpected(
        UsageError{concat({"\"", printable(*word), "\" is one word too many for ", spoken(method.name)})});
}

}  // namespace

std::string option_name(const api::Field& field) {
    std::string name = concat({"--", field.name});
    std::ranges::replace(name, '_', '-');
    return name;
}

std::expected<json, UsageError> parse_arguments(const api::Method& method, std::span<const std::string> words,
                                                const ReadText& read_text) {
    json params = json::object();
    std::vector<std::string> bare_words;
    try {
        for (const auto& option : split(method, normalized(method, words)).options) {
            if (option.position_key >= 0) {
                bare_words.push_back(option.value.front());
                continue;
            }
            const api::Field* field = find_param(method, option.string_key);
            if (field == nullptr) return std::unexpected(unknown_option(method, option.original_tokens.front()));
            if (auto stored = store(params, method, *field, option.value.front(), read_text); !stored)
                return std::unexpected(stored.error());
        }
    } catch (const po::unknown_option& error) {
        return std::unexpected(unknown_option(method, error.get_option_name()));
    } catch (const po::error& error) {
        return std::unexpected(UsageError{concat({spoken(method.name), ": ", error.what()})});
    }
    if (auto stored = store_bare_words(params, method, bare_words, read_text); !stored)
        return std::unexpected(stored.error());
    return params;
}

}  // namespace bulkhead::cli
