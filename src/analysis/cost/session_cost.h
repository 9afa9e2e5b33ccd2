// What a session of several inferences costs: the sum over its layers and over the messages that belong to no
// layer. Bytes are exact, as protocol::MeteredChannel counts them.
#pragma once

#include <memory>
#include <vector>

#include "analysis/cost/layer_cost.h"

namespace ap::cost {

/// Images of the session over which what happens once (base OTs, seeds of silent OTs, rotation
/// keys) is spread where nobody says otherwise.
inline constexpr std::uint64_t kTypicalSession = 20;

struct BatchGroupShape {
  SimdRing ring;
  std::uint64_t elements = 0;  ///< rotation keys
};

struct ActivationShape {
  activation::ActivationSpec spec;
  ActivationProtocol protocol = ActivationProtocol::gc;
  std::shared_ptr<const activation::OtPlan> ot_plan;             ///< if it is known already
  std::shared_ptr<const activation::OneTripPlan> one_trip_plan;  ///< of one_trip
};

/// Everything that both parties know of a session before it starts.
struct SessionShape {
  std::vector<GroupShape> groups;
  std::vector<BatchGroupShape> batch_groups;
  std::vector<LinearShape> linears;
  std::vector<ActivationShape> activations;
  std::uint64_t input_elements = 0;
  /// Payload of the messages of no layer: commands, keys, protocol names, input, logits; headers included.
  Work offline_rest, online_rest;
  /// What is sent once a session and belongs to no layer: keys of layers packed for SIMD.
  Work session_rest;
  bool keep_batch_keys = true;  ///< they serve the session, not one inference
};

struct PhaseCost {
  double seconds = 0;  ///< wall time
  double client_cpu_s = 0, server_cpu_s = 0;
  double bytes_up = 0, bytes_down = 0;
  PhaseCost& operator+=(const PhaseCost& other);
  double bytes() const { return bytes_up + bytes_down; }
};

struct LayerPrediction {
  PhaseCost offline, online;
};

struct Prediction {
  PhaseCost offline, online;             ///< means per image
  std::vector<LayerPrediction> linears;  ///< in the order of the shape
  std::vector<LayerPrediction> activations;
  PhaseCost session;  ///< once a session, in `offline` by its share: base OTs, seeds, rotation keys
};

/// Means over the `images` >= 1 inferences of one session, each prepared and run in turn.
Prediction predict(const SessionShape& shape, const Profile& profile, const Setting& setting,
                   std::uint64_t images);

}  // namespace ap::cost
