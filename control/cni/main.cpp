// SPDX-License-Identifier: Apache-2.0
// The CNI plugin. It attaches nothing yet, and says so in the one form that a container runtime understands
// (CNI specification 1.0.0, section 5: an error object on standard output, and an exit status that is not 0).
#include <cstdio>

#include <nlohmann/json.hpp>

int main() {
    const nlohmann::json error = {{"cniVersion", "1.0.0"},
                                  {"code", 100},
                                  {"msg", "the bulkhead CNI plugin is not built in yet"},
                                  {"details", "attach pods with bulkheadctl port add --type tap"}};
    std::puts(error.dump().c_str());
    return 1;
}
