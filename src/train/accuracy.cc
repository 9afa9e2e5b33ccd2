// The accuracy of a network, in float and as integers (train/fine_tune.h).
#include "nn/data/accuracy.h"

#include <numeric>

#include "base/parallel.h"
#include "nn/execute/float_executor.h"
#include "nn/execute/preprocess.h"
#include "train/fine_tune.h"

namespace ap::train {

double float_accuracy(const nn::Graph& graph, const Samples& samples) {
  // Some images at a time: all inputs in floats would take four times the memory of the pixels.
  constexpr std::size_t kChunk = 1000;
  const auto classes = static_cast<std::size_t>(graph.output_shape().size());
  const auto size = static_cast<std::size_t>(samples.shape().size());
  std::vector<int> predicted;
  for (std::size_t begin = 0; begin < samples.size(); begin += kChunk) {
    std::vector<std::uint32_t> positions(std::min(kChunk, samples.size() - begin));
    std::iota(positions.begin(), positions.end(), static_cast<std::uint32_t>(begin));
    std::vector<float> images(positions.size() * size);
    assemble(samples, positions, {}, 0, images);
    const std::vector<float> logits = nn::logits(graph, images);
    const std::vector<int> some = nn::predictions(std::span<const float>(logits), classes);
    predicted.insert(predicted.end(), some.begin(), some.end());
  }
  return nn::top1(predicted, samples.labels());
}

IntegerAccuracy integer_accuracy(const nn::QuantisedNetwork& network, const Samples& samples,
                                 const Errors& errors, std::span<const std::uint64_t> seeds) {
  if (samples.size() == 0) fail_input("there are no images to measure accuracy with");
  const nn::IntegerExecutor executor(network);
  const std::size_t runs = errors ? seeds.size() : 0;
  std::vector<std::vector<std::uint8_t>> right(samples.size(), std::vector<std::uint8_t>(runs + 1));
  parallel_for(samples.size(), [&](std::size_t i) {
    const auto input = nn::preprocess(network, *samples.data, samples.which[i], samples.normalization);
    const auto is_right = [&](const nn::IntegerHooks& hooks) {
      const std::vector<std::int32_t> logits = executor.logits(input, hooks);
      return static_cast<std::uint8_t>(nn::argmax(std::span<const std::int32_t>(logits)) == samples.label(i));
    };
    right[i][runs] = is_right({});
    for (std::size_t k = 0; k < runs; ++k) right[i][k] = is_right(errors(seeds[k], samples.which[i]));
  });
  IntegerAccuracy out;
  out.images = samples.size();
  const auto total = static_cast<double>(samples.size());
  const auto share = [&](std::size_t k) {
    double sum = 0;
    for (const auto& r : right) sum += r[k];
    return sum / total;
  };
  out.clear = share(runs);
  for (std::size_t k = 0; k < runs; ++k) out.by_seed.push_back(share(k));
  out.mean = runs == 0
                 ? out.clear
                 : std::accumulate(out.by_seed.begin(), out.by_seed.end(), 0.0) / static_cast<double>(runs);
  out.interval = noise::clopper_pearson(out.mean * total, total, 0.95);
  return out;
}

}  // namespace ap::train
