// Material of the `one-trip` protocol in files: the arrays one after another, as they lie in memory; their sizes follow
// from the layer. Any content of the right size is safe to run with, if not right.
#include "layers/activation/one_trip/one_trip_activation.h"
#include "layers/activation/one_trip/one_trip_rows.h"
#include "layers/activation/ot/material_arrays.h"

namespace ap::activation {
namespace {

using Blocks = SecretVector<mpc::Block>;
using Words = SecretVector<std::uint64_t>;

/// body(array, size) for every array of a step. Lists have their lengths.
template <typename Material, typename Body>
void tables_of(Material& material, const OneTripStep& step, const Body& body) {
  for_rotated(step, [&](std::size_t digit, int width, int tables, std::size_t) {
    body(material.tables[digit], (static_cast<std::size_t>(tables) << width) * mpc::tiles_of(step.count));
  });
}
std::size_t string_size(const OneTripStep& step, std::size_t bit) {
  return step.count * static_cast<std::size_t>(string_words(step, bit));
}

template <typename Step, typename Body>
void arrays_of_client(Step& material, const OneTripStep& step, const Body& body) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  tables_of(material, step, body);
  body(material.pointers, step.digits.size() * tiles);
  for (std::size_t bit = 0; bit < step.early_bits(); ++bit) {
    body(material.strings[bit].zero, string_size(step, bit));
    body(material.strings[bit].one, string_size(step, bit));
  }
  if (step.has_word()) {
    body(material.product.choices, tiles);
    body(material.product.shares, step.count, step.ring);
  }
  if (step.guard_digits > 1) body(material.rho, step.count);
  body(material.words, step.count);
  body(material.addends, step.count);
}

template <typename Step, typename Body>
void arrays_of_server(Step& material, const OneTripStep& step, const Body& body) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  tables_of(material, step, body);
  for_rotated(step, [&](std::size_t digit, int width, int, std::size_t) {
    body(material.rotations[digit], static_cast<std::size_t>(width) * tiles);
  });
  for (std::size_t bit = 0; bit < step.early_bits(); ++bit) {
    body(material.choices[bit].bits, tiles);
    body(material.choices[bit].strings, string_size(step, bit));
  }
  if (step.has_word()) {
    body(material.product.d, step.count, step.ring);
    body(material.product.shares, step.count, step.ring);
  }
}

template <typename Material, typename Body>
void arrays_of(Material& material, const OneTripStep& step, const Body& body) {
  if constexpr (std::is_same_v<std::remove_const_t<Material>, OneTripClientStep>) {
    arrays_of_client(material, step, body);
  } else {
    arrays_of_server(material, step, body);
  }
}

struct Save {
  SecretWriter& out;
  void operator()(const auto& array, std::size_t) const { out.array(array); }
  void operator()(const mpc::RingWords& words, std::size_t, int) const { write_words(words, out); }
};

std::size_t rotated(const OneTripStep& step) { return step.digits.size() + (step.clamped() ? 1 : 0); }
OneTripClientStep empty_step(const OneTripStep& step, const OneTripClientStep*) {
  OneTripClientStep material;
  material.tables.resize(rotated(step));
  material.strings.resize(step.early_bits());
  return material;
}
OneTripServerStep empty_step(const OneTripStep& step, const OneTripServerStep*) {
  OneTripServerStep material;
  material.tables.resize(rotated(step));
  material.rotations.resize(rotated(step));
  material.choices.resize(step.early_bits());
  return material;
}

}  // namespace

template <typename Step>
void OneTripPreprocessing<Step>::save(SecretWriter& out) const {
  if (empty()) fail_security("the preprocessing of an activation layer was used before; it cannot be stored");
  std::size_t at = 0;
  plan_->for_steps([&](const OneTripStep& step) { arrays_of(steps_[at++], step, Save{out}); });
  out.array(repeated_);
}

template <typename Step>
OneTripPreprocessing<Step> OneTripPreprocessing<Step>::restore(std::shared_ptr<const OneTripPlan> plan,
                                                               ByteReader& in) {
  OneTripPreprocessing material;
  material.plan_ = std::move(plan);
  material.plan_->for_steps([&](const OneTripStep& step) {
    Step& fresh = material.steps_.emplace_back(empty_step(step, static_cast<const Step*>(nullptr)));
    arrays_of(fresh, step, RestoreArrays{in});
  });
  if constexpr (std::is_same_v<Step, OneTripServerStep>)
    material.repeated_ = read_array<Words>(in, material.plan_->repeated);
  return material;
}

template class OneTripPreprocessing<OneTripClientStep>;
template class OneTripPreprocessing<OneTripServerStep>;

}  // namespace ap::activation
