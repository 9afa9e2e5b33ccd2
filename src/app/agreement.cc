// Private results beside those of the network in the clear: apart from the client, which has no weights to run that.
#include <algorithm>
#include <cstdlib>

#include "app/client.h"
#include "base/error.h"
#include "nn/data/accuracy.h"
#include "nn/execute/integer_executor.h"

namespace ap::app {

Agreement compare_with_clear(const nn::QuantisedNetwork& network, std::span<const Image> images,
                             std::span<const Logits> logits) {
  AP_ASSERT(images.size() == logits.size());
  const nn::IntegerExecutor clear(network);
  Agreement agreement;
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::vector<std::int32_t> expected = clear.logits(images[i]);
    AP_ASSERT(expected.size() == logits[i].size());
    const auto best = static_cast<std::size_t>(nn::argmax(std::span<const std::int32_t>(expected)));
    if (best == best_class(logits[i])) ++agreement.same_class;
    for (std::size_t j = 0; j < expected.size(); ++j) {
      largest = std::max(largest, std::abs(logits[i][j] - expected[j]));
    }
  }
  agreement.max_logit_error = largest;
  return agreement;
}

Agreement compare_with_clear(const nn::QuantisedNetwork& network, std::span<const Image> images,
                             std::span<const int> labels) {
  AP_ASSERT(images.size() == labels.size());
  const nn::IntegerExecutor clear(network);
  Agreement agreement;
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::vector<std::int32_t> expected = clear.logits(images[i]);
    if (labels[i] == nn::argmax(std::span<const std::int32_t>(expected))) ++agreement.same_class;
  }
  return agreement;
}

}  // namespace ap::app
