#include "planner/search/backward.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/ir/window_visit.h"

namespace ap::search {
namespace {

using Values = std::vector<float>;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// Where t lies among the inputs of a table: the lower of its two nearest, and the way to the other.
std::pair<std::int64_t, double> place_in(const nn::QTable& op, double t) {
  const std::int64_t top = (std::int64_t{1} << op.bits) - 1;
  const double position = std::clamp(t - static_cast<double>(op.low), 0.0, static_cast<double>(top));
  const std::int64_t u = std::min(static_cast<std::int64_t>(position), top - 1);
  return {u, position - static_cast<double>(u)};
}

/// Calls row(weight, first output, first input, count) for every run of outputs along a row that one weight
/// connects with inputs stride_w apart.
template <typename Row>
void for_each_row(const nn::QLinear& op, const nn::Shape& out, Row row) {
  const nn::Window& w = op.window;
  const nn::Shape& in = op.in_shape;
  const int in_group = in.c / op.groups, out_group = out.c / op.groups;
  std::size_t weight = 0;
  for (int o = 0; o < out.c; ++o) {
    for (int i = 0; i < in_group; ++i) {
      const int channel = o / out_group * in_group + i;
      for (int ky = 0; ky < w.kernel_h; ++ky) {
        for (int kx = 0; kx < w.kernel_w; ++kx, ++weight) {
          const float value = op.weights[weight];
          if (value == 0) continue;
          // Columns x with 0 <= x stride + kx - left < in.w.
          const int shift = kx - w.pad.left;
          const int first = shift < 0 ? (-shift + w.stride_w - 1) / w.stride_w : 0;
          const int last = in.w - 1 - shift < 0 ? -1 : std::min((in.w - 1 - shift) / w.stride_w, out.w - 1);
          if (first > last) continue;
          for (int y = 0; y < out.h; ++y) {
            const int iy = y * w.stride_h + ky - w.pad.top;
            if (iy < 0 || iy >= in.h) continue;
            row(value, at((o * out.h + y) * out.w + first),
                at((channel * in.h + iy) * in.w + first * w.stride_w + shift), at(last - first + 1));
          }
        }
      }
    }
  }
}

double scale_of(int shift) { return std::ldexp(1.0, -shift); }

struct Forward {
  const nn::QNode& node;
  const std::vector<Values>& values;
  const nn::Shape& in_shape;

  const Values& in(std::size_t k = 0) const { return values[at(node.inputs[k])]; }
  Values zeros() const { return Values(at(static_cast<int>(node.shape.size()))); }

  Values operator()(const nn::QInput&) const { return {}; }
  Values operator()(const nn::QLinear& op) const {
    Values out = zeros();
    const std::size_t each = out.size() / op.bias.size();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(op.bias[i / each]);
    const auto stride = at(op.window.stride_w);
    for_each_row(op, node.shape, [&](float w, std::size_t o, std::size_t i, std::size_t count) {
      for (std::size_t x = 0; x < count; ++x) out[o + x] += w * in()[i + x * stride];
    });
    return out;
  }
  Values operator()(const nn::QAdd& op) const {
    Values out = zeros();
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      for (std::size_t i = 0; i < out.size(); ++i) out[i] += static_cast<float>(op.multiplier[k]) * in(k)[i];
    }
    return out;
  }
  Values operator()(const nn::QSumPool& op) const {
    Values out = zeros();
    nn::for_each_in_window(op.window, in_shape, node.shape,
                           [&](std::size_t o, std::size_t i) { out[o] += in()[i]; });
    return out;
  }
  Values operator()(const nn::QConcat&) const {
    Values out;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) out.insert(out.end(), in(k).begin(), in(k).end());
    return out;
  }
  Values operator()(const nn::QGather& op) const {
    Values out = zeros();
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = op.index[i] >= 0 ? in()[at(op.index[i])] : 0;
    return out;
  }
  Values operator()(const nn::QActivation& op) const {
    Values out = in();
    if (op.has_pool) {
      out.assign(at(static_cast<int>(node.shape.size())), -std::numeric_limits<float>::infinity());
      nn::for_each_in_window(op.pool, in_shape, node.shape,
                             [&](std::size_t o, std::size_t i) { out[o] = std::max(out[o], in()[i]); });
    }
    const auto scale = static_cast<float>(scale_of(op.shift));
    const auto low = static_cast<float>(op.low),
               high = low + static_cast<float>((std::int64_t{1} << op.bits) - 1);
    for (float& v : out) v = std::clamp(v * scale, low, high);
    return out;
  }
  /// The table's line between its two nearest inputs.
  Values operator()(const nn::QTable& op) const {
    Values out = in();
    const double scale = scale_of(op.shift);
    for (float& v : out) {
      const auto [u, fraction] = place_in(op, v * scale);
      v = static_cast<float>(static_cast<double>(op.at(u)) +
                             fraction * static_cast<double>(op.at(u + 1) - op.at(u)));
    }
    return out;
  }
  Values operator()(const nn::QProduct& op) const {
    Values out = in();
    const Values& gate = in(1);
    const std::size_t plane = out.size() / gate.size();
    const double scale = scale_of(op.shift);
    const auto low = static_cast<double>(op.low),
               high = low + static_cast<double>((std::int64_t{1} << op.bits) - 1);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<float>(std::clamp(double{out[i]} * gate[i / plane] * scale, low, high));
    }
    return out;
  }
  Values operator()(const nn::QQuadratic& op) const {
    Values out = in();
    const double scale = scale_of(op.shift), post = scale_of(op.post_shift);
    const auto low = static_cast<double>(op.low),
               high = low + static_cast<double>((std::int64_t{1} << op.bits) - 1);
    const auto c0 = static_cast<double>(op.c0), c1 = static_cast<double>(op.c1),
               c2 = static_cast<double>(op.c2);
    for (float& v : out) {
      const double t = v * scale;
      v = static_cast<float>(std::clamp((c0 + (c1 + c2 * t) * t) * post, low, high));
    }
    return out;
  }
};

