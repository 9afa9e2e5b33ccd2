#include "he_only/package/public_json.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "he/circuits/bootstrap_parameters.h"

namespace ap::he_only {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxContexts = 128, kMaxElements = 1 << 15, kMaxCiphertexts = 4096,
                      kMaxLabels = 1 << 16, kMaxText = 1024, kMaxNormalization = 1 << 16, kMaxFraming = 64,
                      kMaxSteps = 1 << 20;
constexpr int kMaxSide = 1 << 16, kMaxChannels = 1 << 26, kMinScaleBits = 16;

json layout_json(const Layout& l) {
  return {{"shape", {l.shape.c, l.shape.h, l.shape.w}},
          {"grid", {l.grid_h, l.grid_w}},
          {"gap", l.gap},
          {"period", l.period},
          {"ciphertexts", l.ciphertexts}};
}

Layout layout_from(const JsonReader& in, std::uint32_t n) {
  Layout l;
  const auto shape = in.at("shape"), grid = in.at("grid");
  shape.expect_size(3);
  grid.expect_size(2);
  l.shape = {shape.element(0).integer<int>(1, kMaxChannels), shape.element(1).integer<int>(1, kMaxSide),
             shape.element(2).integer<int>(1, kMaxSide)};
  l.grid_h = grid.element(0).integer<int>(1, kMaxSide);
  l.grid_w = grid.element(1).integer<int>(1, kMaxSide);
  l.gap = in.at("gap").integer<int>(1, kMaxSide);
  l.period = in.at("period").integer<std::size_t>(8, n / 2);
  l.ciphertexts = in.at("ciphertexts").integer<std::size_t>(1, kMaxCiphertexts);
  if (std::int64_t{l.gap} * l.shape.h > l.grid_h || std::int64_t{l.gap} * l.shape.w > l.grid_w ||
      !std::has_single_bit(l.period) || l.shape.size() > nn::kMaxTensorElements ||
      l.extent() > l.period * l.ciphertexts) {
    in.refuse("a layout that holds its tensor");
  }
  return l;
}

json view_json(const View& v) { return {{"factor", v.factor}, {"shift", v.shift}}; }
View view_from(const JsonReader& in) {
  constexpr double kMost = 1e12;
  const View view{in.at("factor").number(-kMost, kMost), in.at("shift").number(-kMost, kMost)};
  if (view.factor == 0) in.at("factor").refuse("a number other than 0");
  return view;
}

// Exponents of powers of two: what scales at both ends are.
int exponent(const ckks::Scale& scale) {
  const double bits = scale.log2();
  const int whole = static_cast<int>(std::lround(bits));
  if (!(scale == ckks::Scale::power_of_two(whole))) {
    fail_input(
        "the network ends with an activation, which leaves its scores at a scale that is no power of two: let it end with a "
        "linear layer");
  }
  return whole;
}

rlwe::Parameters parameters_from(const JsonReader& in) {
  constexpr std::uint64_t kMostPrime = std::uint64_t{1} << rlwe::kMaxPrimeBits;
  rlwe::Parameters p;
  p.n = in.at("n").integer<std::uint32_t>(rlwe::kMinDegree, rlwe::kMaxDegree);
  p.data_primes = in.at("data_primes").integers<std::uint64_t>(rlwe::kMaxPrimes, 2, kMostPrime);
  p.special_primes = in.at("special_primes").integers<std::uint64_t>(rlwe::kMaxPrimes, 2, kMostPrime);
  p.digits = in.at("digits").integer<std::uint32_t>(1, rlwe::kMaxPrimes);
  std::set<std::uint64_t> taken;
  if (!std::has_single_bit(p.n) || p.data_primes.empty() || p.special_primes.empty())
    in.refuse("a ring with both kinds of primes");
  rlwe::check_primes(p.data_primes, p.n, rlwe::kMinPrimeBits, rlwe::kMaxPrimeBits, "data prime", taken);
  rlwe::check_primes(p.special_primes, p.n, rlwe::kMinPrimeBits, rlwe::kMaxPrimeBits, "special prime", taken);
  return p;
}

// All keys are of one secret: primes of every context are among those of the first, and its data primes begin the same chain.
void check_chain(const JsonReader& in, const std::vector<rlwe::Parameters>& contexts) {
  const rlwe::Parameters& chain = contexts.front();
  const auto begins = [](const std::vector<std::uint64_t>& all, const std::vector<std::uint64_t>& part) {
    return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
  };
  for (const rlwe::Parameters& p : contexts) {
    if (p.n != chain.n || !begins(chain.data_primes, p.data_primes) ||
        !begins(chain.special_primes, p.special_primes)) {
      in.refuse("contexts of one chain of primes");
    }
  }
}

}  // namespace

