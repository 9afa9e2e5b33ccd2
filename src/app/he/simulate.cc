#include "app/he/simulate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <random>

#include "base/error.h"
#include "he_only/run/clear.h"
#include "nn/data/accuracy.h"

namespace ap::app::he {
ClearRun run_clear(const he_only::Package& package, const nn::Dataset& images, const ProgressSink& progress) {
  if (!package.secret)
    fail_input("a simulation needs the server's package (server.apm); this is the client's");
  const he_only::Package::Private& secret = *package.secret;
  const auto normalization = nn::Normalization::parse(package.shared.normalization);
  const he_only::ClearNetwork clear(*secret.structure);
  const he_only::View& input = package.shared.ends.input_view;
  // Slots beyond 1 meet polynomials outside their intervals, and beyond 8 the modulus at the bottom.
  constexpr double kMost = 1.0001, kMostOfSquares = 8;
  ClearRun run;
  Progress bar("clear", images.size(), progress);
  for (std::size_t i = 0; i < images.size(); ++i) {
    nn::Tensor image = images.input(i, normalization);
    for (float& x : image.data) {
      const double slot = std::clamp((double{x} - input.shift) / input.factor, -1.0, 1.0);
      x = static_cast<float>(slot * input.factor + input.shift);
    }
    const auto values = clear.run(image.data, secret.choices.polynomials);
    bool over = false;
    for (std::size_t s = 1; s < values.size(); ++s) {
      const he_only::View& view = secret.program.steps[s].view;
      bool series = secret.program.steps[s].bootstrapped;
      if (s + 1 < values.size() && secret.choices.polynomials[s + 1]) {
        series = series || !std::holds_alternative<he_only::Quadratic>(*secret.choices.polynomials[s + 1]);
      }
      for (const double v : values[s])
        over = over || std::abs((v - view.shift) / view.factor) > (series ? kMost : kMostOfSquares);
    }
    run.overflows += over ? 1 : 0;
    run.scores.push_back(values.back());
    run.labels.push_back(nn::argmax(std::span<const double>(values.back())));
    bar.advance(1);
  }
  return run;
}

Simulation simulate(const he_only::Package& package, const nn::Dataset& images, int seeds,
                    std::uint64_t first_seed, const ProgressSink& progress) {
  const auto start = std::chrono::steady_clock::now();
  const ClearRun run = run_clear(package, images, progress);
  Simulation result;
  result.images = images.size();
  result.overflows = run.overflows;
  double top1 = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    std::mt19937_64 random(first_seed + static_cast<std::uint64_t>(seed));
    std::normal_distribution<double> noise(0, std::max(1e-12, package.shared.score_error));
    std::vector<int> labels;
    for (std::vector<double> scores : run.scores) {
      for (double& x : scores) x += noise(random);
      labels.push_back(nn::argmax(std::span<const double>(scores)));
    }
    result.agreement += nn::top1(labels, run.labels) / seeds;
    if (images.has_labels()) top1 += nn::top1(labels, images.labels) / seeds;
  }
  if (images.has_labels()) {
    result.top1 = top1;
    result.top1_clear = nn::top1(run.labels, images.labels);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace ap::app::he
