// SPDX-License-Identifier: Apache-2.0
#include "control/state/arrangement.h"

#include <optional>

#include "vswitch/model/admission.h"
#include "vswitch/model/checks.h"
#include "vswitch/model/host_tap.h"

namespace bulkhead {
namespace {

class Arranger {
  public:
    using ClaimOf = std::function<Claim(const ObjectKey&, const std::string& owner)>;

    Arranger(Configuration& result, std::uint16_t workers, const ClaimOf& claim_of)
        : result_(result), workers_(workers), claim_of_(claim_of) {}

    template <typename Map>
    Result<> admit_all(const Map& objects, Map& in_force) {
        for (Claim turn : {Claim::settled, Claim::must, Claim::preferred, Claim::modest}) {
            for (const auto& [name, object] : objects) {
                ObjectKey key = key_of(object);
                if (claim_of_(key, object.owner) != turn) continue;
                auto admitted = admit(object);
                if (admitted) {
                    in_force.emplace(name, object);
                } else if (turn <= Claim::must) {
                    return failure(explained(std::move(admitted.error()), object));
                } else {
                    result_.unfit.emplace(std::move(key), std::move(admitted.error()));
                }
            }
        }
        return {};
    }

  private:
    template <typename T>
    Result<> admit(const T& object) {
        return admission_.add(object);
    }
    Result<> admit(const Port& port) {
        for (std::size_t i = 0; i < port.workers.size(); ++i) {
            if (port.workers[i] < workers_) continue;
            auto refusal = refused("/workers/" + std::to_string(i), "is out of range", std::to_string(port.workers[i]),
                                   "0-" + std::to_string(workers_ - 1));
            refusal.error().object_kind = "port";
            refusal.error().object_name = port.name;
            return refusal;
        }
        return admission_.add(port);
    }

    // "No segment blue" would be a riddle where the segment is configured and only waits.
    template <typename T>
    Error explained(Error error, const T& object) const {
        if (error.code != ErrorCode::not_found || error.got.size() < 2) return error;
        const ObjectKey missing = referred_to(error, object);
        if (auto waiting = result_.unfit.find(missing); waiting != result_.unfit.end()) {
            error.code = ErrorCode::not_ready;
            error.retryable = true;
            error.message =
                std::string(to_string(missing.kind)) + " " + error.got + " is waiting: " + waiting->second.message;
        }
        return error;
    }

    /// What the field of a refusal refers to; `got` has its name.
    template <typename T>
    static ObjectKey referred_to(const Error& error, const T& object) {
        const std::string name = error.got.substr(1, error.got.size() - 2);
        if (const auto segment = segment_of_group(error.field, object))
            return {ObjectKind::group, *segment + "/" + name};
        if (const auto key = reference_of_mirror(error.field, name, object)) return *key;
        if (error.field == "/to_port") return {ObjectKind::port, name};
        for (const ObjectKind kind : {ObjectKind::port, ObjectKind::underlay, ObjectKind::tunnel})
            if (error.field == "/" + std::string(to_string(kind))) return {kind, name};
        return {ObjectKind::segment, name};
    }
    /// What those fields refer to that only mirrors have.
    template <typename T>
    static std::optional<ObjectKey> reference_of_mirror(const std::string& /*field*/, const std::string& /*name*/,
                                                        const T& /*object*/) {
        return std::nullopt;
    }
    static std::optional<ObjectKey> reference_of_mirror(const std::string& field, const std::string& name,
                                                        const Mirror& mirror) {
        if (field == "/policy") return ObjectKey{ObjectKind::policy, mirror.segment + "/" + name};
        if (field == "/to") return ObjectKey{mirror.vni ? ObjectKind::tunnel : ObjectKind::port, name};
        return std::nullopt;
    }
    /// The segment of the group that a field names; nothing if it names none.
    template <typename T>
    static std::optional<std::string> segment_of_group(const std::string& /*field*/, const T& /*object*/) {
        return std::nullopt;
    }
    static std::optional<std::string> segment_of_group(const std::string& field, const Policy& policy) {
        return field.find("/groups/") == std::string::npos ? std::nullopt : std::optional(policy.segment);
    }
    static std::optional<std::string> segment_of_group(const std::string& field, const Port& port) {
        for (const Attachment& attachment : port.attachments)
            if (field == attachment_pointer(port, attachment) + "/group") return attachment.segment;
        return std::nullopt;
    }

    Configuration& result_;
    std::uint16_t workers_;
    const ClaimOf& claim_of_;
    Admission admission_;
};

}  // namespace

Result<Configuration> arrange(Model configured, std::uint16_t workers,
                              const std::function<Claim(const ObjectKey&, const std::string& owner)>& claim_of) {
    Configuration result;
    result.configured = std::move(configured);
    Arranger arranger(result, workers, claim_of);
    if (auto ok = arranger.admit_all(result.configured.segments, result.in_force.segments); !ok) {
        return failure(std::move(ok.error()));
    }
    if (auto ok = arranger.admit_all(result.configured.groups, result.in_force.groups); !ok) {
        return failure(std::move(ok.error()));
    }
    if (auto ok = arranger.admit_all(result.configured.ports, result.in_force.ports); !ok) {
        return failure(std::move(ok.error()));
    }
    if (auto ok = arranger.admit_all(result.configured.underlays, result.in_force.underlays); !ok) {
        return failure(std::move(ok.error()));
    }
    add_host_ports(result.in_force);
    if (auto ok = arranger.admit_all(result.configured.tunnels, result.in_force.tunnels); !ok) {
        return failure(std::move(ok.error()));
    }
    if (auto ok = arranger.admit_all(result.configured.static_macs, result.in_force.static_macs); !ok) {
        return failure(std::move(ok.error()));
    }
    if (auto ok = arranger.admit_all(result.configured.policies, result.in_force.policies); !ok) {
        return failure(std::move(ok.error()));
    }
    if (auto ok = arranger.admit_all(result.configured.mirrors, result.in_force.mirrors); !ok) {
        return failure(std::move(ok.error()));
    }
    return result;
}

}  // namespace bulkhead