json to_json(const Public& p) {
  json contexts = json::array();
  for (std::size_t c = 0; c < p.program.contexts.size(); ++c) {
    const rlwe::Parameters& one = p.program.contexts[c];
    const ContextKeys& keys = p.program.keys[c];
    contexts.push_back({{"n", one.n},
                        {"data_primes", one.data_primes},
                        {"special_primes", one.special_primes},
                        {"digits", one.digits},
                        {"relinearisation", keys.relinearisation},
                        {"elements", keys.elements}});
  }
  json result = {{"protocol", "he"},
                 {"network", p.network},
                 {"contexts", contexts},
                 {"input_context", p.program.input_context},
                 {"bootstraps", p.program.bootstraps},
                 {"input", layout_json(p.ends.input)},
                 {"input_view", view_json(p.ends.input_view)},
                 {"input_scale", exponent(p.ends.input_scale)},
                 {"output", layout_json(p.ends.output)},
                 {"output_view", view_json(p.ends.output_view)},
                 {"output_scale", exponent(p.ends.output_scale)},
                 {"steps", p.steps},
                 {"inferences", p.inferences},
                 {"bits_per_weight", p.bits_per_weight},
                 {"score_error", p.score_error},
                 {"predicted_s", p.predicted_s},
                 {"normalization", p.normalization},
                 {"labels", p.labels}};
  if (!p.ring.bootstrap.empty())
    result["bootstrap"] = {{"set", p.ring.bootstrap}, {"slots", p.ring.bootstrap_slots}};
  if (!p.framing.empty()) result["framing"] = p.framing;
  if (!p.form.dims.empty())
    result["input_form"] = {{"dims", p.form.dims}, {"channels_last", p.form.channels_last}};
  return result;
}

Public public_from(const JsonReader& in) {
  constexpr double kMost = 1e12;
  if (in.at("protocol").text(kMaxText) != "he") in.at("protocol").refuse("\"he\"");
  Public p;
  p.network = in.at("network").text(kMaxText);
  const JsonReader contexts = in.at("contexts");
  const std::size_t count = contexts.size(kMaxContexts);
  if (count == 0) contexts.refuse("a context at least");
  for (std::size_t c = 0; c < count; ++c) {
    const JsonReader one = contexts.element(c);
    p.program.contexts.push_back(parameters_from(one));
    ContextKeys keys;
    keys.relinearisation = one.at("relinearisation").boolean();
    keys.elements =
        one.at("elements").integers<std::uint32_t>(kMaxElements, 1, 2 * p.program.contexts.back().n - 1);
    const auto even = [](std::uint32_t e) { return e % 2 == 0; };
    if (std::ranges::any_of(keys.elements, even) ||
        std::ranges::adjacent_find(keys.elements, std::greater_equal<>()) != keys.elements.end()) {
      one.at("elements").refuse("odd numbers in ascending order");
    }
    p.program.keys.push_back(std::move(keys));
  }
  check_chain(contexts, p.program.contexts);
  const std::uint32_t n = p.program.contexts.front().n;
  p.program.input_context = in.at("input_context").integer<std::size_t>(0, count - 1);
  p.program.bootstraps = in.at("bootstraps").integer<std::size_t>(0, kMaxSteps);
  if (in.has("bootstrap")) {
    const JsonReader set = in.at("bootstrap");
    p.ring.bootstrap = set.at("set").text(kMaxText);
    p.ring.bootstrap_slots = set.at("slots").integer<std::size_t>(8, n / 2);
    const circuits::BootstrapParameters known(p.ring.bootstrap, p.ring.bootstrap_slots);
    if (!(known.chain() == p.program.contexts.front()))
      set.refuse("the set whose chain the first context is");
  }
  p.ends.input = layout_from(in.at("input"), n);
  p.ends.output = layout_from(in.at("output"), n);
  p.ends.input_view = view_from(in.at("input_view"));
  p.ends.output_view = view_from(in.at("output_view"));
  const rlwe::Parameters& upload = p.program.contexts[p.program.input_context];
  const auto room = [](double bits) { return static_cast<int>(bits) - 2; };
  p.ends.input_scale = ckks::Scale::power_of_two(
      in.at("input_scale").integer<int>(kMinScaleBits, std::min(60, room(upload.log2_q()))));
  const double lowest = std::log2(static_cast<double>(upload.data_primes[0]));
  p.ends.output_scale =
      ckks::Scale::power_of_two(in.at("output_scale").integer<int>(kMinScaleBits, room(lowest)));
  p.steps = in.at("steps").integer<std::size_t>(1, kMaxSteps);
  p.inferences = in.at("inferences").integer<std::uint64_t>(0, std::uint64_t{1} << 40);
  p.bits_per_weight = in.at("bits_per_weight").number(0, kMost);
  p.score_error = in.at("score_error").number(0, kMost);
  p.predicted_s = in.at("predicted_s").number(0, kMost);
  p.normalization = in.at("normalization").text(kMaxNormalization);
  if (in.has("framing")) p.framing = in.at("framing").text(kMaxFraming);
  if (in.has("input_form")) {
    p.form.dims = in.at("input_form").at("dims").integers<int>(8, 1, kMaxChannels);
    p.form.channels_last = in.at("input_form").at("channels_last").boolean();
  }
  nn::validate(p.form, p.ends.input.shape, p.network);
  const JsonReader labels = in.at("labels");
  for (std::size_t i = 0, size = labels.size(kMaxLabels); i < size; ++i)
    p.labels.push_back(labels.element(i).text(kMaxText));
  return p;
}

}  // namespace ap::he_only
