#include "app/memory.h"

#include <gtest/gtest.h>

#include "layers/linear/plaintext/clear_conv.h"
#include "protocol/hybrid/server.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

TEST(Memory, OfWeightsIsWhatPreparingThemTakes) {
  for (const char* policy : {"exact", "delphi"}) {
    CompileOptions options;
    options.policy = policy;
    const Compiled compiled = compile(nn::import_onnx_bytes(small_onnx(8), "small"), small_images(16),
                                      nn::Normalization{}, options);
    const protocol::MemoryNeeds needs = memory_of(compiled.package).needs;
    const protocol::ServerModel model(compiled.package);
    std::uint64_t integers = 0;
    for (const protocol::LinearLayer& layer : model.model().linears()) {
      integers += linear::ClearConv::memory_bytes(layer.he->packed().geometry());
      // The package and the model have weights and biases too.
      const auto& op = std::get<nn::QLinear>(model.model().node(layer.node).op);
      integers += 2 * sizeof(std::int16_t) * op.weights.size() + 3 * sizeof(std::int64_t) * op.bias.size();
    }
    EXPECT_EQ(needs.weights - integers, model.prepared_bytes()) << policy;
    EXPECT_EQ(needs.keys, model.key_bytes()) << policy;
    EXPECT_EQ(needs.server_inference, model.preprocessing_bytes()) << policy;
    EXPECT_EQ(needs.session(4) - needs.session(1), 3 * model.preprocessing_bytes()) << policy;
  }
}

}  // namespace
}  // namespace ap::app
