#include "nn/execute/float_executor.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/execute/float_kernels.h"

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// Computes one node from the outputs of earlier ones.
class NodeRunner {
 public:
  NodeRunner(const Graph& graph, std::vector<Tensor>& values, Scratch& scratch, std::size_t node)
      : node_(graph.nodes[node]), values_(values), out_(values[node]), scratch_(scratch) {
    out_.shape = node_.shape;
    out_.data.resize(static_cast<std::size_t>(node_.shape.size()));
  }

  void operator()(const InputOp&) const {}
  void operator()(const ConvOp& op) const {
    convolve(op, in().shape, out_.shape, in().data.data(), out_.data.data(), scratch_);
  }
  void operator()(const FullyConnectedOp& op) const {
    fully_connect(op, in().shape, in().data.data(), out_.data.data());
  }
  void operator()(const ClipOp& op) const {
    map([&](float x) { return std::min(std::max(x, op.low), op.high); });
  }
  void operator()(const QuadraticOp& op) const {
    map([&](float x) { return op.c0 + x * (op.c1 + x * op.c2); });
  }
  void operator()(const AddOp&) const {
    const Tensor& second = values_[at(node_.inputs[1])];
    std::transform(in().data.begin(), in().data.end(), second.data.begin(), out_.data.begin(), std::plus<>());
  }
  void operator()(const AffineOp& op) const {
    const std::size_t plane = out_.data.size() / op.scale.size();
    for (std::size_t i = 0; i < out_.data.size(); ++i) {
      out_.data[i] = op.scale[i / plane] * in().data[i] + op.shift[i / plane];
    }
  }
  void operator()(const MaxPoolOp& op) const {
    max_pool(op.window, in().shape, out_.shape, in().data.data(), out_.data.data());
  }
  void operator()(const AveragePoolOp& op) const {
    average_pool(op, in().shape, out_.shape, in().data.data(), out_.data.data());
  }
  void operator()(const ConcatOp&) const {
    auto to = out_.data.begin();
    for (const int i : node_.inputs)
      to = std::copy(values_[at(i)].data.begin(), values_[at(i)].data.end(), to);
  }
  void operator()(const SmoothOp& op) const {
    map([&](float x) { return static_cast<float>(smooth(op, x)); });
  }
  void operator()(const ProductOp&) const {
    const std::vector<float>& gate = values_[at(node_.inputs[1])].data;
    const std::size_t plane = out_.data.size() / gate.size();
    for (std::size_t i = 0; i < out_.data.size(); ++i) out_.data[i] = in().data[i] * gate[i / plane];
  }
  void operator()(const GatherOp& op) const {
    const std::vector<float>& from = in().data;
    std::transform(op.index.begin(), op.index.end(), out_.data.begin(),
                   [&](std::int32_t i) { return i < 0 ? 0.0F : from[at(i)]; });
  }

 private:
  const Tensor& in() const { return values_[at(node_.inputs[0])]; }
  template <typename F>
  void map(F f) const {
    std::transform(in().data.begin(), in().data.end(), out_.data.begin(), f);
  }
  const Node& node_;
  const std::vector<Tensor>& values_;
  Tensor& out_;
  Scratch& scratch_;
};

/// The last node that reads each node; a node's memory is free after that.
std::vector<std::size_t> last_readers(const Graph& graph) {
  std::vector<std::size_t> last(graph.nodes.size(), graph.nodes.size());
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (const int input : graph.nodes[i].inputs) last[at(input)] = i;
  }
  return last;
}

}  // namespace

std::vector<Tensor> run(const Graph& graph, const Tensor& input) {
  if (!(input.shape == graph.input_shape()) ||
      static_cast<std::int64_t>(input.data.size()) != input.shape.size()) {
    fail_input("network {} takes images of shape {}, not {} ({} values)", graph.name,
               to_string(graph.input_shape()), to_string(input.shape), input.data.size());
  }
  std::vector<Tensor> values(graph.nodes.size());
  Scratch scratch;
  values[0] = input;
  for (std::size_t i = 1; i < values.size(); ++i) {
    std::visit(NodeRunner(graph, values, scratch, i), graph.nodes[i].op);
  }
  return values;
}

std::vector<float> logits(const Graph& graph, std::span<const float> images) {
  const auto in_size = static_cast<std::size_t>(graph.input_shape().size());
  const auto out_size = static_cast<std::size_t>(graph.output_shape().size());
  if (images.size() % in_size != 0) {
    fail_input("network {} takes images of {} values ({}); {} values are not whole images", graph.name,
               in_size, to_string(graph.input_shape()), images.size());
  }
  const std::size_t count = images.size() / in_size;
  const std::vector<std::size_t> last = last_readers(graph);
  std::vector<float> out(count * out_size);
  // A few runs of images per thread, each with its own buffers that it uses again and again.
  const std::size_t runs = std::min(count, 4 * thread_count());
  parallel_for(runs, [&](std::size_t r) {
    std::vector<Tensor> values(graph.nodes.size());
    std::vector<std::vector<float>> spare;
    Scratch scratch;
    for (std::size_t n = count * r / runs; n < count * (r + 1) / runs; ++n) {
      const auto image = images.subspan(n * in_size, in_size);
      values[0] = {graph.input_shape(), std::vector<float>(image.begin(), image.end())};
      for (std::size_t i = 1; i < values.size(); ++i) {
        if (values[i].data.empty() && !spare.empty()) {
          values[i].data = std::move(spare.back());
          spare.pop_back();
        }
        std::visit(NodeRunner(graph, values, scratch, i), graph.nodes[i].op);
        for (const int input : graph.nodes[i].inputs) {
          std::vector<float>& done = values[at(input)].data;
          if (last[at(input)] == i && !done.empty()) spare.push_back(std::exchange(done, {}));
        }
      }
      std::copy_n(values.back().data.begin(), out_size,
                  out.begin() + static_cast<std::ptrdiff_t>(n * out_size));
    }
  });
  return out;
}

}  // namespace ap::nn
