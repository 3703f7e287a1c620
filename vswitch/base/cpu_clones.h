// SPDX-License-Identifier: Apache-2.0
// The hot loops are compiled twice, for the CPU that DPDK asks for and for those with AVX2, BMI2 and MOVBE (x86-64-v3
// of the System V ABI): Debian builds for an old baseline. The loader chooses when the program starts.
#pragma once

// Sanitizers' run-time isn't up yet when the loader chooses. A clone has its helpers inside: as functions of their own
// they would be compiled for the baseline only. Clang, which is for fuzzing, names its sanitizers by other means.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BULKHEAD_CPU_CLONES [[gnu::target_clones("arch=x86-64-v3", "default"), gnu::flatten]]
#else
#define BULKHEAD_CPU_CLONES
#endif
