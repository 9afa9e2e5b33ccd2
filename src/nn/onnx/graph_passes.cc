#include "nn/onnx/graph_passes.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

class Simplifier {
 public:
  Simplifier(Graph& graph, int output) : graph_(graph), nodes_(graph.nodes), output_(output) {
    alias_.resize(nodes_.size());
    std::iota(alias_.begin(), alias_.end(), 0);
  }

  void run() {
    drop_dead_nodes();
    for (int i = 0; i < count(); ++i) {
      redirect(i);
      merge_gather(i);
    }
    drop_dead_nodes();
    count_readers();
    for (int i = 0; i < count(); ++i) {
      redirect(i);
      fold_affine_backward(i);
    }
    drop_dead_nodes();
    for (int i = 0; i < count(); ++i) {
      redirect(i);
      absorb_affine_input(i);
      absorb_padding(i);
      absorb_gather(i);
    }
    drop_dead_nodes();
  }

 private:
  int count() const { return static_cast<int>(nodes_.size()); }
  Node& source(const Node& node) { return nodes_[at(node.inputs[0])]; }

  void redirect(int i) {
    for (int& input : nodes_[at(i)].inputs) input = alias_[at(input)];
  }
  void replace(int i, int by) { alias_[at(i)] = alias_[at(by)]; }

  void count_readers() {
    readers_.assign(nodes_.size(), 0);
    for (const Node& node : nodes_) {
      for (const int input : node.inputs) ++readers_[at(input)];
    }
    ++readers_[at(output_)];
  }

  /// A gather of a gather reads the first one's input; one that moves nothing vanishes.
  void merge_gather(int i) {
    Node& node = nodes_[at(i)];
    auto* gather = std::get_if<GatherOp>(&node.op);
    if (!gather) return;
    if (const auto* first = std::get_if<GatherOp>(&source(node).op)) {
      for (std::int32_t& index : gather->index) {
        if (index >= 0) index = first->index[at(index)];
      }
      node.inputs[0] = source(node).inputs[0];
    }
    if (source(node).shape == node.shape && moves_nothing(*gather, node.shape)) replace(i, node.inputs[0]);
  }

  static bool moves_nothing(const GatherOp& gather, const Shape& from) {
    if (static_cast<std::int64_t>(gather.index.size()) != from.size()) return false;
    for (std::size_t k = 0; k < gather.index.size(); ++k) {
      if (gather.index[k] != static_cast<std::int32_t>(k)) return false;
    }
    return true;
  }

  /// affine(W x + b) = (scale W) x + (scale b + shift).
  void fold_affine_backward(int i) {
    const auto* affine = std::get_if<AffineOp>(&nodes_[at(i)].op);
    if (!affine) return;
    const int target = nodes_[at(i)].inputs[0];
    Node& layer = nodes_[at(target)];
    const auto fold = [&](std::vector<float>& weights, std::vector<float>& bias) {
      const std::size_t per_output = weights.size() / bias.size();
      for (std::size_t o = 0; o < bias.size(); ++o) {
        const double scale = affine->scale[o], shift = affine->shift[o];
        for (std::size_t k = 0; k < per_output; ++k) {
          float& w = weights[o * per_output + k];
          w = static_cast<float>(scale * static_cast<double>(w));
        }
        bias[o] = static_cast<float>(scale * static_cast<double>(bias[o]) + shift);
      }
    };
    if (readers_[at(target)] != 1 || !(layer.shape == nodes_[at(i)].shape)) return;
    if (auto* conv = std::get_if<ConvOp>(&layer.op)) {
      fold(conv->weights, conv->bias);
    } else if (auto* fc = std::get_if<FullyConnectedOp>(&layer.op)) {
      fold(fc->weights, fc->bias);
    } else if (auto* before = std::get_if<AffineOp>(&layer.op)) {
      for (std::size_t c = 0; c < before->scale.size(); ++c) {
        const double scale = affine->scale[c];
        before->scale[c] = static_cast<float>(scale * static_cast<double>(before->scale[c]));
        before->shift[c] = static_cast<float>(scale * static_cast<double>(before->shift[c]) +
                                              static_cast<double>(affine->shift[c]));
      }
    } else {
      return;
    }
    readers_[at(target)] = readers_[at(i)];
    replace(i, target);
  }

  /// W (scale x + shift) + b = (W scale) x + (W shift + b). Zero padding stands for x = 0, not for the shift,
  /// so a padded convolution allows it only without a shift.
  void absorb_affine_input(int i) {
    Node& node = nodes_[at(i)];
    if (node.inputs.empty()) return;
    const auto* affine = std::get_if<AffineOp>(&source(node).op);
    if (!affine) return;
    const Shape& in = source(node).shape;
    if (auto* conv = std::get_if<ConvOp>(&node.op)) {
      const bool shifts =
          std::any_of(affine->shift.begin(), affine->shift.end(), [](float s) { return s != 0; });
      if (shifts && !(conv->window.pad == Padding{})) return;
      const std::size_t taps = at(conv->window.kernel_h) * at(conv->window.kernel_w);
      const std::size_t c_in = at(in.c / conv->groups), c_out = at(node.shape.c / conv->groups);
      scale_inputs(
          conv->weights, conv->bias, c_in * taps,
          [&](std::size_t o, std::size_t k) { return o / c_out * c_in + k / taps; }, *affine);
    } else if (auto* fc = std::get_if<FullyConnectedOp>(&node.op)) {
      const std::size_t plane = at(in.h) * at(in.w);
      scale_inputs(
          fc->weights, fc->bias, static_cast<std::size_t>(in.size()),
          [&](std::size_t, std::size_t k) { return k / plane; }, *affine);
    } else {
      return;
    }
    node.inputs[0] = source(node).inputs[0];
  }

