// SPDX-License-Identifier: Apache-2.0
#include "vhost/registry.h"

#include <climits>
#include <cstring>
#include <map>
#include <mutex>

#include <rte_log.h>
#include <rte_vhost.h>

#include "vhost/guest_features.h"
#include "vhost/message_context.h"

namespace bulkhead::vhost {
namespace {

std::mutex listeners_mutex;
std::map<std::string, SocketListener*, std::less<>> listeners;

SocketListener* listener_of(int vid) {
    char path[PATH_MAX];
    if (rte_vhost_get_ifname(vid, path, sizeof path) != 0) return nullptr;
    const std::lock_guard lock(listeners_mutex);
    const auto found = listeners.find(std::string_view(path));
    return found == listeners.end() ? nullptr : found->second;
}

int on_device_started(int vid) {
    SocketListener* listener = listener_of(vid);
    if (listener == nullptr) return -1;
    listener->device_started(vid);
    return 0;
}

void on_device_stopped(int vid) {
    if (SocketListener* listener = listener_of(vid)) listener->device_stopped(vid);
}

int on_ring_changed(int vid, std::uint16_t ring, int enabled) {
    if (SocketListener* listener = listener_of(vid)) listener->ring_changed(vid, ring, enabled != 0);
    return 0;
}

/// librte_vhost 22.11 always answers 128 queue pairs; a guest that used more than we poll would lose what it hashes
/// there. A message with descriptors, which this one never has, is left to the library: it closes them.
rte_vhost_msg_result answer_queue_number(int vid, void* message) {
    constexpr std::uint32_t kGetQueueNum = 17;
    struct [[gnu::packed]] Header {  // vhost-user.rst, "Message specification"
        std::uint32_t request, flags, size;
        std::uint64_t payload;
    } header;
    std::memcpy(&header, message, sizeof header);
    const SocketListener* listener = listener_of(vid);
    if (header.request != kGetQueueNum || listener == nullptr || !came_without_descriptors(message))
        return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
    header.size = sizeof header.payload;
    header.payload = listener->queue_pairs();
    std::memcpy(message, &header, sizeof header);
    return RTE_VHOST_MSG_RESULT_REPLY;
}

int on_connection_opened(int vid) {
    static constexpr rte_vhost_user_extern_ops kMessages{.pre_msg_handle = answer_queue_number,
                                                         .post_msg_handle = nullptr};
    SocketListener* listener = listener_of(vid);
    if (listener == nullptr || !listener->connection_opened(vid)) return -1;
    return rte_vhost_extern_callback_register(vid, &kMessages, nullptr);
}

void on_connection_closed(int vid) {
    if (SocketListener* listener = listener_of(vid)) listener->connection_closed(vid);
}

constexpr rte_vhost_device_ops kCallbacks{.new_device = on_device_started,
                                          .destroy_device = on_device_stopped,
                                          .vring_state_changed = on_ring_changed,
                                          .features_changed = nullptr,
                                          .new_connection = on_connection_opened,
                                          .destroy_connection = on_connection_closed,
                                          .guest_notified = nullptr,
                                          .reserved = {}};

/// librte_vhost logs every message, what is wrong with it, and from workers every odd frame: a guest could fill the
/// disk. The ports say themselves when a guest goes. Levels that somebody chose on the EAL's command line stay.
void quieten_log() {
    const auto lower = [](const char* name, int from, std::uint32_t to) {
        const int type = rte_log_register(name);
        if (type >= 0 && rte_log_get_level(static_cast<std::uint32_t>(type)) == from)
            rte_log_set_level(static_cast<std::uint32_t>(type), to);
    };
    lower("lib.vhost.config", RTE_LOG_INFO, RTE_LOG_CRIT);
    lower("lib.vhost.data", RTE_LOG_WARNING, RTE_LOG_CRIT);
}

std::unexpected<Error> device_failed(ErrorCode code, std::string message, const std::string& path) {
    return failure({.code = code,
                    .message = std::move(message),
                    .field = "/path",
                    .got = path,
                    .allowed = {},
                    .retryable = true,
                    .object_kind = {},
                    .object_name = {}});
}

Result<> start(const std::string& path, bool server, std::uint16_t queue_pairs) {
    if (rte_vhost_driver_register(path.c_str(), server ? 0 : RTE_VHOST_USER_CLIENT) != 0)
        return device_failed(ErrorCode::limit, "librte_vhost takes no more sockets (it holds at most 1024)", path);
    if (rte_vhost_driver_disable_features(path.c_str(), refused_features(queue_pairs)) != 0 ||
        rte_vhost_driver_callback_register(path.c_str(), &kCallbacks) != 0 ||
        rte_vhost_driver_start(path.c_str()) != 0) {
        rte_vhost_driver_unregister(path.c_str());
        return device_failed(ErrorCode::device_failed, "librte_vhost cannot serve this socket", path);
    }
    return {};
}

}  // namespace

Result<> register_socket(const std::string& path, bool server, SocketListener& listener) {
    static std::once_flag once;
    std::call_once(once, quieten_log);
    {
        const std::lock_guard lock(listeners_mutex);
        if (!listeners.emplace(path, &listener).second)
            return device_failed(ErrorCode::in_use, "another port uses this socket", path);
    }
    auto started = start(path, server, listener.queue_pairs());
    if (!started) {
        const std::lock_guard lock(listeners_mutex);
        listeners.erase(path);
    }
    return started;
}

void unregister_socket(const std::string& path) {
    rte_vhost_driver_unregister(path.c_str());
    const std::lock_guard lock(listeners_mutex);
    listeners.erase(path);
}

}  // namespace bulkhead::vhost
