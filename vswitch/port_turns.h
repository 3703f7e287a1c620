// SPDX-License-Identifier: Apache-2.0
// Whose turn it is to be polled, so that an overloaded worker gives each of its ports the same share of its time (and
// what one does not use to the others: max-min fairness), whatever the number of its queues and the size of its frames.
//
// A port has one turn a round, of one burst's frames at most from all its queues, and what the turn took is counted
// against its allowance. One whose turns take longer than others' waits until these have had as much (surplus round
// robin, after M. Shreedhar and G. Varghese, "Efficient Fair Queuing Using Deficit Round-Robin", 1995). What is scarce
// is the worker's time, so that is what is shared, not bytes or frames.
//
// Threads: the worker's alone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vswitch/model/snapshot.h"

namespace bulkhead {

class PortTurns {
  public:
    /// `quantum`: what a port is allowed each round, in the units of the clock; about what a small burst takes.
    explicit PortTurns(std::uint64_t quantum) : quantum_(static_cast<std::int64_t>(quantum)) {}

    /// Other queues, or other ports: all begin anew.
    void adopt(const std::vector<ReceiveQueue>& queues);

    /// One round: `serve(queue, most)` takes up to `most` frames of a queue and says how many there were; `clock()` is
    /// read around a turn that had some. Returns how many frames there were: none only if every queue is empty.
    template <typename Serve, typename Clock>
    std::uint32_t round(std::uint16_t burst, Serve serve, Clock clock) noexcept {
        for (;;) {
            std::uint32_t frames = 0;
            bool some_wait = false;
            std::uint64_t began = clock();
            unsigned looks_in_vain = 0;
            for (Turn& turn : turns_) {
                turn.allowance = std::min(quantum_, turn.allowance + quantum_);
                if (turn.allowance <= 0) [[unlikely]] {
                    some_wait = true;
                    continue;
                }
                // A port is not charged for those before it that had nothing, or for few of them: clocks cost, too.
                if (looks_in_vain > kUncharged) {
                    began = clock();
                    looks_in_vain = 0;
                }
                const std::uint32_t served = take_turn(turn, burst, serve);
                if (served == 0) {
                    ++looks_in_vain;
                    continue;
                }
                frames += served;
                const std::uint64_t ended = clock();
                turn.allowance -= static_cast<std::int64_t>(ended - began);
                began = ended;
                looks_in_vain = 0;
            }
            if (frames > 0 || !some_wait) return frames;
            forgive();  // the others want nothing now
        }
    }

  private:
    static constexpr unsigned kUncharged = 3;

    struct Turn {
        std::vector<ReceiveQueue> queues;
        std::size_t next = 0;  ///< the queue to begin with, so that a full one does not starve those behind it
        std::int64_t allowance = 0;
    };

    template <typename Serve>
    std::uint32_t take_turn(Turn& turn, std::uint16_t burst, Serve& serve) noexcept {
        std::uint16_t served = 0;
        for (std::size_t looks = turn.queues.size(); looks > 0 && served < burst; --looks) {
            const ReceiveQueue& queue = turn.queues[turn.next];
            if (++turn.next == turn.queues.size()) turn.next = 0;
            served = static_cast<std::uint16_t>(served + serve(queue, static_cast<std::uint16_t>(burst - served)));
        }
        return served;
    }

    /// All may as much more as lets the first of those that wait have its turn.
    void forgive() noexcept;

    std::int64_t quantum_;
    std::vector<Turn> turns_;  ///< by port
};

}  // namespace bulkhead
