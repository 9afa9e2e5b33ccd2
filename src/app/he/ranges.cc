#include "app/he/ranges.h"

#include <algorithm>
#include <limits>

#include "nn/data/accuracy.h"

namespace ap::app::he {

Ranges observe(const he_only::Structure& structure, const he_only::ClearNetwork& clear,
               const nn::Dataset& images, const nn::Normalization& normalization,
               const std::vector<std::optional<he_only::Polynomial>>& polynomials,
               const ProgressSink& progress, const char* title) {
  const std::size_t steps = structure.steps().size();
  constexpr double kNone = std::numeric_limits<double>::infinity();
  Ranges ranges{
      std::vector<double>(steps, kNone), std::vector<double>(steps, -kNone), std::vector<double>(steps), {}};
  Progress bar(title, images.size(), progress);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const auto values = clear.run(images.input(i, normalization).data, polynomials);
    for (std::size_t s = 0; s < steps; ++s) {
      const auto [low, high] = std::ranges::minmax(values[s]);
      ranges.low[s] = std::min(ranges.low[s], low);
      ranges.high[s] = std::max(ranges.high[s], high);
      double sum = 0;
      for (const double v : values[s]) sum += v * v;
      ranges.mean_square[s] +=
          sum / static_cast<double>(values[s].size()) / static_cast<double>(images.size());
    }
    std::vector<float> scores(values.back().begin(), values.back().end());
    ranges.labels.push_back(nn::argmax(std::span<const float>(scores)));
    bar.advance(1);
  }
  return ranges;
}

}  // namespace ap::app::he
