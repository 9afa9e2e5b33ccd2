// Curved activations: as operators of their own, and as the products by which exporters write them out.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "nn/onnx/lowering.h"

namespace ap::nn {
namespace {

using Function = std::function<double(double)>;

/// What a node computes from an earlier one, element by element.
struct Origin {
  int root = 0;
  Function f;
};

/// How far back the parts of an activation are looked for: seven nodes in GELU by tanh, the longest.
constexpr int kMaxDepth = 7;

std::optional<Function> one_argument(const Op& op) {
  if (const auto* smooth_op = std::get_if<SmoothOp>(&op)) {
    return [op = *smooth_op](double x) { return smooth(op, x); };
  }
  if (const auto* clip = std::get_if<ClipOp>(&op)) {
    return
        [low = double{clip->low}, high = double{clip->high}](double x) { return std::clamp(x, low, high); };
  }
  if (const auto* q = std::get_if<QuadraticOp>(&op)) {
    return [q = *q](double x) { return q.c0 + x * (q.c1 + x * q.c2); };
  }
  if (const auto* affine = std::get_if<AffineOp>(&op)) {
    const auto uniform = [](const std::vector<float>& v) {
      return std::all_of(v.begin(), v.end(), [&](float x) { return x == v.front(); });
    };
    if (!uniform(affine->scale) || !uniform(affine->shift)) return std::nullopt;
    return [a = double{affine->scale.front()}, b = double{affine->shift.front()}](double x) {
      return a * x + b;
    };
  }
  return std::nullopt;
}

/// The pair of origins that two nodes share, the nearest first.
std::optional<std::pair<Origin, Origin>> common(const std::vector<Origin>& a, const std::vector<Origin>& b) {
  for (const Origin& first : a) {
    for (const Origin& second : b) {
      if (first.root == second.root) return std::pair{first, second};
    }
  }
  return std::nullopt;
}

/// Node i itself, then what it is a function of.
std::vector<Origin> origins(const std::vector<Node>& nodes, int i, int depth = 0) {
  std::vector<Origin> all = {{i, [](double x) { return x; }}};
  const Node& node = nodes[static_cast<std::size_t>(i)];
  if (depth == kMaxDepth) return all;
  if (const auto outer = one_argument(node.op)) {
    for (Origin& origin : origins(nodes, node.inputs[0], depth + 1)) {
      all.push_back({origin.root, [outer = *outer, inner = origin.f](double x) { return outer(inner(x)); }});
    }
  } else if (std::holds_alternative<AddOp>(node.op) || std::holds_alternative<ProductOp>(node.op)) {
    const bool sum = std::holds_alternative<AddOp>(node.op);
    const auto pair =
        common(origins(nodes, node.inputs[0], depth + 1), origins(nodes, node.inputs[1], depth + 1));
    if (pair) {
      all.push_back({pair->first.root, [sum, f = pair->first.f, g = pair->second.f](double x) {
                       return sum ? f(x) + g(x) : f(x) * g(x);
                     }});
    }
  }
  return all;
}

/// The factor by which `f` is the function, if it is.
std::optional<double> multiple_of(const SmoothOp& op, const Function& f) {
  // Where all of them are far from 0 and from each other; exporters write constants with few digits.
  constexpr std::array kPoints = {-4.1, -2.3, -1.2, -0.6, -0.2, 0.3, 0.9, 1.7, 2.6, 5.0};
  const double factor = f(kPoints.back()) / smooth(op, kPoints.back());
  if (!std::isfinite(factor) || factor == 0) return std::nullopt;
  for (const double x : kPoints) {
    if (!(std::abs(f(x) - factor * smooth(op, x)) <= 1e-4 * std::abs(factor))) return std::nullopt;
  }
  return factor;
}

}  // namespace

void OnnxLowering::smooth_activation(const OnnxNode& node) {
  static const std::unordered_map<std::string, SmoothKind> kKinds = {{"Sigmoid", SmoothKind::sigmoid},
                                                                     {"Tanh", SmoothKind::tanh},
                                                                     {"Erf", SmoothKind::erf},
                                                                     {"Softsign", SmoothKind::softsign},
                                                                     {"HardSwish", SmoothKind::hard_swish},
                                                                     {"Gelu", SmoothKind::gelu},
                                                                     {"Mish", SmoothKind::mish},
                                                                     {"Softplus", SmoothKind::softplus},
                                                                     {"Elu", SmoothKind::elu},
                                                                     {"Selu", SmoothKind::selu},
                                                                     {"Celu", SmoothKind::celu}};
  SmoothOp op{kKinds.at(node.op())};
  if (op.kind == SmoothKind::gelu && node.text("approximate", "none") == "tanh")
    op.kind = SmoothKind::gelu_tanh;
  const bool selu = op.kind == SmoothKind::selu;
  if (selu || op.kind == SmoothKind::elu || op.kind == SmoothKind::celu) {
    op.alpha = static_cast<float>(node.number("alpha", selu ? 1.67326319217681884765625 : 1.0));
    if (selu) op.gamma = static_cast<float>(node.number("gamma", 1.05070102214813232421875));
    if (!(op.alpha > 0 && op.gamma > 0))
      throw Unsupported{"only positive values of alpha and gamma are supported"};
  }
  const Value& input = tensor(node, 0);
  const int source = materialise(input);
  const Shape shape = graph_.nodes[static_cast<std::size_t>(source)].shape;
  define(node, plain(node, add_node(node.name(), op, {source}, shape), input.dims));
}

std::optional<Value> OnnxLowering::written_out_activation(const OnnxNode& node, const Value& a,
                                                          const Value& b) {
  const auto seen_by = [&](const Value& value) {
    std::vector<Origin> all = origins(graph_.nodes, value.node);
    for (Origin& origin : all) {
      origin.f = [value, f = origin.f](double x) {
        const double y = f(x);
        return value.c0 + y * (value.c1 + y * value.c2);
      };
    }
    return all;
  };
  const auto pair = common(seen_by(a), seen_by(b));
  if (!pair) return std::nullopt;
  const Function product = [&](double x) { return pair->first.f(x) * pair->second.f(x); };
  for (const SmoothKind kind : {SmoothKind::silu, SmoothKind::hard_swish, SmoothKind::gelu,
                                SmoothKind::gelu_tanh, SmoothKind::mish}) {
    const std::optional<double> factor = multiple_of({kind}, product);
    if (!factor) continue;
    const int root = pair->first.root;
    const Shape shape = graph_.nodes[static_cast<std::size_t>(root)].shape;
    Value out = plain(node, add_node(node.name(), SmoothOp{kind}, {root}, shape), a.dims);
    // What a constant of few digits leaves is no factor.
    out.c1 = std::abs(*factor - 1) < 1e-3 ? 1 : *factor;
    return out;
  }
  return std::nullopt;
}

Value OnnxLowering::tensor_product(const OnnxNode& node, const Value& a, const Value& b) {
  if (a.dims == b.dims) {
    if (std::optional<Value> activation = written_out_activation(node, a, b)) return *activation;
  }
  const auto one_a_channel = [](const Value& x, const Value& gate) {
    return x.dims.size() == 4 && x.dims[0] == 1 && gate.dims == Dims{1, x.dims[1], 1, 1};
  };
  const bool turned = a.dims != b.dims && one_a_channel(b, a);
  Value x = turned ? b : a, gate = turned ? a : b;
  if (x.dims != gate.dims && !one_a_channel(x, gate)) {
    const Dims dims = broadcast_dims(x.dims, gate.dims);
    x = expanded(x, dims, node.name());
    gate = expanded(gate, dims, node.name());
  }
  const int first = shaped(x), second = shaped(gate);
  const Shape shape = node_shape(first);
  return plain(node, add_node(node.name(), ProductOp{}, {first, second}, shape), x.dims);
}

}  // namespace ap::nn
