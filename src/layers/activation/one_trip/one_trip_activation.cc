#include "layers/activation/one_trip/one_trip_activation.h"

#include "base/error.h"
#include "layers/activation/one_trip/one_trip_messages.h"
#include "layers/activation/ot/ot_products.h"

namespace ap::activation {
namespace {

using Words = SecretVector<std::uint64_t>;

template <typename Material>
Material take(Material&& material) {
  if (material.empty()) {
    fail_security("the preprocessing of an activation layer serves once; prepare the layer again");
  }
  return std::move(material);
}

/// Calls body(output, number of its value, whether an earlier output has it).
template <typename Body>
void for_results(const OneTripPlan& plan, const Body& body) {
  std::vector<bool> seen(plan.results.empty() ? 0 : plan.inputs);
  for (std::size_t o = 0; o < plan.results.size(); ++o) {
    const std::size_t value = plan.results[o];
    if (value >= seen.size()) seen.resize(value + 1);
    body(o, value, seen[value]);
    seen[value] = true;
  }
}

/// The masks of all values: random, but those of results.
Words value_masks(const OneTripPlan& plan, std::span<const std::uint64_t> masks, Prng& prng) {
  Words all(masks.begin(), masks.end());
  if (plan.results.empty()) return all;
  std::size_t count = plan.inputs;
  for (const OneTripLevel& level : plan.levels) count += level.pairs.size();
  all.resize(count);
  for (std::uint64_t& mask : all) mask = prng.next64() & low_mask(plan.clamp.ring);
  for_results(plan, [&](std::size_t o, std::size_t value, bool repeated) {
    if (repeated) return;
    // What is revealed of an argmax is minus its number.
    const std::uint64_t mask = plan.index_bits > 0 ? 0 - masks[o] : masks[o];
    all[value] ^= (all[value] ^ mask) & low_mask(plan.out_bits);
  });
  return all;
}

void send_repeated(net::Channel& channel, const OneTripPlan& plan, const Words& all,
                   std::span<const std::uint64_t> masks) {
  Words lacking;
  for_results(plan, [&](std::size_t o, std::size_t value, bool repeated) {
    if (repeated) lacking.push_back((all[value] - masks[o]) & low_mask(plan.out_bits));
  });
  Bytes message;
  append_packed(message, lacking, plan.out_bits);
  channel.send(kOneTripRepeated, message);
}

}  // namespace

OneTripClientPreprocessing OneTripClient::begin(OtActivationClient& session,
                                                std::shared_ptr<const OneTripPlan> plan) {
  OneTripClientPreprocessing material;
  material.plan_ = std::move(plan);
  material.plan_->for_steps([&](const OneTripStep& step) {
    material.steps_.push_back(begin_one_trip_client(step, session.received()));
  });
  return material;
}

void OneTripClient::complete(OtActivationClient& session, OneTripClientPreprocessing& material,
                             std::span<const std::uint64_t> b, std::span<const std::uint64_t> masks) {
  const OneTripPlan& plan = *material.plan_;
  check_words("b", b, plan.inputs, plan.share_bits);
  check_words("r", masks, plan.outputs(), plan.out_bits);
  const std::uint64_t ring = low_mask(plan.clamp.ring);
  const Words all = value_masks(plan, masks, session.prng());
  Words addends(plan.inputs);
  for (std::size_t i = 0; i < plan.inputs; ++i) {
    const std::uint64_t known = plan.index_bits > 0 ? b[i] << plan.index_bits : 0;
    addends[i] = (known - all[i]) & ring;
  }
  complete_one_trip_client(session.channel(), plan.clamp, b, addends, session.sent(), session.prng(),
                           material.steps_[0]);
  std::size_t next = plan.inputs;
  for (std::size_t l = 0; l < plan.levels.size(); ++l) {
    const OneTripLevel& level = plan.levels[l];
    Words words(level.pairs.size());
    addends.resize(level.pairs.size());
    for (std::size_t i = 0; i < level.pairs.size(); ++i) {
      const auto [left, right] = level.pairs[i];
      words[i] = (all[left] - all[right]) & low_mask(level.step.word_bits());
      addends[i] = (all[right] - all[next++]) & ring;
    }
    complete_one_trip_client(session.channel(), level.step, words, addends, session.sent(), session.prng(),
                             material.steps_[l + 1]);
  }
  if (plan.repeated > 0) send_repeated(session.channel(), plan, all, masks);
}

void OneTripClient::run(net::Channel& channel, OneTripClientPreprocessing&& material) {
  const OneTripClientPreprocessing used = take(std::move(material));
  std::size_t at = 0;
  used.plan_->for_steps(
      [&](const OneTripStep& step) { run_one_trip_client(channel, step, used.steps_[at++]); });
}

OneTripServerPreprocessing OneTripServer::begin(OtActivationServer& session,
                                                std::shared_ptr<const OneTripPlan> plan) {
  OneTripServerPreprocessing material;
  material.plan_ = std::move(plan);
  material.plan_->for_steps([&](const OneTripStep& step) {
    material.steps_.push_back(begin_one_trip_server(step, session.sent()));
  });
  return material;
}

void OneTripServer::complete(OtActivationServer& session, OneTripServerPreprocessing& material) {
  const OneTripPlan& plan = *material.plan_;
  std::size_t at = 0;
  plan.for_steps([&](const OneTripStep& step) {
    complete_one_trip_server(session.channel(), step, session.received(), material.steps_[at++]);
  });
  if (plan.repeated == 0) return;
  material.repeated_.resize(plan.repeated);
  unpack_bits(session.channel().receive_exactly(kOneTripRepeated, packed_bytes(plan.repeated, plan.out_bits)),
              plan.out_bits, material.repeated_);
}

std::vector<std::uint64_t> OneTripServer::run(net::Channel& channel, OneTripServerPreprocessing&& material,
                                              std::span<const std::uint64_t> a) {
  const OneTripServerPreprocessing used = take(std::move(material));
  const OneTripPlan& plan = *used.plan_;
  check_words("a", a, plan.inputs, plan.share_bits);
  const std::uint64_t ring = low_mask(plan.clamp.ring);
  Words words(a.begin(), a.end()), values(plan.inputs);
  if (plan.index_bits > 0) {
    const std::uint64_t half = std::uint64_t{1} << (plan.share_bits - 1);
    for (std::uint64_t& word : words) word = (word + half) & low_mask(plan.share_bits);
  }
  run_one_trip_server(channel, plan.clamp, used.steps_[0], words, values);
  for (std::size_t i = 0; plan.index_bits > 0 && i < values.size(); ++i)
    values[i] = (values[i] + (words[i] << plan.index_bits) - i) & ring;
  for (std::size_t l = 0; l < plan.levels.size(); ++l) {
    const OneTripLevel& level = plan.levels[l];
    words.resize(level.pairs.size());
    Words gains(level.pairs.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto [left, right] = level.pairs[i];
      words[i] = (values[left] - values[right]) & low_mask(level.step.word_bits());
    }
    run_one_trip_server(channel, level.step, used.steps_[l + 1], words, gains);
    for (std::size_t i = 0; i < words.size(); ++i)
      values.push_back((values[level.pairs[i].second] + gains[i]) & ring);
  }
  if (plan.results.empty()) return {values.begin(), values.end()};
  std::vector<std::uint64_t> results(plan.outputs());
  std::size_t lacking = 0;
  for_results(plan, [&](std::size_t o, std::size_t value, bool repeated) {
    std::uint64_t result = values[value];
    if (repeated) result += used.repeated_[lacking++];
    results[o] = (plan.index_bits > 0 ? 0 - result : result) & low_mask(plan.out_bits);
  });
  return results;
}

}  // namespace ap::activation
