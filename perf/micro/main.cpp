// SPDX-License-Identifier: Apache-2.0
// main() of the microbenchmarks: an EAL with hugepages where there are any, for that is what tables lie in when the
// switch runs; without them, figures of large tables include the misses of small pages.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <rte_eal.h>
#include <rte_errno.h>

namespace {

constexpr unsigned kMemoryMib = 256;

bool enough_hugepages() {
    std::ifstream meminfo("/proc/meminfo");
    unsigned long pages = 0, kib = 0;
    for (std::string line; std::getline(meminfo, line);) {
        std::sscanf(line.c_str(), "HugePages_Free: %lu", &pages);
        std::sscanf(line.c_str(), "Hugepagesize: %lu", &kib);
    }
    return pages * kib >= kMemoryMib * 1024UL;
}

bool start_eal() {
    std::vector<std::string> words{"micro",        "--no-pci", "--no-telemetry",          "--log-level=4",
                                   "--lcores=0@1", "-m",       std::to_string(kMemoryMib)};
    if (enough_hugepages()) {
        words.emplace_back("--in-memory");
    } else {
        std::fprintf(stderr, "no %u MiB of free hugepages: small pages it is\n", kMemoryMib);
        words.emplace_back("--no-huge");
        words.emplace_back("--no-shconf");
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    return rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) >= 0;
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
    if (!start_eal()) {
        std::fprintf(stderr, "no EAL: %s\n", rte_strerror(rte_errno));
        return 1;
    }
    benchmark::RunSpecifiedBenchmarks();
    rte_eal_cleanup();
    return 0;
}