struct Backward {
  const nn::QNode& node;
  std::span<const Values> values;
  const nn::Shape& in_shape;
  const Values& above;            ///< gradient of this node
  std::vector<Values>& gradient;  ///< of all

  Values& in(std::size_t k = 0) const {
    Values& held = gradient[at(node.inputs[k])];
    if (held.empty()) held.resize(values[at(node.inputs[k])].size());
    return held;
  }

  void operator()(const nn::QInput&) const {}
  void operator()(const nn::QLinear& op) const {
    Values& below = in();
    const auto stride = at(op.window.stride_w);
    for_each_row(op, node.shape, [&](float w, std::size_t o, std::size_t i, std::size_t count) {
      const float* from = above.data() + o;
      float* to = below.data() + i;
      if (stride == 1) {
        for (std::size_t x = 0; x < count; ++x) to[x] += w * from[x];
      } else {
        for (std::size_t x = 0; x < count; ++x) to[x * stride] += w * from[x];
      }
    });
  }
  void operator()(const nn::QAdd& op) const {
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      Values& below = in(k);
      for (std::size_t i = 0; i < above.size(); ++i)
        below[i] += static_cast<float>(op.multiplier[k]) * above[i];
    }
  }
  void operator()(const nn::QSumPool& op) const {
    Values& below = in();
    nn::for_each_in_window(op.window, in_shape, node.shape,
                           [&](std::size_t o, std::size_t i) { below[i] += above[o]; });
  }
  void operator()(const nn::QConcat&) const {
    std::size_t offset = 0;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      Values& below = in(k);
      for (std::size_t i = 0; i < below.size(); ++i) below[i] += above[offset + i];
      offset += below.size();
    }
  }
  void operator()(const nn::QGather& op) const {
    Values& below = in();
    for (std::size_t i = 0; i < above.size(); ++i) {
      if (op.index[i] >= 0) below[at(op.index[i])] += above[i];
    }
  }
  void operator()(const nn::QActivation& op) const {
    const Values& x = values[at(node.inputs[0])];
    std::vector<std::size_t> source(above.size());
    if (op.has_pool) {
      std::vector<float> largest(above.size(), -std::numeric_limits<float>::infinity());
      nn::for_each_in_window(op.pool, in_shape, node.shape, [&](std::size_t o, std::size_t i) {
        if (x[i] > largest[o]) largest[o] = x[i], source[o] = i;
      });
    } else {
      for (std::size_t i = 0; i < source.size(); ++i) source[i] = i;
    }
    Values& below = in();
    const auto scale = static_cast<float>(scale_of(op.shift));
    const auto low = static_cast<float>(op.low),
               high = low + static_cast<float>((std::int64_t{1} << op.bits) - 1);
    for (std::size_t o = 0; o < above.size(); ++o) {
      const float t = x[source[o]] * scale;
      if (t > low && t < high) below[source[o]] += above[o] * scale;
    }
  }
  void operator()(const nn::QTable& op) const {
    const Values& x = values[at(node.inputs[0])];
    Values& below = in();
    const double scale = scale_of(op.shift);
    // Over a few inputs, because cells make steps of the table.
    constexpr std::int64_t kReach = 8;
    const std::int64_t top = (std::int64_t{1} << op.bits) - 1;
    for (std::size_t i = 0; i < above.size(); ++i) {
      const double t = x[i] * scale;
      const auto low = static_cast<double>(op.low);
      if (t < low || t > low + static_cast<double>(top)) continue;
      const std::int64_t u = place_in(op, t).first;
      const std::int64_t from = std::max<std::int64_t>(u - kReach, 0), to = std::min(u + kReach, top);
      const double slope = static_cast<double>(op.at(to) - op.at(from)) / static_cast<double>(to - from);
      below[i] += static_cast<float>(above[i] * slope * scale);
    }
  }
  void operator()(const nn::QProduct& op) const {
    const Values &x = values[at(node.inputs[0])], &gate = values[at(node.inputs[1])];
    Values &below = in(), &below_gate = in(1);
    const std::size_t plane = x.size() / gate.size();
    const double scale = scale_of(op.shift);
    const auto low = static_cast<double>(op.low),
               high = low + static_cast<double>((std::int64_t{1} << op.bits) - 1);
    for (std::size_t i = 0; i < above.size(); ++i) {
      const double y = double{x[i]} * gate[i / plane] * scale;
      if (y <= low || y >= high) continue;
      below[i] += static_cast<float>(above[i] * gate[i / plane] * scale);
      below_gate[i / plane] += static_cast<float>(above[i] * x[i] * scale);
    }
  }
  void operator()(const nn::QQuadratic& op) const {
    const Values& x = values[at(node.inputs[0])];
    Values& below = in();
    const double scale = scale_of(op.shift), post = scale_of(op.post_shift);
    const auto low = static_cast<double>(op.low),
               high = low + static_cast<double>((std::int64_t{1} << op.bits) - 1);
    const auto c0 = static_cast<double>(op.c0), c1 = static_cast<double>(op.c1),
               c2 = static_cast<double>(op.c2);
    for (std::size_t i = 0; i < above.size(); ++i) {
      const double t = x[i] * scale, y = (c0 + (c1 + c2 * t) * t) * post;
      if (y > low && y < high) below[i] += static_cast<float>(above[i] * (c1 + 2 * c2 * t) * post * scale);
    }
  }
};

