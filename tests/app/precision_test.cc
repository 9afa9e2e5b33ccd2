#include "app/precision.h"

#include <gtest/gtest.h>

#include "nn/quantise/quantise.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

nn::QuantisedNetwork quantised(int activation_bits) {
  const nn::Graph graph = nn::import_onnx_bytes(small_onnx(), "small");
  const nn::Dataset data = small_images(16);
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < data.size(); ++i) images.push_back(data.input(i, nn::Normalization{}));
  nn::QuantiseOptions options;
  options.activation_bits = activation_bits;
  return nn::quantise(graph, images, options);
}

TEST(SimulatedAgreement, IsCompleteWhereNothingIsDroppedLocally) {
  EXPECT_EQ(simulated_agreement(quantised(3), small_images(64), nn::Normalization{}, 31, 2, 1), 1.0);
}

TEST(SimulatedAgreement, FallsWithFewerBitsAndRepeatsWithItsSeed) {
  const nn::Dataset images = small_images(300, 5);
  const nn::QuantisedNetwork coarse = quantised(2), fine = quantised(8);
  const double low = simulated_agreement(coarse, images, nn::Normalization{}, 0, 4, 1);
  const double high = simulated_agreement(fine, images, nn::Normalization{}, 0, 4, 1);
  EXPECT_LT(low, high);
  EXPECT_LT(low, 0.99);
  EXPECT_GT(high, 0.99);
  EXPECT_EQ(low, simulated_agreement(coarse, images, nn::Normalization{}, 0, 4, 1));
}

TEST(ChoosePrecision, TakesWhatIsAskedForOrTheFewestBitsThatHold) {
  const nn::Graph graph = nn::import_onnx_bytes(small_onnx(), "small");
  const nn::Dataset data = small_images(32);
  EXPECT_EQ(choose_precision(graph, data, nn::Normalization{}, 0, 5).activation_bits, 5);
  // Exact truncation never changes a label, so the fewest bits do.
  const Precision exact = choose_precision(graph, data, nn::Normalization{}, 31, 0);
  EXPECT_EQ(exact.activation_bits, kMinActivationBits);
  EXPECT_EQ(exact.agreement, 1.0);
}

}  // namespace
}  // namespace ap::app