  /// `channel(o, k)` is the input channel that weight k of output o multiplies.
  template <typename Channel>
  static void scale_inputs(std::vector<float>& weights, std::vector<float>& bias, std::size_t per_output,
                           Channel channel, const AffineOp& affine) {
    for (std::size_t o = 0; o < bias.size(); ++o) {
      double sum = bias[o];
      for (std::size_t k = 0; k < per_output; ++k) {
        float& w = weights[o * per_output + k];
        const std::size_t c = channel(o, k);
        sum += static_cast<double>(w) * static_cast<double>(affine.shift[c]);
        w = static_cast<float>(static_cast<double>(w) * static_cast<double>(affine.scale[c]));
      }
      bias[o] = static_cast<float>(sum);
    }
  }

  /// A convolution of a zero-padded image is a convolution with more padding.
  void absorb_padding(int i) {
    Node& node = nodes_[at(i)];
    auto* conv = std::get_if<ConvOp>(&node.op);
    if (!conv) return;
    const auto* gather = std::get_if<GatherOp>(&source(node).op);
    if (!gather) return;
    const Shape out = source(node).shape, in = source(source(node)).shape;
    const auto first = std::find(gather->index.begin(), gather->index.end(), 0);
    if (out.c != in.c || out.h < in.h || out.w < in.w || first == gather->index.end()) return;
    const int position = static_cast<int>(first - gather->index.begin());
    const int top = position / out.w, left = position % out.w;
    if (top + in.h > out.h || left + in.w > out.w) return;
    for (int c = 0; c < out.c; ++c) {
      for (int y = 0; y < out.h; ++y) {
        for (int x = 0; x < out.w; ++x) {
          const bool inside = y >= top && y < top + in.h && x >= left && x < left + in.w;
          const int wanted = inside ? (c * in.h + y - top) * in.w + x - left : -1;
          if (gather->index[at((c * out.h + y) * out.w + x)] != wanted) return;
        }
      }
    }
    Padding& pad = conv->window.pad;
    pad = {pad.top + top, pad.left + left, pad.bottom + out.h - in.h - top, pad.right + out.w - in.w - left};
    node.inputs[0] = source(node).inputs[0];
  }

  /// A fully connected layer can read the values where they were, unless that makes it larger.
  void absorb_gather(int i) {
    Node& node = nodes_[at(i)];
    auto* fc = std::get_if<FullyConnectedOp>(&node.op);
    if (!fc) return;
    const auto* gather = std::get_if<GatherOp>(&source(node).op);
    if (!gather) return;
    const auto from = static_cast<std::size_t>(source(source(node)).shape.size());
    const std::size_t to = gather->index.size();
    if (from > to) return;
    std::vector<float> weights(fc->bias.size() * from, 0.0F);
    for (std::size_t o = 0; o < fc->bias.size(); ++o) {
      for (std::size_t k = 0; k < to; ++k) {
        if (gather->index[k] >= 0) weights[o * from + at(gather->index[k])] += fc->weights[o * to + k];
      }
    }
    fc->weights = std::move(weights);
    node.inputs[0] = source(node).inputs[0];
  }

  void drop_dead_nodes() {
    output_ = alias_[at(output_)];
    for (int i = 0; i < count(); ++i) redirect(i);
    std::vector<bool> live(nodes_.size(), false);
    live[at(output_)] = true;
    for (int i = output_; i >= 0; --i) {
      if (!live[at(i)]) continue;
      for (const int input : nodes_[at(i)].inputs) live[at(input)] = true;
    }
    if (!live[0]) fail_input("{}: the output does not depend on the input", graph_.name);
    if (output_ == 0) fail_input("{}: the network computes nothing; its output is its input", graph_.name);
    std::vector<int> moved(nodes_.size(), -1);
    std::vector<Node> kept;
    for (int i = 0; i <= output_; ++i) {
      if (!live[at(i)]) continue;
      moved[at(i)] = static_cast<int>(kept.size());
      for (int& input : nodes_[at(i)].inputs) input = moved[at(input)];
      kept.push_back(std::move(nodes_[at(i)]));
    }
    nodes_ = std::move(kept);
    output_ = count() - 1;
    alias_.resize(nodes_.size());
    std::iota(alias_.begin(), alias_.end(), 0);
  }

  Graph& graph_;
  std::vector<Node>& nodes_;
  int output_;
  std::vector<int> alias_;    ///< the node that readers of node i should read instead
  std::vector<int> readers_;  ///< how many node inputs (and the output) read node i
};

}  // namespace

void simplify(Graph& graph, int output) { Simplifier(graph, output).run(); }

}  // namespace ap::nn
