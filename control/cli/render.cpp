// SPDX-License-Identifier: Apache-2.0
#include "control/cli/render.h"

#include <algorithm>
#include <vector>

#include "control/cli/explanation_view.h"
#include "control/cli/list_columns.h"
#include "control/cli/table.h"
#include "control/cli/verification_view.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;

constexpr std::size_t kIndent = 2;

void write_object(std::string& text, const json& object, std::size_t indent);

/// YAML's look: lists of objects with a dash before each.
void write_member(std::string& text, const std::string& key, const json& value, std::size_t indent) {
    text.append(indent, ' ').append(printable(key)).append(":");
    const bool holds_objects =
        value.is_array() && std::ranges::any_of(value, [](auto& entry) { return entry.is_object(); });
    if (value.is_object() && !value.empty()) {
        text.append("\n");
        write_object(text, value, indent + kIndent);
    } else if (holds_objects) {
        text.append("\n");
        for (const json& element : value) {
            std::string block;
            write_object(block, element, indent + 2 * kIndent);
            if (block.size() > indent + kIndent) block[indent + kIndent] = '-';
            text.append(block);
        }
    } else {
        text.append(" ").append(one_line(value)).append("\n");
    }
}

void write_object(std::string& text, const json& object, std::size_t indent) {
    if (!object.is_object()) {
        text.append(indent, ' ').append(one_line(object)).append("\n");
        return;
    }
    // What names the thing comes first, what is of the moment last; the rest as it came.
    const auto write = [&](const char* key) {
        if (object.contains(key)) write_member(text, key, object.at(key), indent);
    };
    write("name");
    for (const auto& [key, value] : object.items())
        if (key != "name" && key != "state") write_member(text, key, value, indent);
    write("state");
}

/// Where nobody has chosen the columns: every field of the first item that is neither list nor object.
Table plain_table(const json& items) {
    std::vector<std::string> keys, titles;
    for (const auto& [key, value] : items.front().items())
        if (!value.is_structured()) keys.push_back(key);
    for (std::string title : keys) {
        std::ranges::transform(title, title.begin(), [](char letter) {
            return letter == '_'                    ? ' '
                   : letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A')
                                                    : letter;
        });
        titles.push_back(printable(title));
    }
    Table table(titles);
    for (const json& item : items) {
        std::vector<Cell> row;
        row.reserve(keys.size());
        for (const std::string& key : keys) row.push_back(cell_of(item.value(key, json())));
        table.add(std::move(row));
    }
    return table;
}

Table chosen_table(std::span<const ListColumn> columns, const json& items) {
    std::vector<std::string> titles;
    for (const ListColumn& column : columns) titles.emplace_back(column.title);
    Table table(titles);
    for (const json& item : items) {
        std::vector<Cell> row;
        for (const ListColumn& column : columns) row.push_back(cell_of(column, item));
        table.add(std::move(row));
    }
    return table;
}

std::string render_list(std::string_view method, const json& result, const Screen& screen) {
    const json& items = result.at("items");
    const auto columns = list_columns(method);
    std::string text;
    if (!columns.empty())
        text = chosen_table(columns, items).text(screen);
    else if (items.empty())
        text = "none\n";
    else
        text = plain_table(items).text(screen);
    if (const json cursor = result.value("cursor", json()); cursor.is_string())
        text += "(more: --cursor " + one_line(cursor) + ")\n";
    return text;
}

std::string traffic_table(const char* title, const json& rows, const Screen& screen) {
    Table table({title, "RX PACKETS", "RX BYTES", "TX PACKETS", "TX BYTES", "DROPS"});
    for (const json& row : rows)
        table.add({cell_of(row.value("name", json())), cell_of(row.value("rx_packets", json())),
                   cell_of(row.value("rx_bytes", json())), cell_of(row.value("tx_packets", json())),
                   cell_of(row.value("tx_bytes", json())), drops_cell(row.value("drops", json::object()))});
    return table.text(screen);
}

std::string worker_table(const json& workers, const Screen& screen) {
    const std::vector<const char*> keys = {"worker",      "received", "originated", "copies",
                                           "transmitted", "consumed", "held"};
    Table table({"WORKER", "RECEIVED", "ORIGINATED", "COPIES", "TRANSMITTED", "CONSUMED", "HELD", "DROPS"});
    for (const json& worker : workers) {
        std::vector<Cell> row;
        row.reserve(keys.size() + 1);
        for (const char* key : keys) row.push_back(cell_of(worker.value(key, json())));
        row.push_back(drops_cell(worker.value("drops", json::object())));
        table.add(std::move(row));
    }
    return table.text(screen);
}

std::string render_statistics(const json& result, const Screen& screen) {
    std::string text;
    const auto append = [&](const std::string& section) { text += (text.empty() ? "" : "\n") + section; };
    const auto rows = [&](const char* key) { return result.value(key, json::array()); };
    if (!rows("ports").empty()) append(traffic_table("PORT", rows("ports"), screen));
    if (!rows("segments").empty()) append(traffic_table("SEGMENT", rows("segments"), screen));
    if (!rows("tunnels").empty()) append(traffic_table("TUNNEL", rows("tunnels"), screen));
    if (!rows("workers").empty()) append(worker_table(rows("workers"), screen));
    return text.empty() ? "none\n" : text;
}

std::string generation_of(const json& result) {
    return "generation " + one_line(result.value("generation", json()));
}

std::string render_apply(const json& result) {
    std::string text;
    for (const json& change : result.at("changes"))
        text += one_line(change.value("op", json())) + " " + one_line(change.value("kind", json())) + " " +
                one_line(change.value("name", json())) + "\n";
    if (text.empty()) text = "no change\n";
    const bool dry_run = result.value("dry_run", json(false)) == true;
    return text + generation_of(result) + (dry_run ? " (dry run: nothing was changed)\n" : "\n");
}

/// add, set, remove: what happened to what.
std::string render_change(std::string_view method, const json& params, const json& result) {
    const std::string_view noun = method.substr(0, method.find('.')), verb = method.substr(noun.size() + 1);
    const json named = params.value("name", params.value("mac", json()));
    const std::string what = std::string(noun) + (named.is_null() ? "" : " " + one_line(named));
    const bool changed = result.value("changed", json(true)) == true;
    const std::string_view done = verb == "add" ? "added" : verb == "remove" ? "removed" : "changed";
    return what + " " + (changed ? std::string(done) : "is so already") + ", " + generation_of(result) + "\n";
}

bool is_change(std::string_view method) {
    return method.ends_with(".add") || method.ends_with(".set") || method.ends_with(".remove");
}

}  // namespace

std::string render(std::string_view method, const json& params, const json& result, const Screen& screen) {
    if (method == "config.get" || method == "rpc.discover") return result.dump(2) + "\n";
    if (!result.is_object()) return one_line(result) + "\n";
    if (result.empty()) return "done\n";
    if (method == "stats.get") return render_statistics(result, screen);
    if (method == "config.apply" && result.contains("changes")) return render_apply(result);
    if (method == "segment.verify" && result.contains("pairs"))
        return render_verification(result, one_line(params.value("name", json())), screen);
    if (method == "packet.explain" && result.contains("stages")) return render_packet(result, screen);
    if (method == "policy.explain" && result.contains("steps")) return render_policy(result, screen);
    if (is_change(method) && result.contains("generation")) return render_change(method, params, result);
    if (result.contains("items") && result.at("items").is_array()) return render_list(method, result, screen);
    std::string text;
    write_object(text, result, 0);
    return text;
}

}  // namespace bulkhead::cli
