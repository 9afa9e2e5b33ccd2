// Packages of small networks for tests.
#pragma once

#include "he_only/package/package.h"
#include "tests/he_only/observed.h"

namespace ap::he_only::testing {

struct SmallPackage {
  package::Pair files;
  std::vector<std::vector<float>> images;
  std::vector<std::vector<double>> scores;  ///< of the polynomial network in the clear
  Public shared;
};

/// Of the builder's network, whose activations are quadratic, private for so many inferences.
inline SmallPackage small_package(Builder& builder, double inferences = 256) {
  SmallPackage result;
  const nn::Graph graph = builder.graph();
  const Structure structure(graph);
  const ClearNetwork clear(structure);
  for (int i = 0; i < 4; ++i) result.images.push_back(builder.image());
  const Observed seen = observe(structure, clear, result.images);
  Request request;
  request.inferences = inferences;
  const Chosen chosen = choose(structure, seen.choices, seen.mean_squares, request);
  Public& shared = result.shared;
  shared.network = graph.name;
  shared.program = chosen.program;
  shared.ends = ends_of(chosen.shaped, chosen.program);
  shared.steps = chosen.program.steps.size() - 1;
  shared.inferences = chosen.inferences;
  shared.bits_per_weight = chosen.bits_per_weight;
  shared.score_error = chosen.slot_error * std::abs(shared.ends.output_view.factor);
  shared.labels = {"no", "yes", "perhaps"};
  result.files = make_packages(shared, graph, chosen.choices);
  for (const auto& image : result.images)
    result.scores.push_back(clear.scores(image, chosen.choices.polynomials));
  return result;
}

/// One convolution, a square and three classes.
inline Builder tiny() {
  Builder b({1, 6, 6}, 11);
  b.connect(b.square(b.conv(0, 2, window(3, 2, 1))), 3);
  return b;
}

}  // namespace ap::he_only::testing
