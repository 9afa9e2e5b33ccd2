// ResNet-20 for CIFAR-10 from the data folder, quantised, and images for it. Tests that use it are skipped where the
// data is not there.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "nn/data/dataset.h"
#include "nn/execute/integer_executor.h"
#include "nn/onnx/import.h"
#include "nn/quantise/quantise.h"
#include "tests/support/paths.h"

namespace ap::plan::test {

struct Resnet20 {
  nn::QuantisedNetwork network;
  std::vector<std::int32_t> images;
  std::vector<int> labels;
};

/// Null, with the name of the missing file in `missing`, if there is no data. Loaded once.
inline const Resnet20* resnet20(std::string& missing) {
  static std::string absent;
  static const std::optional<Resnet20> loaded = []() -> std::optional<Resnet20> {
    const auto root = tests::shared_data();
    const auto model = root / "models/resnet20_cifar10.onnx", train = root / "cifar10/data_batch_1.bin.xz";
    const auto test = root / "cifar10/test_batch_reordered.bin.xz";
    for (const auto& file : {model, train, test}) {
      if (std::filesystem::exists(file)) continue;
      absent = file.string();
      return std::nullopt;
    }
    const auto normalization = nn::Normalization::parse("mean=.485,.456,.406 std=.229,.224,.225");
    const nn::Dataset calibration = nn::load_dataset("cifar10:" + train.string(), {0, 48});
    std::vector<nn::Tensor> images;
    for (std::size_t i = 0; i < calibration.size(); ++i)
      images.push_back(calibration.input(i, normalization));
    Resnet20 r;
    r.network = nn::quantise(nn::import_onnx(model.string()), images);
    const nn::Dataset data = nn::load_dataset("cifar10:" + test.string(), {0, 200});
    r.labels = data.labels;
    for (std::size_t i = 0; i < data.size(); ++i) {
      const auto image = nn::quantise_input(r.network, data.inputs(i, i + 1, normalization));
      r.images.insert(r.images.end(), image.begin(), image.end());
    }
    return r;
  }();
  missing = absent;
  return loaded ? &*loaded : nullptr;
}

}  // namespace ap::plan::test
