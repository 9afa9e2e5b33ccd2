// Small networks and data sets for the tests of this module.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "nn/quantise/quantise.h"
#include "tests/support/paths.h"
#include "train/fine_tune.h"

namespace ap::train {

inline std::filesystem::path data_folder() { return tests::shared_data(); }

inline std::vector<float> random_floats(std::size_t count, std::uint32_t seed, float size = 1) {
  std::mt19937 random(seed);
  std::vector<float> out(count);
  for (float& v : out) v = size * (static_cast<float>(random() >> 8) / 8388608.0F - 1);
  return out;
}

/// conv - clip - conv - clip - fully connected on 2x6x6 images in three classes.
inline nn::Graph small_graph(float high = std::numeric_limits<float>::infinity()) {
  nn::Graph g;
  g.name = "small";
  const nn::Window three{3, 3, 1, 1, {1, 1, 1, 1}}, two{2, 2, 2, 2, {}};
  g.nodes.push_back({"image", nn::InputOp{}, {}, {2, 6, 6}});
  g.nodes.push_back({"conv1",
                     nn::ConvOp{three, 1, random_floats(4 * 18, 1, 0.4F), random_floats(4, 2, 0.1F)},
                     {0},
                     {4, 6, 6}});
  g.nodes.push_back({"relu1", nn::ClipOp{0, high}, {1}, {4, 6, 6}});
  g.nodes.push_back({"conv2",
                     nn::ConvOp{two, 2, random_floats(4 * 8, 3, 0.5F), random_floats(4, 4, 0.1F)},
                     {2},
                     {4, 3, 3}});
  g.nodes.push_back({"relu2", nn::ClipOp{0, high}, {3}, {4, 3, 3}});
  g.nodes.push_back({"fc",
                     nn::FullyConnectedOp{random_floats(3 * 36, 5, 0.3F), random_floats(3, 6, 0.1F)},
                     {4},
                     {3, 1, 1}});
  nn::validate(g);
  return g;
}

/// Images of three classes: noise with one bright third of the rows.
inline nn::Dataset striped_images(std::size_t count, std::uint32_t seed) {
  nn::Dataset d;
  d.source = "stripes";
  d.shape = {2, 6, 6};
  std::mt19937 random(seed);
  for (std::size_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % 3);
    d.labels.push_back(label);
    for (int c = 0; c < 2; ++c) {
      for (int y = 0; y < 6; ++y) {
        for (int x = 0; x < 6; ++x) {
          d.bytes.push_back(static_cast<std::uint8_t>(random() % 160 + (y / 2 == label ? 90 : 0)));
        }
      }
    }
  }
  return d;
}

inline nn::Normalization normalization() { return nn::Normalization::parse("scale=255 mean=0.4 std=0.25"); }

inline Samples stripes(std::size_t count = 120, std::uint32_t seed = 1) {
  return all_of(striped_images(count, seed), normalization());
}

inline std::vector<float> inputs(const Samples& samples, std::size_t count) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i) {
    const nn::Tensor t = image(samples, i);
    out.insert(out.end(), t.data.begin(), t.data.end());
  }
  return out;
}

inline nn::QuantisedNetwork quantised(const nn::Graph& graph, const Samples& samples, int bits = 8) {
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < std::min<std::size_t>(24, samples.size()); ++i)
    images.push_back(image(samples, i));
  return nn::quantise(graph, images, {.weight_bits = bits, .activation_bits = bits, .equalise = false});
}

template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

}  // namespace ap::train
