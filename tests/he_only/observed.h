// Ranges of small networks for tests, and packages of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "he_only/plan/choose.h"
#include "he_only/run/clear.h"
#include "tests/he_only/networks.h"

namespace ap::he_only::testing {

// Ranges and mean squares of slots as these images have them, for quadratic activations as they stand.
struct Observed {
  Choices choices;
  std::vector<double> mean_squares;
};
inline Observed observe(const Structure& structure, const ClearNetwork& clear,
                        const std::vector<std::vector<float>>& images) {
  Observed seen;
  const std::size_t steps = structure.steps().size();
  seen.choices.polynomials.resize(steps);
  seen.choices.largest.assign(steps, 1e-9);
  seen.mean_squares.assign(steps, 0);
  std::vector<double> shift(steps);
  for (std::size_t s = 0; s < steps; ++s) {
    if (structure.steps()[s].kind != Step::Kind::activation) continue;
    const auto& op = std::get<nn::QuadraticOp>(structure.node(s).op);
    seen.choices.polynomials[s] = Quadratic{op.c0, op.c1, op.c2};
    shift[static_cast<std::size_t>(structure.steps()[s].argument)] = -double{op.c1} / (2 * double{op.c2});
  }
  for (int pass = 0; pass < 2; ++pass) {
    for (const auto& image : images) {
      const auto values = clear.run(image, seen.choices.polynomials);
      for (std::size_t s = 0; s < steps; ++s) {
        double sum = 0;
        for (const double v : values[s]) {
          if (pass == 0)
            seen.choices.largest[s] = std::max(seen.choices.largest[s], 1.1 * std::abs(v - shift[s]));
          sum += std::pow((v - shift[s]) / seen.choices.largest[s], 2);
        }
        if (pass == 1) {
          seen.mean_squares[s] +=
              sum / static_cast<double>(values[s].size()) / static_cast<double>(images.size());
        }
      }
    }
  }
  return seen;
}

}  // namespace ap::he_only::testing
