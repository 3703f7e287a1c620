// SPDX-License-Identifier: Apache-2.0
#include "vswitch/port_turns.h"

#include <limits>

namespace bulkhead {

void PortTurns::adopt(const std::vector<ReceiveQueue>& queues) {
    turns_.clear();
    for (const ReceiveQueue& queue : queues) {
        const auto is_same = [&](const Turn& turn) { return turn.queues.front().port == queue.port; };
        auto turn = std::ranges::find_if(turns_, is_same);
        if (turn == turns_.end()) turn = turns_.insert(turn, Turn());
        turn->queues.push_back(queue);
    }
}

void PortTurns::forgive() noexcept {
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    for (const Turn& turn : turns_)
        if (turn.allowance <= 0) least = std::min(least, -turn.allowance);
    for (Turn& turn : turns_) turn.allowance = std::min(quantum_, turn.allowance + least);
}

}  // namespace bulkhead
