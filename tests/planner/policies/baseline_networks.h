// Networks of the published baselines from the data folder, quantised on a few random images: shapes are
// those of the papers, ranges plausible. Tests that use them are skipped where the data is not there.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nn/onnx/import.h"
#include "nn/quantise/quantise.h"
#include "random/prng.h"
#include "tests/support/paths.h"

namespace ap::plan::test {

/// Null, with the name of the missing file in `missing`, if there is no data. Loaded once.
inline const nn::QuantisedNetwork* baseline_network(const std::string& name, std::string& missing) {
  static std::map<std::string, std::unique_ptr<nn::QuantisedNetwork>> loaded;
  if (const auto found = loaded.find(name); found != loaded.end()) return found->second.get();
  const auto root = tests::shared_data();
  const auto model = root / "models" / (name + ".onnx");
  if (!std::filesystem::exists(model)) {
    missing = model.string();
    return nullptr;
  }
  const nn::Graph graph = nn::import_onnx(model.string());
  Prng prng(Seed{5});
  std::vector<nn::Tensor> images;
  for (int i = 0; i < 4; ++i) {
    nn::Tensor image{graph.input_shape(), {}};
    for (int k = 0; k < graph.input_shape().size(); ++k) {
      image.data.push_back(static_cast<float>(prng.next64() >> 40) * 0x1p-22F - 2);
    }
    images.push_back(std::move(image));
  }
  auto network = std::make_unique<nn::QuantisedNetwork>(nn::quantise(graph, images));
  return (loaded[name] = std::move(network)).get();
}

}  // namespace ap::plan::test