const nn::Shape& input_shape_of(const nn::QuantisedNetwork& network, const nn::QNode& node) {
  return node.inputs.empty() ? node.shape : network.nodes[at(node.inputs.front())].shape;
}

}  // namespace

std::vector<Values> twin_forward(const nn::QuantisedNetwork& network, std::span<const float> input) {
  AP_ASSERT(input.size() == at(static_cast<int>(network.input_shape().size())));
  std::vector<Values> values(network.nodes.size());
  values[0].assign(input.begin(), input.end());
  for (std::size_t i = 1; i < values.size(); ++i) {
    const nn::QNode& node = network.nodes[i];
    values[i] = std::visit(Forward{node, values, input_shape_of(network, node)}, node.op);
  }
  return values;
}

std::vector<Values> backward(const nn::QuantisedNetwork& network, std::span<const Values> values,
                             std::span<const float> logit_gradient) {
  AP_ASSERT(values.size() == network.nodes.size());
  AP_ASSERT(logit_gradient.size() == values.back().size());
  std::vector<Values> gradient(network.nodes.size());
  gradient.back().assign(logit_gradient.begin(), logit_gradient.end());
  for (std::size_t i = network.nodes.size(); i-- > 1;) {
    const nn::QNode& node = network.nodes[i];
    // Nothing is asked of the image.
    const bool first = std::ranges::all_of(node.inputs, [](int k) { return k == 0; });
    if (first || gradient[i].empty()) continue;
    std::visit(Backward{node, values, input_shape_of(network, node), gradient[i], gradient}, node.op);
  }
  return gradient;
}

}  // namespace ap::search
