#include "search/prediction.h"

#include "nonlinear/ot_plan.h"
#include "plan/assemble.h"

namespace ap::search {
namespace {

// Processor seconds on a recent core, both parties: per half-gate, per transferred input bit, per silent
// transfer, and per byte that goes through TLS; bytes of a silent transfer. As protocol/engines.cc.
constexpr double kSecondsPerAnd = 20e-9;
constexpr double kSecondsPerInputBit = 25e-9;
constexpr double kSecondsPerTransfer = 80e-9;
constexpr double kSecondsPerByte = 1.5e-9;
constexpr double kBytesPerTransfer = 0.05;

Price priced(double processor, double bytes, double bytes_per_second) {
  return {processor + bytes * (kSecondsPerByte + 1 / bytes_per_second), static_cast<std::uint64_t>(bytes)};
}

Price garbled_price(const nonlinear::ActivationSpec& spec, double bytes_per_second) {
  const auto bytes = static_cast<double>(nonlinear::column_bytes(spec) + nonlinear::table_bytes(spec) +
                                         nonlinear::choice_bytes(spec) + nonlinear::label_bytes(spec));
  const double input_bits = static_cast<double>(spec.inputs) * spec.share_bits();
  return priced(
      static_cast<double>(nonlinear::and_gates(spec)) * kSecondsPerAnd + input_bits * kSecondsPerInputBit,
      bytes, bytes_per_second);
}

Price transfer_price(nonlinear::ActivationSpec spec, double bytes_per_second) {
  if (spec.pooled() && spec.windows.empty()) {
    // Which elements a window holds hardly matters to the price.
    for (std::size_t i = 0; i < spec.outputs * spec.pool_size; ++i) {
      spec.windows.push_back(static_cast<std::uint32_t>(i % spec.inputs));
    }
  }
  const nonlinear::OtCost cost = nonlinear::ot_cost(spec);
  const auto transfers = static_cast<double>(cost.client_cots + cost.server_cots);
  const double bytes =
      static_cast<double>(cost.client_bytes + cost.server_bytes) + transfers * kBytesPerTransfer;
  return priced(transfers * kSecondsPerTransfer, bytes, bytes_per_second);
}

}  // namespace

Price linear_price(const plan::LinearChoice& choice, double bytes_per_second) {
  return {choice.predicted_s + static_cast<double>(choice.predicted_bytes) / bytes_per_second,
          choice.predicted_bytes};
}

Price activation_price(const nonlinear::ActivationSpec& spec, const std::string& engine,
                       double bytes_per_second) {
  if (engine == "gc") return garbled_price(spec, bytes_per_second);
  const Price transfers = transfer_price(spec, bytes_per_second);
  if (engine == "ot" || spec.square) return transfers;
  const Price garbled = garbled_price(spec, bytes_per_second);
  return garbled.seconds < transfers.seconds ? garbled : transfers;
}

Price plan_price(const nn::QuantisedNetwork& network, const plan::Plan& plan, double bytes_per_second) {
  Price total;
  for (const plan::LinearChoice& choice : plan.linears) total += linear_price(choice, bytes_per_second);
  for (const plan::ActivationChoice& choice : plan.activations) {
    if (!plan.primes.empty()) {
      // Garbled modulo primes, as the plan has priced it.
      total += {choice.predicted_s + static_cast<double>(choice.predicted_bytes) / bytes_per_second,
                choice.predicted_bytes};
      continue;
    }
    total += activation_price(plan::spec_of(network, choice), choice.engine, bytes_per_second);
  }
  return total;
}

}  // namespace ap::search
