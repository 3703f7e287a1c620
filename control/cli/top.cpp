// SPDX-License-Identifier: Apache-2.0
#include "control/cli/top.h"

#include <cstdint>
#include <ostream>
#include <utility>

#include <boost/program_options.hpp>

#include "control/cli/rates.h"
#include "control/cli/terminal.h"
#include "control/cli/top_view.h"

namespace bulkhead::cli {
namespace {

namespace po = boost::program_options;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct TopOptions {
    std::uint64_t frames = 0;  ///< 0: until told to end
    milliseconds interval{1000};
    SortKey sort = SortKey::rate;
};

std::expected<TopOptions, UsageError> read_options(const std::vector<std::string>& words) {
    po::options_description options;
    options.add_options()("iterations,n", po::value<std::uint64_t>())("interval", po::value<double>())(
        "sort", po::value<std::string>());
    TopOptions result;
    try {
        po::variables_map values;
        const std::vector<std::string> arguments(words.begin() + 1, words.end());
        po::store(po::command_line_parser(arguments).options(options).positional({}).run(), values);
        if (values.contains("iterations")) result.frames = values["iterations"].as<std::uint64_t>();
        if (values.contains("interval")) {
            const double seconds = values["interval"].as<double>();
            if (!(seconds >= 0.01 && seconds <= 3600))
                return std::unexpected(UsageError{"--interval: allowed 0.01-3600 seconds"});
            result.interval = milliseconds(static_cast<std::int64_t>(seconds * 1000));
        }
        if (values.contains("sort")) {
            const auto key = sort_key_from(values["sort"].as<std::string>());
            if (!key) return std::unexpected(UsageError{"--sort: allowed rate, name, rx, tx, drops"});
            result.sort = *key;
        }
    } catch (const po::error& error) {
        return std::unexpected(UsageError{std::string("top: ") + error.what()});
    }
    return result;
}

std::optional<SortKey> sort_key_of(char key) {
    switch (key) {
        case 'r':
            return SortKey::rate;
        case 'x':
            return SortKey::rx;
        case 't':
            return SortKey::tx;
        case 'd':
            return SortKey::drops;
        case 'n':
            return SortKey::name;
        default:
            return std::nullopt;
    }
}

void draw(const Session& session, const Rates& rates) {
    if (!session.is_terminal) {
        session.out << top_frame(rates, session.screen, 0) << "\n" << std::flush;
        return;
    }
    const TerminalSize size = terminal_size();
    constexpr std::size_t kFootLines = 2;
    const std::size_t height = size.height > kFootLines ? size.height - kFootLines : 1;
    const Screen screen{.width = size.width, .colour = session.screen.colour};
    session.out << "\033[H\033[2J" << top_frame(rates, screen, height) << "\n"
                << shortened("q quit, sort by: r rate, x rx, t tx, d drops, n name", size.width) << std::flush;
}

/// Waits for the next sample; keys change the order meanwhile. False: it is time to end.
bool wait_until(steady_clock::time_point next, SortKey& sort, const std::function<void()>& redraw) {
    while (true) {
        const auto left = std::chrono::ceil<milliseconds>(next - steady_clock::now());
        if (left.count() <= 0) return true;
        const auto key = wait_key(left);
        if (!key) continue;
        if (*key == 'q' || *key == '\0') return false;
        if (const auto wanted = sort_key_of(*key)) {
            sort = *wanted;
            redraw();
        }
    }
}

int show_frames(const Session& session, api::Client& client, TopOptions options) {
    RateMeter meter;
    std::optional<Rates> rates;
    const auto redraw = [&] {
        if (!rates) return;
        sort_ports(rates->ports, options.sort);
        draw(session, *rates);
    };
    for (std::uint64_t drawn = 0;;) {
        const auto now = steady_clock::now();
        const auto stats = client.call("stats.get", nlohmann::json::object());
        if (!stats) return report(session, stats.error(), "stats.get", nlohmann::json::object());
        if (auto latest = meter.update(*stats, now)) {
            rates = std::move(latest);
            redraw();
            if (!session.out) return kRefused;  // nobody reads any more
            if (++drawn == options.frames) return kDone;
        }
        if (!wait_until(now + options.interval, options.sort, redraw)) return kDone;
    }
}

}  // namespace

int run_top(const Session& session) {
    const auto options = read_options(session.line.words);
    if (!options) return report(session, options.error());
    auto client = api::Client::connect(session.line.socket, session.line.timeout);
    if (!client) return report(session, client.error(), "stats.get", nlohmann::json::object());
    std::optional<FullScreen> full_screen;
    if (session.is_terminal) full_screen.emplace();
    return show_frames(session, *client, *options);
}

}  // namespace bulkhead::cli
