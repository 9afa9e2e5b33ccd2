// How errors of the layers move the margin between the best two classes, to first order, and so how many
// classes change: the sensitivities that the knapsack weighs error budgets with (A_i of OLA, arXiv
// 2310.10349, with the margin instead of the loss).
#pragma once

#include <span>
#include <vector>

#include "nn/ir/quantised_network.h"

namespace ap::search {

class MarginModel {
 public:
  /// One backward pass for each of the first `count` images (quantised, one after another).
  /// @throws Error(input) without images or with fewer than two classes.
  MarginModel(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images, std::size_t count);

  std::size_t images() const { return margins_.size(); }
  std::size_t layers() const { return layers_; }
  /// Distance of the best two logits of an image without errors, in logit LSBs.
  double margin(std::size_t image) const { return margins_[image]; }
  /// sum over the accumulators u of a layer of (d margin / d u)^2: variance of the margin for errors of
  /// variance 1.
  double power(std::size_t image, std::size_t layer) const { return powers_[image * layers_ + layer]; }

  /// Expected fraction of images whose class changes if layer i has errors of variance variances[i].
  double expected_changes(std::span<const double> variances) const;
  /// A_i = d expected_changes / d variances[i] there: what one unit of variance costs.
  std::vector<double> sensitivities(std::span<const double> variances) const;

 private:
  std::size_t layers_ = 0;
  std::vector<double> margins_, powers_;
};

}  // namespace ap::search
