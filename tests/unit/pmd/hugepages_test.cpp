// SPDX-License-Identifier: Apache-2.0
#include "pmd/hugepages.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

namespace bulkhead {
namespace {

namespace fs = std::filesystem;

struct Pages {
    unsigned total = 0, free = 0, promised = 0;
};

/// A folder that looks like /sys/kernel/mm/hugepages.
class FakeSysfs {
  public:
    FakeSysfs(const Pages& two_mib, const Pages& one_gib) {
        char name[] = "/tmp/hugepages.XXXXXX";
        root_ = mkdtemp(name);
        add("hugepages-2048kB", two_mib);
        add("hugepages-1048576kB", one_gib);
    }
    ~FakeSysfs() { fs::remove_all(root_); }
    FakeSysfs(const FakeSysfs&) = delete;
    FakeSysfs& operator=(const FakeSysfs&) = delete;
    [[nodiscard]] const fs::path& root() const { return root_; }

  private:
    void add(const char* size, const Pages& pages) const {
        fs::create_directory(root_ / size);
        std::ofstream(root_ / size / "nr_hugepages") << pages.total << '\n';
        std::ofstream(root_ / size / "free_hugepages") << pages.free << '\n';
        std::ofstream(root_ / size / "resv_hugepages") << pages.promised << '\n';
    }
    fs::path root_;
};

TEST(Hugepages, ChoosesTheKind) {
    struct Case {
        Pages two_mib, one_gib;
        HugepageKind wanted;
        std::uint32_t mib;
        HugepageKind chosen;
    };
    using enum HugepageKind;
    const std::vector<Case> table{
        {{512, 512, 0}, {}, automatic, 512, two_mib},
        {{512, 512, 0}, {1, 1, 0}, automatic, 512, one_gib},
        {{1024, 1024, 0}, {1, 1, 0}, automatic, 1500, two_mib},
        {{}, {2, 2, 0}, automatic, 1500, one_gib},
        {{512, 256, 0}, {}, two_mib, 511, two_mib},
        {{512, 512, 0}, {4, 4, 0}, two_mib, 512, two_mib},
        {{}, {1, 1, 0}, one_gib, 1024, one_gib},
        {{}, {}, none, 4096, none},
    };
    for (const auto& row : table) {
        const FakeSysfs sysfs(row.two_mib, row.one_gib);
        const auto kind = choose_hugepages(row.mib, row.wanted, sysfs.root());
        ASSERT_TRUE(kind) << kind.error().message;
        EXPECT_EQ(*kind, row.chosen) << row.mib;
    }
}

TEST(Hugepages, SaysWhatIsMissingAndHowToGetIt) {
    // 100 pages are free, but 10 of them promised; 300 are in use by others and must stay.
    const FakeSysfs sysfs({400, 100, 10}, {});
    const auto kind = choose_hugepages(512, HugepageKind::automatic, sysfs.root());
    ASSERT_FALSE(kind);
    EXPECT_EQ(kind.error().code, ErrorCode::limit);
    EXPECT_EQ(kind.error().field, "/memory_mib");
    EXPECT_EQ(
        kind.error().message,
        "not enough free huge pages of 2 MiB: 512 MiB are wanted, 180 MiB are free, 332 MiB are missing; get them with "
        "`sysctl vm.nr_hugepages=566`");
}

TEST(Hugepages, NamesTheOtherCommandForLargePages) {
    const FakeSysfs sysfs({4096, 4096, 0}, {1, 1, 0});
    const auto kind = choose_hugepages(2048, HugepageKind::one_gib, sysfs.root());
    ASSERT_FALSE(kind);
    EXPECT_NE(kind.error().message.find("echo 2 > /sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"),
              std::string::npos);
}

TEST(Hugepages, NeverTakesOrdinaryPagesSilently) {
    EXPECT_FALSE(choose_hugepages(64, HugepageKind::automatic, "/nonexistent"));
}

}  // namespace
}  // namespace bulkhead
