// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "vswitch/base/result.h"
#include "vswitch/model/snapshot.h"

namespace bulkhead {

/// Told of each change of what workers forward by, on the control thread.
class SnapshotWatcher {
  public:
    SnapshotWatcher() = default;
    SnapshotWatcher(const SnapshotWatcher&) = delete;
    SnapshotWatcher& operator=(const SnapshotWatcher&) = delete;
    virtual ~SnapshotWatcher() = default;

    /// When it returns, no hardware does what `next` contradicts. On failure `next` is not published.
    [[nodiscard]] virtual Result<> before_publish(const Snapshot& next) = 0;
    /// All workers forward by `now`. Also called when what was announced has failed, with what stays in force. When it
    /// returns, devices of ports that `now` has not are used no more.
    virtual void after_publish(const Snapshot& now) = 0;
};

}  // namespace bulkhead
