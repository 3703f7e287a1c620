// SPDX-License-Identifier: Apache-2.0
// Where a port's guests come in.
#pragma once

#include <functional>

#include "vswitch/base/unique_fd.h"

namespace bulkhead::vhost {

class Door {
  public:
    /// Takes a guest's connection, non-blocking; closes it if there is one already.
    using Admit = std::function<void(UniqueFd guest)>;

    virtual ~Door() = default;
    /// The guest that was admitted has gone.
    virtual void guest_left() = 0;
};

}  // namespace bulkhead::vhost
