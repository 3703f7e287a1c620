// SPDX-License-Identifier: Apache-2.0
#include "vhost/relay/library_connection.h"

#include <array>
#include <cerrno>
#include <climits>
#include <map>
#include <mutex>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_log.h>
#include <rte_vhost.h>

#include "vswitch/base/system_failure.h"

namespace bulkhead::vhost {
namespace {

/// vhost-user.rst, "Protocol features", as far as we carry them: not what serves an IOMMU, postcopy, crypto or vDPA.
constexpr std::uint64_t kProtocolFeatures = 1ULL << 0      // MQ
                                            | 1ULL << 1    // LOG_SHMFD: a guest may migrate
                                            | 1ULL << 2    // RARP
                                            | 1ULL << 3    // REPLY_ACK
                                            | 1ULL << 4    // NET_MTU
                                            | 1ULL << 16;  // STATUS

std::mutex listeners_mutex;
std::map<std::string, DeviceListener*, std::less<>> listeners;

DeviceListener* listener_of(int vid) {
    std::array<char, PATH_MAX> path;
    if (rte_vhost_get_ifname(vid, path.data(), path.size()) != 0) return nullptr;
    const std::lock_guard lock(listeners_mutex);
    const auto found = listeners.find(std::string_view(path.data()));
    return found == listeners.end() ? nullptr : found->second;
}

int on_device_started(int vid) {
    DeviceListener* listener = listener_of(vid);
    if (listener == nullptr) return -1;
    listener->device_started(vid);
    return 0;
}

void on_device_stopped(int vid) {
    if (DeviceListener* listener = listener_of(vid)) listener->device_stopped(vid);
}

int on_ring_changed(int vid, std::uint16_t ring, int enabled) {
    if (DeviceListener* listener = listener_of(vid)) listener->ring_changed(vid, ring, enabled != 0);
    return 0;
}

rte_vhost_msg_result on_message(int vid, void* /*message*/) {
    if (DeviceListener* listener = listener_of(vid)) listener->message_begins();
    return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

int on_connected(int vid) {
    static constexpr rte_vhost_user_extern_ops kMessages{.pre_msg_handle = on_message, .post_msg_handle = nullptr};
    return rte_vhost_extern_callback_register(vid, &kMessages, nullptr);
}

constexpr rte_vhost_device_ops kCallbacks{.new_device = on_device_started,
                                          .destroy_device = on_device_stopped,
                                          .vring_state_changed = on_ring_changed,
                                          .features_changed = nullptr,
                                          .new_connection = on_connected,
                                          .destroy_connection = nullptr,
                                          .guest_notified = nullptr,
                                          .reserved = {}};

/// librte_vhost logs every message, what is wrong with it, and from workers every odd frame: a guest could fill the
/// disk. The ports say themselves when a guest goes, and why. Levels that somebody chose on the EAL's command line
/// stay.
void quieten_log() {
    const auto lower = [](const char* name, int from, std::uint32_t to) {
        const int type = rte_log_register(name);
        if (type >= 0 && rte_log_get_level(static_cast<std::uint32_t>(type)) == from)
            rte_log_set_level(static_cast<std::uint32_t>(type), to);
    };
    lower("lib.vhost.config", RTE_LOG_INFO, RTE_LOG_CRIT);
    lower("lib.vhost.data", RTE_LOG_WARNING, RTE_LOG_CRIT);
}

std::unexpected<Error> refused_by_library(const char* what) {
    Error error;
    error.code = ErrorCode::device_failed;
    error.message = std::string("librte_vhost takes no further connection: ") + what;
    error.retryable = true;
    return failure(std::move(error));
}

/// A listening socket in a folder that nobody else may enter, both gone again with this object.
class MeetingPlace {
  public:
    static Result<MeetingPlace> create() {
        // In memory where we may: on a disk it would cost more than all else that is done for a guest that comes.
        static const char* const kParent = access("/run", W_OK) == 0 ? "/run" : "/tmp";
        std::string folder = std::string(kParent) + "/bulkhead-vhost-XXXXXX";
        if (mkdtemp(folder.data()) == nullptr)
            return system_failure(std::string("cannot make a folder in ") + kParent, errno);
        MeetingPlace place(folder);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        place.path().copy(address.sun_path, sizeof address.sun_path - 1);
        if (!place.listener_.valid() ||
            bind(place.listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
            listen(place.listener_.get(), 1) != 0)
            return system_failure("cannot listen in " + folder, errno);
        return place;
    }
    MeetingPlace(MeetingPlace&& other) noexcept
        : folder_(std::exchange(other.folder_, {})), listener_(std::move(other.listener_)) {}
    MeetingPlace& operator=(MeetingPlace&&) = delete;
    ~MeetingPlace() {
        if (folder_.empty()) return;
        unlink(path().c_str());
        rmdir(folder_.c_str());
    }

    [[nodiscard]] std::string path() const { return folder_ + "/s"; }
    /// Who has connected already: nobody is waited for.
    [[nodiscard]] UniqueFd accept() const {
        return UniqueFd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    }

  private:
    explicit MeetingPlace(std::string folder)
        : folder_(std::move(folder)), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}

    std::string folder_;
    UniqueFd listener_;
};

}  // namespace

Result<std::unique_ptr<LibraryConnection>> LibraryConnection::open(std::uint64_t refused, DeviceListener& listener) {
    static std::once_flag once;
    std::call_once(once, quieten_log);
    auto place = MeetingPlace::create();
    if (!place) return std::unexpected(place.error());
    std::unique_ptr<LibraryConnection> connection(new LibraryConnection);
    connection->path_ = place->path();
    {
        const std::lock_guard lock(listeners_mutex);
        listeners.emplace(connection->path_, &listener);
    }
    if (auto connected = connection->connect(refused); !connected) return std::unexpected(connected.error());
    connection->socket_ = place->accept();
    if (!connection->socket_.valid()) return refused_by_library("it has no descriptor or no number left");
    return connection;
}

/// It connects before rte_vhost_driver_start() returns, and never by itself again.
Result<> LibraryConnection::connect(std::uint64_t refused) {
    const char* path = path_.c_str();
    if (rte_vhost_driver_register(path, RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT) != 0)
        return refused_by_library("it holds at most 1024");
    registered_ = true;
    if (rte_vhost_driver_disable_features(path, refused) != 0 ||
        rte_vhost_driver_set_protocol_features(path, kProtocolFeatures) != 0 ||
        rte_vhost_driver_callback_register(path, &kCallbacks) != 0 || rte_vhost_driver_start(path) != 0)
        return refused_by_library("it failed to connect");
    return {};
}

LibraryConnection::~LibraryConnection() {
    if (registered_) rte_vhost_driver_unregister(path_.c_str());
    const std::lock_guard lock(listeners_mutex);
    listeners.erase(path_);
}

}  // namespace bulkhead::vhost
