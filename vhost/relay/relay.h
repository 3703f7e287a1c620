// SPDX-License-Identifier: Apache-2.0
// Between guests' sockets and librte_vhost, for all ports. The library alone serves all its sockets with one thread,
// which waits for the rest of a message that has begun, and believes what it is told; so any guest could stop all
// others' (and the removal of a port), or end the process. Here a thread that waits for nobody owns the sockets, and
// the library gets whole messages that were looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vhost/relay/folder_watch.h"
#include "vhost/relay/library_connection.h"
#include "vhost/socket_place.h"
#include "vswitch/base/event_loop.h"
#include "vswitch/base/result.h"
#include "vswitch/model/model.h"

namespace bulkhead::vhost {

/// What a port is told of its guest, and librte_vhost of the guest's device. One call at a time.
class GuestListener : public DeviceListener {
  public:
    virtual void guest_came() = 0;
    /// The device has stopped. `why`, for people: that it went, or what it did wrong. Not called when the port is
    /// removed.
    virtual void guest_left(const std::string& why) = 0;
    virtual void guest_refused() = 0;  ///< it came while there was one already
    /// What librte_vhost would offer and the guest that comes shall not have. `wants_more`: the last one hung up on our
    /// offer. QEMU does, for ever, where its guest goes by a feature that is offered no more (hw/net/vhost_net.c).
    [[nodiscard]] virtual std::uint64_t refused_features(bool wants_more) const = 0;
    /// Whether the guest has taken back memory that it shares.
    [[nodiscard]] virtual bool has_lost_memory() const = 0;
    /// Whether an eventfd of its keeps who writes to it waiting.
    [[nodiscard]] virtual bool has_jammed_call() const = 0;
    /// The guest is to go: when this returns no worker is inside librte_vhost with its device, nor will one be. Before
    /// the connection is taken apart, since librte_vhost may wait for a worker meanwhile, which waits for the guest.
    virtual void withdraw_device() = 0;

  protected:
    ~GuestListener() = default;
};

class Relay {
  public:
    /// `roots`: folders whose sockets are looked for without following links, see SocketPlace.
    static Result<std::unique_ptr<Relay>> create(std::vector<std::string> roots = {});
    /// Every port must have been removed.
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    [[nodiscard]] SocketPlace place(const std::string& path) const { return {path, roots_}; }

    struct Settings {
        VhostUserDevice device;
        std::uint16_t queue_pairs = 1;
    };
    /// Serves the port's socket from now on. Errors: those of the socket, at `/path` and its owner and mode; `in_use`
    /// if another port has this path.
    [[nodiscard]] Result<> add(const Settings& settings, GuestListener& listener);
    /// Ends the connection and takes the socket away. No call to the listener is under way or follows.
    void remove(const std::string& path);

  private:
    class ServedPort;

    Relay(std::vector<std::string> roots, std::unique_ptr<EventLoop> loop, std::unique_ptr<FolderWatch> folders);
    Result<> watch_memory();
    /// Runs it on the thread, between two turns of its loop, and waits for that: none of them takes long.
    void close_those_without_memory();
    void close_those_who_jam();
    void on_thread(const std::function<void()>& work);

    const std::vector<std::string> roots_;
    std::unique_ptr<EventLoop> loop_;
    std::unique_ptr<FolderWatch> folders_;
    std::unordered_map<std::string, std::unique_ptr<ServedPort>> ports_;  ///< the thread's, by path
    std::thread thread_;
};

}  // namespace bulkhead::vhost
