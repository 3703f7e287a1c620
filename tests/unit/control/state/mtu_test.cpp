// SPDX-License-Identifier: Apache-2.0
// A segment's MTU reaches its devices while they run, or the change is refused before one of them is touched.
#include <gtest/gtest.h>

#include "control/state/device_transition.h"
#include "tests/unit/control/support/fake_switch.h"

namespace bulkhead {
namespace {

using namespace testing_support;

/// A device with a largest MTU, which can be told to keep the one it has.
class BoundedPort : public FakePortIo {
  public:
    BoundedPort(const std::string& name, Journal& journal, std::uint16_t largest, const bool& stubborn)
        : FakePortIo(name, journal, true, {}), largest_(largest), stubborn_(stubborn) {}
    [[nodiscard]] Result<> check_mtu(std::uint16_t mtu) const override {
        if (mtu <= largest_) return {};
        return invalid("/mtu", "the device does not take that MTU", std::to_string(mtu),
                       "68 to " + std::to_string(largest_));
    }
    bool set_mtu(std::uint16_t mtu) noexcept override { return !stubborn_ && FakePortIo::set_mtu(mtu); }

  private:
    std::uint16_t largest_;
    const bool& stubborn_;
};

class BoundedFactory : public FakeFactory {
  public:
    explicit BoundedFactory(Journal& journal) : FakeFactory(journal), journal_(journal) {}
    Result<std::unique_ptr<PortIo>> open(const Port& port, std::uint16_t mtu, std::uint64_t token) override {
        journal_.push_back("open " + port.name + " " + std::to_string(mtu));
        tokens[port.name] = token;
        return std::make_unique<BoundedPort>(port.name, journal_, port.name == "nic" ? 1500 : 65521, stubborn);
    }
    bool stubborn = false;

  private:
    Journal& journal_;
};

class MtuTest : public ::testing::Test {
  protected:
    MtuTest() {
        EXPECT_TRUE(engine_.commit(base()));
        journal_.clear();
        applies_ = target_.applies;
    }
    static Model base() {
        return model_of(segment("blue", 1), segment("jumbo", 2), guest("nic", "blue"), guest("pod", "blue"));
    }
    static Model with_mtu(std::uint16_t mtu) {
        Model next = base();
        next.segments["blue"].mtu = mtu;
        return next;
    }

    Journal journal_;
    FakeSwitch target_;
    BoundedFactory factory_{journal_};
    FakeDisk disk_;
    std::size_t applies_ = 0;
    Engine engine_{{.target = target_,
                    .factory = factory_,
                    .persistence = disk_,
                    .observer = [](const EngineEvent&) {},
                    .now = [] { return Time{}; }}};
};

TEST_F(MtuTest, ReachesTheDevicesWhileTheyRun) {
    ASSERT_TRUE(engine_.commit(with_mtu(1400)));
    EXPECT_EQ(journal_, (Journal{"mtu nic 1400", "mtu pod 1400"}));
}

TEST_F(MtuTest, ThatADeviceDoesNotTakeIsRefusedBeforeAnyIsTouched) {
    const auto refused = engine_.commit(with_mtu(9000));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().object_kind, "segment");
    EXPECT_EQ(refused.error().object_name, "blue");
    EXPECT_EQ(refused.error().field, "/mtu");
    EXPECT_EQ(refused.error().got, "9000");
    EXPECT_EQ(refused.error().allowed, "68 to 1500");
    EXPECT_EQ(refused.error().message, "port \"nic\": the device does not take that MTU");
    EXPECT_TRUE(journal_.empty());
    EXPECT_EQ(target_.applies, applies_);
}

TEST_F(MtuTest, ARefusalOfAPortsOwnMtuNamesThePort) {
    Model next = base();
    next.ports["nic"].mtu = 9000;
    const auto refused = engine_.commit(next);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().object_kind, "port");
    EXPECT_EQ(refused.error().object_name, "nic");
    EXPECT_EQ(refused.error().field, "/mtu");
}

TEST_F(MtuTest, ARefusalOfANewAttachmentNamesThePort) {
    Model wide = base();
    wide.segments["jumbo"].mtu = 9000;
    ASSERT_TRUE(engine_.commit(wide));
    wide.ports["nic"].attachments = {attached("jumbo")};
    const auto refused = engine_.commit(wide);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().object_kind, "port");
    EXPECT_TRUE(journal_.empty());
}

TEST_F(MtuTest, ThatADeviceDoesNotTakeBackIsTriedAgain) {
    // By hand, since nothing but the roll-back may be refused.
    DeviceTable table;
    const auto any = [](const std::string&) { return false; };
    const Model from = base(), to = with_mtu(1400);
    ASSERT_TRUE(DeviceTransition(table, factory_, target_, Model{}, from).prepare(any, Time{}));
    DeviceTransition transition(table, factory_, target_, from, to);
    ASSERT_TRUE(transition.prepare(any, Time{}));
    factory_.stubborn = true;
    transition.roll_back(Time{});
    EXPECT_EQ(table.open.at("pod").mtu, 1400) << "what the device has, not what it should have";
}

}  // namespace
}  // namespace bulkhead
