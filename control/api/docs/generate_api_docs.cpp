// SPDX-License-Identifier: Apache-2.0
// Writes docs/api.md. Not installed: the page is kept in the repository, and a unit test says when it must be made
// anew.
#include <cstdio>
#include <fstream>

#include "control/api/api_markdown.h"

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: generate_api_docs FILE\n");
        return 2;
    }
    std::ofstream file(argv[1], std::ios::binary);
    file << bulkhead::api::api_markdown() << std::flush;
    if (!file) {
        std::fprintf(stderr, "generate_api_docs: %s: can't write\n", argv[1]);
        return 1;
    }
    return 0;
}
