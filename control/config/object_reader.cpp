// SPDX-License-Identifier: Apache-2.0
#include "control/config/object_reader.h"

#include <algorithm>
#include <map>

#include "vswitch/model/checks.h"

namespace bulkhead::config {
namespace {

using nlohmann::json;

bool has_type(const json& value, api::JsonType type) {
    switch (type) {
        case api::JsonType::string:
            return value.is_string();
        case api::JsonType::integer:
            return value.is_number_integer();
        case api::JsonType::boolean:
            return value.is_boolean();
        case api::JsonType::array:
            return value.is_array();
        case api::JsonType::object:
            return value.is_object();
        case api::JsonType::any:
            return !value.is_null();
    }
    return false;
}

std::string_view words_for(api::JsonType type) {
    switch (type) {
        case api::JsonType::string:
            return "a string";
        case api::JsonType::integer:
            return "an integer";
        case api::JsonType::boolean:
            return "true or false";
        case api::JsonType::array:
            return "an array";
        case api::JsonType::object:
            return "an object";
        case api::JsonType::any:
            return "a value";
    }
    return {};
}

// The tables hold defaults as text; each is parsed once a thread.
const json& parsed_default(std::string_view text) {
    thread_local std::map<std::string_view, json> cache;
    auto [entry, is_new] = cache.try_emplace(text);
    if (is_new) entry->second = json::parse(text);
    return entry->second;
}

std::string range_text(std::uint64_t lowest, std::uint64_t highest) {
    return std::to_string(lowest) + "-" + std::to_string(highest);
}

}  // namespace

ObjectReader::ObjectReader(const json& object, std::span<const api::Field> fields, std::string_view what)
    : object_(object), fields_(fields) {
    check(what);
}

void ObjectReader::check(std::string_view what) {
    if (!object_.is_object()) {
        refuse(invalid("", std::string(what) + " must be an object", shown(object_), "an object").error());
        return;
    }
    for (const auto& [key, value] : object_.items()) check_key(key, value, what);
    for (const api::Field& field : fields_) {
        if (field.required && !object_.contains(field.name)) {
            refuse(field.name, "is missing", kNothing, std::string(field.help));
        }
    }
}

void ObjectReader::check_key(const std::string& key, const json& value, std::string_view what) {
    const api::Field* field = find(key);
    if (field == nullptr) {
        refuse(invalid(pointer_token(key), std::string(what) + " has no field " + shown(key), shown(key),
                       listed(nearest(key, fields_)))
                   .error());
    } else if (!field->built_in) {
        if (!field->default_json.empty() && value == parsed_default(field->default_json)) return;
        refuse_not_built_in(key, shown(value),
                            field->default_json.empty() ? "leave it out" : std::string(field->default_json));
    } else if (!has_type(value, field->type)) {
        refuse(key, "has the wrong type", shown(value), std::string(words_for(field->type)));
    }
}

void ObjectReader::refuse_not_built_in(std::string_view name, std::string got, std::string allowed) {
    const std::string key(name);
    Error error = invalid(pointer_token(key), key + " is not built in yet", std::move(got), std::move(allowed)).error();
    error.code = ErrorCode::not_built_in;
    refuse(std::move(error));
}

const api::Field* ObjectReader::find(std::string_view name) const {
    auto field = std::ranges::find(fields_, name, &api::Field::name);
    return field == fields_.end() ? nullptr : &*field;
}

bool ObjectReader::has(std::string_view name) const {
    return ok() && object_.contains(name);
}

const json* ObjectReader::value(std::string_view name) const {
    if (!ok()) return nullptr;
    if (auto written = object_.find(name); written != object_.end()) return &*written;
    const api::Field* field = find(name);
    return field == nullptr || field->default_json.empty() ? nullptr : &parsed_default(field->default_json);
}

std::string ObjectReader::text(std::string_view name) {
    const json* found = value(name);
    return found == nullptr ? std::string() : found->get<std::string>();
}

bool ObjectReader::flag(std::string_view name) {
    const json* found = value(name);
    return found != nullptr && found->get<bool>();
}

std::uint64_t ObjectReader::number(std::string_view name, std::uint64_t lowest, std::uint64_t highest) {
    return optional_number(name, lowest, highest).value_or(0);
}

std::optional<std::uint64_t> ObjectReader::optional_number(std::string_view name, std::uint64_t lowest,
                                                           std::uint64_t highest) {
    const json* found = value(name);
    if (found == nullptr) return std::nullopt;
    return checked_number(*found, lowest, highest, pointer_token(name));
}

std::uint64_t ObjectReader::checked_number(const json& value, std::uint64_t lowest, std::uint64_t highest,
                                           std::string field) {
    if (!value.is_number_integer()) {
        refuse(refused(std::move(field), "is not an integer", shown(value), range_text(lowest, highest)).error());
        return 0;
    }
    const bool negative = !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
    const auto number = value.get<std::uint64_t>();
    if (negative || number < lowest || number > highest) {
        refuse(refused(std::move(field), "is out of range", shown(value), range_text(lowest, highest)).error());
        return 0;
    }
    return number;
}

MacAddress ObjectReader::checked_mac(const json& value, std::string field) {
    auto mac = value.is_string() ? MacAddress::parse(value.get_ref<const std::string&>()) : std::nullopt;
    if (!mac) refuse(refused(std::move(field), "is not a MAC address", shown(value), "like 02:00:00:00:00:0a").error());
    return mac.value_or(MacAddress());
}

std::optional<MacAddress> ObjectReader::optional_mac(std::string_view name) {
    const json* found = value(name);
    if (found == nullptr) return std::nullopt;
    return checked_mac(*found, pointer_token(name));
}

std::vector<MacAddress> ObjectReader::macs(std::string_view name) {
    std::vector<MacAddress> result;
    if (const json* found = value(name)) {
        for (const json& entry : *found) {
            result.push_back(checked_mac(entry, pointer_token(name) + "/" + std::to_string(result.size())));
        }
    }
    return result;
}

IpAddress ObjectReader::checked_ip(const json& value, std::string field) {
    auto ip = value.is_string() ? IpAddress::parse(value.get_ref<const std::string&>()) : std::nullopt;
    if (!ip)
        refuse(refused(std::move(field), "is no IP address", shown(value), "like 192.0.2.1 or 2001:db8::1").error());
    return ip.value_or(IpAddress());
}

std::optional<IpAddress> ObjectReader::optional_ip(std::string_view name) {
    const json* found = value(name);
    if (found == nullptr) return std::nullopt;
    return checked_ip(*found, pointer_token(name));
}

std::vector<IpAddress> ObjectReader::ips(std::string_view name) {
    std::vector<IpAddress> result;
    if (const json* found = value(name)) {
        for (const json& entry : *found)
            result.push_back(checked_ip(entry, pointer_token(name) + "/" + std::to_string(result.size())));
    }
    return result;
}

std::vector<IpPrefix> ObjectReader::prefixes(std::string_view name) {
    std::vector<IpPrefix> result;
    for (const std::string& text : texts(name)) {
        const auto prefix = IpPrefix::parse(text);
        if (!prefix) {
            refuse(refused(pointer_token(name) + "/" + std::to_string(result.size()), "is no address in CIDR notation",
                           shown(text), "like 192.0.2.1/24 or 2001:db8::1/64")
                       .error());
        }
        result.push_back(prefix.value_or(IpPrefix{}));
    }
    return result;
}

std::vector<std::string> ObjectReader::texts(std::string_view name) {
    std::vector<std::string> result;
    if (const json* found = value(name)) {
        for (const json& entry : *found) {
            if (!entry.is_string()) {
                refuse(refused(pointer_token(name) + "/" + std::to_string(result.size()), "is not a string",
                               shown(entry), "a string")
                           .error());
                break;
            }
            result.push_back(entry.get<std::string>());
        }
    }
    return result;
}

std::vector<std::uint64_t> ObjectReader::numbers(std::string_view name, std::uint64_t lowest, std::uint64_t highest) {
    std::vector<std::uint64_t> result;
    if (const json* found = value(name)) {
        for (const json& entry : *found) {
            result.push_back(
                checked_number(entry, lowest, highest, pointer_token(name) + "/" + std::to_string(result.size())));
        }
    }
    return result;
}

void ObjectReader::refuse(Error error) {
    if (!error_) error_ = std::move(error);
}

void ObjectReader::refuse(std::string_view name, std::string_view says, std::string got, std::string allowed) {
    refuse(refused(pointer_token(name), says, std::move(got), std::move(allowed)).error());
}

void ObjectReader::refuse_inside(Error error, std::string_view prefix) {
    error.field.insert(0, prefix);
    refuse(std::move(error));
}

void ObjectReader::refuse_choice(std::string_view name, const std::string& written,
                                 std::span<const std::string_view> allowed) {
    refuse(name, "is none of those allowed", shown(written), listed(allowed));
}

}  // namespace bulkhead::config
