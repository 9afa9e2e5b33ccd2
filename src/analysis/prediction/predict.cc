#include "analysis/prediction/predict.h"

#include <bit>
#include <cmath>

#include "analysis/prediction/choose_protocols.h"
#include "base/bits.h"
#include "base/error.h"
#include "he/bfv/batch_scheme.h"
#include "he/bfv/scheme.h"
#include "he/rlwe/galois.h"
#include "he/rlwe/keys.h"
#include "he/rlwe/wire.h"

namespace ap::protocol {
namespace {

int widest_prime(const bfv::Parameters& parameters) {
  int bits = 0;
  for (const std::uint64_t q : parameters.primes) bits = std::max(bits, static_cast<int>(std::bit_width(q)));
  return bits;
}

/// Adds messages with these payloads.
void add_up(cost::Work& work, std::uint64_t payload) {
  work.bytes_up += static_cast<double>(payload + net::kHeaderBytes);
  work.messages_up += 1;
}
void add_down(cost::Work& work, std::uint64_t payload) {
  work.bytes_down += static_cast<double>(payload + net::kHeaderBytes);
  work.messages_down += 1;
}

cost::LinearShape linear_shape(const Model& model, const LinearLayer& layer, const plan::LinearChoice& choice,
                               const cost::SessionShape& session) {
  cost::LinearShape shape;
  const linear::PackedLayer& packed = layer.he->packed();
  shape.geometry = packed.geometry();
  shape.upload_bytes = packed.upload_bytes();
  shape.reply_bytes = packed.reply_bytes();
  const ShareModulus& modulus = model.modulus(layer.node);
  // Sums modulo a prime must not wrap, so they take 64-bit words.
  shape.share_bits = std::has_single_bit(modulus.value()) ? modulus.bits() : 64;
  shape.counts = packed.counts();
  const auto group = static_cast<std::size_t>(choice.group);
  if (const plan::SimdChoice* simd = choice.simd()) {
    shape.ring = cost::SimdShape{session.batch_groups[group].ring, simd->reply_level};
  } else {
    shape.ring = session.groups[group];
  }
  return shape;
}

cost::PhaseCost both(const cost::LayerPrediction& layer) {
  cost::PhaseCost sum = layer.offline;
  sum += layer.online;
  return sum;
}

}  // namespace

cost::SessionShape session_shape(const Model& model, std::span<const ActivationProtocol> protocols) {
  AP_ASSERT(protocols.size() == model.activations().size());
  cost::SessionShape shape;
  std::uint64_t key_bytes = 0;
  for (const bfv::ContextPtr& context : model.groups().coefficient) {
    const bfv::Parameters& p = bfv::parameters(*context);
    shape.groups.push_back({p.n, static_cast<int>(p.primes.size()), widest_prime(p)});
    key_bytes += rlwe::PublicKey::serialised_bytes(*context);
  }
  shape.keep_batch_keys = model.groups().keep_batch_keys;
  for (const BatchGroup& group : model.groups().batch) {
    shape.batch_groups.push_back({cost::ring_of(bfv::parameters(*group.context)), group.elements.size()});
    add_up(shape.keep_batch_keys ? shape.session_rest : shape.offline_rest,
           rlwe::seeded_bytes(*group.context) +
               rlwe::GaloisKeys::serialised_bytes(*group.context, group.elements));
  }
  for (std::size_t i = 0; i < model.linears().size(); ++i) {
    shape.linears.push_back(linear_shape(model, model.linears()[i], model.plan().linears[i], shape));
  }
  for (std::size_t i = 0; i < protocols.size(); ++i) {
    const ActivationLayer& layer = model.activations()[i];
    shape.activations.push_back(
        {layer.spec, protocols[i] == ActivationProtocol::beaver ? ActivationProtocol::ot : protocols[i],
         layer.ot_plan, layer.one_trip_plan});
  }
  shape.input_elements = model.size(0);

  const int last = static_cast<int>(model.tensors()) - 1;
  add_up(shape.offline_rest, 1);  // the command
  add_up(shape.offline_rest, key_bytes);
  add_up(shape.offline_rest, protocols.size());
  add_down(shape.offline_rest, 1 + 8);  // the permission
  shape.offline_rest.one_way_messages = 2;
  add_up(shape.online_rest, 1);
  add_up(shape.online_rest, packed_bytes(model.size(0), model.modulus(0).bits()));
  add_down(shape.online_rest, packed_bytes(model.size(last), model.modulus(last).bits()));
  shape.online_rest.one_way_messages = 2;
  return shape;
}

cost::Prediction predict(const Model& model, const cost::Profile& profile, const cost::Setting& setting,
                         std::uint64_t images) {
  const std::vector<ActivationProtocol> protocols =
      choose_protocols(model, {setting.round_trip_s, setting.bytes_per_second}, profile);
  return cost::predict(session_shape(model, protocols), profile, setting, images);
}

void set_predictions(const cost::Prediction& prediction, plan::Plan& plan) {
  AP_ASSERT(prediction.linears.size() == plan.linears.size() &&
            prediction.activations.size() ==
                plan.activations.size() + (plan.reveal == plan::Reveal::label ? 1 : 0));
  const auto set = [](const cost::LayerPrediction& layer, double& seconds, std::uint64_t& bytes) {
    const cost::PhaseCost sum = both(layer);
    seconds = sum.client_cpu_s + sum.server_cpu_s;
    bytes = static_cast<std::uint64_t>(std::llround(sum.bytes()));
  };
  for (std::size_t i = 0; i < plan.linears.size(); ++i) {
    set(prediction.linears[i], plan.linears[i].predicted_s, plan.linears[i].predicted_bytes);
  }
  for (std::size_t i = 0; i < plan.activations.size(); ++i) {
    set(prediction.activations[i], plan.activations[i].predicted_s, plan.activations[i].predicted_bytes);
  }
}

}  // namespace ap::protocol
