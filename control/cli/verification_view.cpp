// SPDX-License-Identifier: Apache-2.0
#include "control/cli/verification_view.h"

#include <cstddef>
#include <utility>

#include "control/cli/table.h"

namespace bulkhead::cli {
namespace {

using nlohmann::json;

json list_at(const json& object, const std::string& key) {
    const json list = object.value(key, json::array());
    return list.is_array() ? list : json::array();
}

/// `word` and the list, or what is not in it; empty: it is not limited.
std::string words_of_choice(const json& traffic, const std::string& key, const std::string& word) {
    const std::string before = word.empty() ? "" : word + " ";
    if (const json list = list_at(traffic, key); !list.empty()) return before + one_line(list);
    if (const json list = list_at(traffic, key + "_except"); !list.empty()) return before + "all but " + one_line(list);
    return {};
}

/// "anything", "tcp 5432", "udp from port 68 to 10.0.0.0/8", "icmp type 8"
std::string words_of_traffic(const json& traffic) {
    constexpr std::pair<const char*, const char*> kFields[] = {
        {"ethertypes", ""},     {"protocols", ""},          {"dst_ports", ""},
        {"icmp_types", "type"}, {"src_ports", "from port"}, {"sources", "from"},
        {"destinations", "to"}, {"source_macs", "from"},    {"destination_macs", "to"},
    };
    std::string text;
    for (const auto& [field, word] : kFields)
        if (const std::string words = words_of_choice(traffic, field, word); !words.empty())
            text += (text.empty() ? "" : " ") + words;
    if (text.empty()) text = "anything";
    return traffic.value("opens", json(true)) == true ? text : text + " that opens no connection";
}

std::string words_of_allowed(const json& list, const json& left_out) {
    std::string text;
    for (const json& traffic : list) {
        text += (text.empty() ? "" : "; ") + words_of_traffic(traffic);
        const json rule = traffic.value("rule", json());
        text += rule.is_string() ? " (" + one_line(rule) : std::string(" (default");
        if (traffic.contains("via")) text += ", through " + one_line(traffic["via"]);
        text += ")";
    }
    if (!left_out.is_null()) text += "; and " + one_line(left_out) + " more";
    return text.empty() ? "-" : text;
}

/// "deny by rule last", "allow by default", "deny: its port is not open"
std::string words_of_verdict(const json& verdict) {
    std::string text = one_line(verdict.value("action", json()));
    if (verdict.contains("to_port")) text += " to " + one_line(verdict["to_port"]);
    if (const json why = verdict.value("why", json()); why.is_string()) return text + ": " + one_line(why);
    if (const json rule = verdict.value("rule", json()); rule.is_string()) return text + " by rule " + one_line(rule);
    return text + (verdict.value("ground", json()) == "none" ? " by default" : "");
}

std::string intended_cell(const json& pair) {
    const std::string text = one_line(pair.value("intended", json()));
    return list_at(pair, "differences").empty() ? text : text + ", but not so";
}

Table pair_table(const json& pairs) {
    Table table({"FROM", "TO", "CAN REACH", "WITH WHAT", "INTENDED"});
    for (const json& pair : pairs)
        table.add({cell_of(pair.value("from", json())),
                   cell_of(pair.value("to", json())),
                   cell_of(pair.value("reachable", json())),
                   {words_of_allowed(list_at(pair, "allowed"), pair.value("allowed_left_out", json()))},
                   {intended_cell(pair)}});
    return table;
}

class Report {
  public:
    void tell(const json& result, const std::string& segment) {
        for (const json& text : list_at(result, "segment_differences"))
            add("segment " + printable(segment) + ": " + one_line(text));
        for (const json& attachment : list_at(result, "attachments"))
            for (const json& text : list_at(attachment, "differences"))
                add(one_line(attachment.value("attachment", json())) + ": " + one_line(text));
        for (const json& object : list_at(result, "waiting"))
            add(one_line(object.value("kind", json())) + " " + one_line(object.value("name", json())) +
                " waits: " + one_line(object.value("reason", json())));
        for (const json& pair : list_at(result, "pairs"))
            for (const json& difference : list_at(pair, "differences")) tell_pair(pair, difference, segment);
    }
    [[nodiscard]] std::string text() const {
        if (count_ == 0) return "everything is installed as it was meant\n";
        return std::to_string(count_) + (count_ == 1 ? " DIFFERENCE" : " DIFFERENCES") +
               " BETWEEN WHAT IS INSTALLED AND WHAT WAS MEANT:\n" + lines_;
    }

  private:
    void add(const std::string& line) {
        ++count_;
        lines_ += "  " + line + "\n";
    }
    void tell_pair(const json& pair, const json& difference, const std::string& segment) {
        std::string what;
        for (const json& traffic : list_at(difference, "traffic"))
            what += (what.empty() ? "" : "; ") + words_of_traffic(traffic);
        add(one_line(pair.value("from", json())) + " -> " + one_line(pair.value("to", json())) + ": " + what +
            ": installed: " + words_of_verdict(difference.value("installed", json::object())) +
            "; meant: " + words_of_verdict(difference.value("intended", json::object())));
        lines_ += "    bulkheadctl policy explain " + printable(segment) + " --fields '" +
                  printable(difference.value("fields", json::object()).dump()) + "'\n";
    }

    std::size_t count_ = 0;
    std::string lines_;
};

}  // namespace

std::string render_verification(const json& result, const std::string& segment, const Screen& screen) {
    const json pairs = list_at(result, "pairs");
    std::string text = pairs.empty() ? "no pairs\n" : pair_table(pairs).text(screen);
    if (const json cursor = result.value("cursor", json()); cursor.is_string())
        text += "(more: --cursor '" + one_line(cursor) + "')\n";
    Report report;
    report.tell(result, segment);
    text += "\n" + report.text();
    for (const json& pair : pairs)
        if (pair.value("complete", json(true)) != true)
            text += "NOT COMPLETE: " + one_line(pair.value("from", json())) + " -> " +
                    one_line(pair.value("to", json())) + ": " + one_line(pair.value("why_incomplete", json())) + "\n";
    if (const json tunnels = list_at(result, "tunnels"); !tunnels.empty())
        text += "not covered: what is behind " + std::string(tunnels.size() == 1 ? "tunnel " : "the tunnels ") +
                one_line(tunnels) + "\n";
    return text;
}

}  // namespace bulkhead::cli
