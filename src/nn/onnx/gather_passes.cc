// Passes that move nodes past gathers and gathers into each other and into layers.
#include <algorithm>

#include "nn/onnx/simplifier.h"

namespace ap::nn {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

bool moves_nothing(const GatherOp& gather, const Shape& from) {
  if (static_cast<std::int64_t>(gather.index.size()) != from.size()) return false;
  for (std::size_t k = 0; k < gather.index.size(); ++k) {
    if (gather.index[k] != static_cast<std::int32_t>(k)) return false;
  }
  return true;
}

/// Whether every element of `from` is read exactly once.
bool is_permutation(const GatherOp& gather, const Shape& from) {
  if (static_cast<std::int64_t>(gather.index.size()) != from.size()) return false;
  std::vector<bool> seen(gather.index.size(), false);
  for (const std::int32_t i : gather.index) {
    if (i < 0 || seen[at(i)]) return false;
    seen[at(i)] = true;
  }
  return true;
}

bool is_uniform(const AffineOp& affine) {
  const auto same = [](const std::vector<float>& v) {
    return std::all_of(v.begin(), v.end(), [&](float x) { return x == v.front(); });
  };
  return same(affine.scale) && same(affine.shift);
}

}  // namespace

/// What treats every element alike goes before a gather that only changes their order: the layer before then has its
/// activation at hand, and gathers meet.
void Simplifier::sink_gather(int i) {
  Node& node = nodes_[at(i)];
  if (node.inputs.size() != 1) return;
  auto* affine = std::get_if<AffineOp>(&node.op);
  const bool alike = std::holds_alternative<ClipOp>(node.op) ||
                     std::holds_alternative<QuadraticOp>(node.op) || (affine && is_uniform(*affine));
  Node& gather = source(node);
  if (!alike || !std::holds_alternative<GatherOp>(gather.op) || readers_[at(node.inputs[0])] != 1) return;
  const Shape before = source(gather).shape;
  if (!is_permutation(std::get<GatherOp>(gather.op), before)) return;
  if (affine) {
    affine->scale.assign(at(before.c), affine->scale.front());
    affine->shift.assign(at(before.c), affine->shift.front());
  }
  std::swap(node.op, gather.op);
  std::swap(node.name, gather.name);
  gather.shape = before;
}

void Simplifier::sink_gathers_of_sum(int i) {
  Node& node = nodes_[at(i)];
  if (!std::holds_alternative<AddOp>(node.op) || node.inputs[0] == node.inputs[1]) return;
  const int last = std::max(node.inputs[0], node.inputs[1]), first = std::min(node.inputs[0], node.inputs[1]);
  const auto* a = std::get_if<GatherOp>(&nodes_[at(first)].op);
  auto* b = std::get_if<GatherOp>(&nodes_[at(last)].op);
  if (!a || !b || readers_[at(last)] != 1 || a->index != b->index) return;
  const Node &x = source(nodes_[at(first)]), &y = source(nodes_[at(last)]);
  if (!(x.shape == y.shape) || !is_permutation(*b, y.shape)) return;
  const int left = nodes_[at(first)].inputs[0], right = nodes_[at(last)].inputs[0];
  if (left == right) return;
  std::swap(node.op, nodes_[at(last)].op);
  std::swap(node.name, nodes_[at(last)].name);
  nodes_[at(last)].shape = y.shape;
  nodes_[at(last)].inputs = {left, right};
  node.inputs = {last};
  --readers_[at(first)];
  ++readers_[at(left)];
}

/// A gather of a gather reads the first one's input; one that moves nothing vanishes.
void Simplifier::merge_gather(int i) {
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

/// A convolution of a zero-padded image is a convolution with more padding.
void Simplifier::absorb_padding(int i) {
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
  const Window& w = conv->window;
  const Padding& pad = w.pad;
  const Padding sum = {pad.top + top, pad.left + left, pad.bottom + out.h - in.h - top,
                       pad.right + out.w - in.w - left};
  // A window of the integer network holds some of the image.
  if (std::max(sum.top, sum.bottom) >= w.kernel_h || std::max(sum.left, sum.right) >= w.kernel_w) return;
  conv->window.pad = sum;
  node.inputs[0] = source(node).inputs[0];
}

/// A fully connected layer can read the values where they were, unless that makes it larger.
void Simplifier::absorb_gather(int i) {
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

}  // namespace ap::nn
