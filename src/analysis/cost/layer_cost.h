// Costs of one layer by exact operation counts: a linear layer in either packing, an activation by either
// protocol. Bytes are those of the protocol's messages of this layer, headers included, to the last byte
// (silent OTs apart, which are counted over a session: silent_stream.h).
#pragma once

#include <cstdint>
#include <variant>

#include "analysis/cost/work.h"
#include "layers/activation/activation_spec.h"
#include "layers/activation/protocol.h"
#include "layers/linear/packed_layer.h"

namespace ap::activation {
struct OtPlan;
struct OneTripPlan;
}  // namespace ap::activation

namespace ap::cost {

/// The two phases of a layer.
struct LayerWork {
  Work offline, online;
  double client_memory = 0;  ///< bytes that the client keeps between the phases
};

/// A ring of coefficient packing.
struct GroupShape {
  std::uint32_t n = 0;
  int primes = 1, prime_bits = 0;
};

/// A layer packed for SIMD.
struct SimdShape {
  SimdRing ring;
  int reply_level = 1;
};

/// A linear layer as its packing has it.
struct LinearShape {
  linear::Geometry geometry;
  linear::OperationCounts counts;
  std::variant<GroupShape, SimdShape> ring;
  std::uint64_t upload_bytes = 0, reply_bytes = 0;  ///< payloads of the two messages
  int share_bits = 32;                              ///< width of the words that the clear convolution takes
};
LayerWork linear_work(const LinearShape& layer, const Profile& profile);

/// Garbled circuits; `offline` has no base OTs.
LayerWork garbling_work(const activation::ActivationSpec& spec, const Profile& profile);

/// Silent OTs; `offline` is hashing alone: the OTs themselves are counted by their number.
struct OtWork {
  LayerWork work;
  std::uint64_t client_cots = 0, server_cots = 0;  ///< by sender
};
OtWork ot_work(const activation::ActivationSpec& spec, const Profile& profile);
/// The work of an `ot` layer that is planned already (activation::plan_ot_layer).
OtWork ot_work(const activation::OtPlan& plan, const Profile& profile);

OtWork one_trip_work(const activation::OneTripPlan& plan, const Profile& profile);

/// How the protocols run a layer, as far as that is known already.
struct ActivationPlans {
  const activation::OtPlan* ot = nullptr;
  const activation::OneTripPlan* one_trip = nullptr;
};

/// An activation by itself, by any protocol: transfers at what they cost in a long session. This is what
/// planners and the choice by link compare.
LayerWork activation_work(ActivationProtocol protocol, const activation::ActivationSpec& spec,
                          const Profile& profile, ActivationPlans plans = {});

/// How the phases of the two protocols and of linear layers run.
Shape linear_offline_shape();
Shape offline_shape(ActivationProtocol protocol);
Shape online_shape(ActivationProtocol protocol);

/// Seconds on the clock of both phases of an activation.
double activation_seconds(ActivationProtocol protocol, const activation::ActivationSpec& spec,
                          const Profile& profile, const Setting& setting, ActivationPlans plans = {});

}  // namespace ap::cost
