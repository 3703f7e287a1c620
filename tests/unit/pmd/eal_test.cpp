// SPDX-License-Identifier: Apache-2.0
// EAL starts once a process, so each start is in a child of its own; its findings come back as exit code and stderr.
#include "pmd/eal.h"

#include <array>
#include <atomic>
#include <sched.h>

#include <gtest/gtest.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "pmd/cores.h"

namespace bulkhead {
namespace {

EalSettings small(HugepageKind kind) {
    const auto core = available_cores().front();
    return {
        .cores = {core, core}, .memory_mib = 160, .hugepages = kind, .extra_args = {"--no-pci"}, .program = "eal-test"};
}

[[noreturn]] void finish(bool good, const std::string& why) {
    if (!good) std::fprintf(stderr, "%s\n", why.c_str());
    std::_Exit(good ? 0 : 1);
}

void check_running_eal(const EalSettings& settings) {
    if (const auto started = start_eal(settings); !started) finish(false, started.error().message);
    const auto buffers = create_buffers(settings.memory_mib);
    if (!buffers) finish(false, buffers.error().message);
    if ((*buffers)->size < 20'000) finish(false, "only " + std::to_string((*buffers)->size) + " buffers");

    std::array<std::atomic<int>, 2> core_of{-1, -1};
    for (int round = 0; round < 2; ++round) {
        const auto launched = launch_workers([&](std::uint16_t worker) { core_of[worker] = sched_getcpu(); });
        if (!launched) finish(false, launched.error().message);
        join_workers();
        if (core_of[0] != settings.cores[0] || core_of[1] != settings.cores[1]) finish(false, "workers ran elsewhere");
    }
    finish(rte_lcore_count() == 3, "lcores");
}

TEST(Eal, RunsWorkersOnOrdinaryPages) {
    EXPECT_EXIT(check_running_eal(small(HugepageKind::none)), testing::ExitedWithCode(0), "");
}

TEST(Eal, RunsWorkersOnHugePages) {
    if (!choose_hugepages(160, HugepageKind::automatic)) GTEST_SKIP() << "no 160 MiB of huge pages are free";
    EXPECT_EXIT(check_running_eal(small(HugepageKind::automatic)), testing::ExitedWithCode(0), "");
}

TEST(Eal, RefusesASecondLaunchWhileWorkersRun) {
    const auto body = [] {
        if (!start_eal(small(HugepageKind::none))) finish(false, "no EAL");
        std::atomic<bool> stop{false};
        if (!launch_workers([&](std::uint16_t) {
                while (!stop) sched_yield();
            }))
            finish(false, "launch");
        const auto again = launch_workers([](std::uint16_t) {});
        stop = true;
        join_workers();
        finish(!again && again.error().code == ErrorCode::not_ready, "launched twice");
    };
    EXPECT_EXIT(body(), testing::ExitedWithCode(0), "");
}

TEST(Eal, AFailureIsAnErrorWithDpdksWords) {
    const auto body = [] {
        auto settings = small(HugepageKind::none);
        settings.extra_args = {"--vdev=net_nonsense0"};
        const auto started = start_eal(settings);
        if (started) finish(false, "started with nonsense");
        std::fprintf(stderr, "%s\n", started.error().message.c_str());
        std::_Exit(0);
    };
    EXPECT_EXIT(body(), testing::ExitedWithCode(0), "DPDK does not start: .*\\(.*net_nonsense0");
}

TEST(Eal, UnknownArgumentsAreTheFieldsFault) {
    const auto body = [] {
        auto settings = small(HugepageKind::none);
        settings.extra_args = {"--no-such-option"};
        const auto started = start_eal(settings);
        finish(!started && started.error().code == ErrorCode::invalid_params && started.error().field == "/eal_args",
               "taken");
    };
    EXPECT_EXIT(body(), testing::ExitedWithCode(0), "");
}

TEST(Eal, ItsLogIsQuiet) {
    const auto body = [] {
        spdlog::set_default_logger(spdlog::stderr_logger_mt("test"));
        finish(start_eal(small(HugepageKind::none)).has_value(), "no EAL");
    };
    EXPECT_EXIT(body(), testing::ExitedWithCode(0), "^$");
}

TEST(Eal, RefusesWhatWouldEndTheProcess) {
    auto settings = small(HugepageKind::none);
    settings.extra_args = {"--help"};
    EXPECT_EQ(start_eal(settings).error().field, "/eal_args");
    settings.cores.clear();
    EXPECT_EQ(start_eal(settings).error().field, "/cores");
}

TEST(Eal, TooLittleMemoryNamesWhatIsMissing) {
    const auto buffers = create_buffers(70);
    ASSERT_FALSE(buffers);
    EXPECT_EQ(buffers.error().code, ErrorCode::limit);
    EXPECT_EQ(buffers.error().field, "/memory_mib");
    EXPECT_NE(buffers.error().message.find("MiB are missing"), std::string::npos) << buffers.error().message;
}

TEST(Eal, ArgumentsMapLcoresAndCapMemory) {
    const EalSettings settings{
        .cores = {1, 0}, .memory_mib = 256, .hugepages = {}, .extra_args = {"--telemetry"}, .program = "x"};
    const std::vector<std::string> wanted{"x",
                                          "--lcores=0@(0-1),1@1,2@0",
                                          "-a",
                                          "0000:00:00.0",
                                          "--in-memory",
                                          "--socket-mem=256",
                                          "--socket-limit=256",
                                          "--telemetry"};
    EXPECT_EQ(eal_arguments(settings, HugepageKind::two_mib, {0, 1}), wanted);
}

}  // namespace
}  // namespace bulkhead
