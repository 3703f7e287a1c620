// SPDX-License-Identifier: Apache-2.0
// main() of the unit tests that need mbufs: an EAL without hugepages, devices or files.
#include <cstdio>
#include <iterator>

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_errno.h>

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    char program[] = "unit-test", no_huge[] = "--no-huge", memory[] = "--no-shconf", no_pci[] = "--no-pci";
    char telemetry[] = "--no-telemetry", size_flag[] = "-m", size[] = "256", lcores[] = "--lcores=0@0", quiet[] = "--log-level=4";
    char* arguments[] = {program, no_huge, memory, no_pci, telemetry, size_flag, size, lcores, quiet};
    if (rte_eal_init(static_cast<int>(std::size(arguments)), arguments) < 0) {
        std::fprintf(stderr, "no EAL: %s\n", rte_strerror(rte_errno));
        return 1;
    }
    return RUN_ALL_TESTS();
}
