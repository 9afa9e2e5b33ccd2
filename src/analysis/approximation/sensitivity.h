// How the errors of each activation move the loss, to first order (OLA, arXiv 2310.10349):
//   dL = sum_i sum_u (dL/da_iu) e_iu,   Var dL = sum_i A_i E_i   with   A_i = sum_u E[(dL/da_iu)^2]
// for errors e_iu of the elements u of activation i's result that are independent, of mean zero and variance E_i. L is the
// cross entropy of the scores and the label.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/approximation/clear_network.h"

namespace ap::approximation {

/// A_i of every activation, in the order of nodes: one backward pass an image. Without labels the network's own best class
/// takes their place. @throws Error(input) without images or with fewer than two classes.
std::vector<double> sensitivities(const ClearNetwork& network, std::span<const float> images,
                                  std::span<const int> labels);

/// The same measured: mean over the images of (L(with errors) - L)^2, divided by the variance of normal errors of that
/// deviation at activation number `i` alone.
double measured_sensitivity(const ClearNetwork& network, std::span<const float> images,
                            std::span<const int> labels, std::size_t i, double deviation, std::uint64_t seed);

/// Cross entropy, -log of the label's softmax, of one image's scores.
double cross_entropy(std::span<const float> scores, int label);

}  // namespace ap::approximation
