// SPDX-License-Identifier: Apache-2.0
#include "pmd/flow/rte_flow_device.h"

#include <cerrno>
#include <utility>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>

#include "pmd/flow/flow_words.h"

namespace bulkhead {
namespace {

std::unexpected<FlowRefusal> refusal(int result, const rte_flow_error& error) {
    const int code = result < 0 ? -result : result;
    const std::string words = error.message != nullptr ? error.message : rte_strerror(code);
    return std::unexpected(
        FlowRefusal{.words = words, .is_full = code == ENOSPC || code == ENOMEM, .is_gone = code == ENOENT});
}

std::unexpected<FlowRefusal> no_such_rule() {
    return std::unexpected(FlowRefusal{.words = "no such rule", .is_gone = true});
}

}  // namespace

RteFlowDevice::RteFlowDevice(std::uint16_t id, std::string port, std::uint16_t queues,
                             std::function<void(bool)> keep_marks)
    : id_(id), port_(std::move(port)), queues_(queues), keep_marks_(std::move(keep_marks)) {}

RteFlowDevice::~RteFlowDevice() {
    // Who used the device has let go; what it could not destroy must not outlive it all the same.
    if (!rules_.empty()) (void)flush();
}

std::string RteFlowDevice::driver() const {
    rte_eth_dev_info info{};
    return rte_eth_dev_info_get(id_, &info) == 0 && info.driver_name != nullptr ? info.driver_name : "";
}

FlowAnswer<> RteFlowDevice::validate(const FlowRule& rule, const FlowShape& shape) {
    const FlowWords words(rule, shape, queues_);
    rte_flow_error error{};
    const int result = rte_flow_validate(id_, words.attributes(), words.pattern(), words.actions(), &error);
    if (result != 0) return refusal(result, error);
    return {};
}

FlowAnswer<FlowDevice::Handle> RteFlowDevice::create(const FlowRule& rule, const FlowShape& shape) {
    const FlowWords words(rule, shape, queues_);
    rte_flow_error error{};
    rte_flow* const made = rte_flow_create(id_, words.attributes(), words.pattern(), words.actions(), &error);
    if (made == nullptr) return refusal(rte_errno, error);
    rules_.emplace(++last_, made);
    return last_;
}

FlowAnswer<> RteFlowDevice::destroy(Handle handle) {
    const auto rule = rules_.find(handle);
    if (rule == rules_.end()) return no_such_rule();
    rte_flow_error error{};
    const int result = rte_flow_destroy(id_, rule->second, &error);
    if (result != 0 && result != -ENOENT) return refusal(result, error);
    rules_.erase(rule);
    return {};
}

FlowAnswer<FlowHits> RteFlowDevice::hits(Handle handle) {
    const auto rule = rules_.find(handle);
    if (rule == rules_.end()) return no_such_rule();
    const rte_flow_action count[] = {{.type = RTE_FLOW_ACTION_TYPE_COUNT, .conf = nullptr},
                                     {.type = RTE_FLOW_ACTION_TYPE_END, .conf = nullptr}};
    rte_flow_query_count found{};
    rte_flow_error error{};
    const int result = rte_flow_query(id_, rule->second, count, &found, &error);
    if (result != 0) return refusal(result, error);
    return FlowHits{.packets = found.hits, .bytes = found.bytes};
}

FlowAnswer<> RteFlowDevice::flush() {
    rte_flow_error error{};
    const int result = rte_flow_flush(id_, &error);
    if (result != 0) return refusal(result, error);
    rules_.clear();
    return {};
}

}  // namespace bulkhead
