#include "he_only/package/graph_bytes.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace ap::he_only {
namespace {

constexpr std::size_t kMaxName = 1024, kMaxInputs = 1024, kMaxDegree = 1023;
constexpr int kMaxDim = 1 << 26;

enum Tag : std::uint8_t {
  input = 0,
  conv = 1,
  fully_connected = 2,
  clip = 3,
  quadratic = 4,
  add = 5,
  affine = 6,
  average_pool = 7,
  concat = 8,
  gather = 9,
  smooth = 10,
};

void put(ByteWriter& out, int x) { out.u32(static_cast<std::uint32_t>(x)); }
void put(ByteWriter& out, float x) { out.f64(x); }
template <typename T>
void put(ByteWriter& out, const std::vector<T>& values) {
  out.u64(values.size());
  out.raw({reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)});
}
void put(ByteWriter& out, const nn::Window& w) {
  for (const int x :
       {w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad.top, w.pad.left, w.pad.bottom, w.pad.right})
    put(out, x);
}

int whole(ByteReader& in, int low, int high, const std::string& name) {
  const auto x = static_cast<std::int32_t>(in.u32());
  if (x < low || x > high)
    fail_input("{} is damaged: a number of its network is {}, not from {} to {}", name, x, low, high);
  return x;
}
double real(ByteReader& in, const std::string& name) {
  const double x = in.f64();
  if (!std::isfinite(x)) fail_input("{} is damaged: a number of its network is not finite", name);
  return x;
}
// Of a bound that may be infinite.
float bound(ByteReader& in, const std::string& name) {
  const double x = in.f64();
  if (std::isnan(x)) fail_input("{} is damaged: a bound of an activation is no number", name);
  return static_cast<float>(x);
}
template <typename T>
std::vector<T> list(ByteReader& in, const std::string& name) {
  const std::uint64_t count = in.u64();
  if (count > in.remaining() / sizeof(T)) {
    fail_input("{} is truncated: {} weights announced, {} bytes left", name, count, in.remaining());
  }
  const ByteView bytes = in.raw(count * sizeof(T));
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}
nn::Window window(ByteReader& in, const std::string& name) {
  nn::Window w;
  for (int* x : {&w.kernel_h, &w.kernel_w, &w.stride_h, &w.stride_w}) *x = whole(in, 1, kMaxDim, name);
  for (int* x : {&w.pad.top, &w.pad.left, &w.pad.bottom, &w.pad.right}) *x = whole(in, 0, kMaxDim, name);
  return w;
}

struct OpWriter {
  ByteWriter& out;
  void operator()(const nn::InputOp&) const { out.u8(input); }
  void operator()(const nn::ConvOp& op) const {
    out.u8(conv);
    put(out, op.window);
    put(out, op.groups);
    put(out, op.weights);
    put(out, op.bias);
  }
  void operator()(const nn::FullyConnectedOp& op) const {
    out.u8(fully_connected);
    put(out, op.weights);
    put(out, op.bias);
  }
  void operator()(const nn::ClipOp& op) const {
    out.u8(clip);
    put(out, op.low);
    put(out, op.high);
  }
  void operator()(const nn::QuadraticOp& op) const {
    out.u8(quadratic);
    for (const float x : {op.c0, op.c1, op.c2}) put(out, x);
  }
  void operator()(const nn::AddOp&) const { out.u8(add); }
  void operator()(const nn::AffineOp& op) const {
    out.u8(affine);
    put(out, op.scale);
    put(out, op.shift);
  }
  void operator()(const nn::AveragePoolOp& op) const {
    out.u8(average_pool);
    put(out, op.window);
    out.u8(op.count_include_pad ? 1 : 0);
    put(out, op.factor);
  }
  void operator()(const nn::ConcatOp&) const { out.u8(concat); }
  void operator()(const nn::GatherOp& op) const {
    out.u8(gather);
    put(out, op.index);
  }
  void operator()(const nn::SmoothOp& op) const {
    out.u8(smooth);
    out.u8(static_cast<std::uint8_t>(op.kind));
    put(out, op.alpha);
    put(out, op.gamma);
  }
  void operator()(const nn::MaxPoolOp&) const {
    AP_ASSERT(!"a maximum in a package of homomorphic encryption alone");
  }
  void operator()(const nn::ProductOp&) const {
    AP_ASSERT(!"a product in a package of homomorphic encryption alone");
  }
};

nn::Op read_op(ByteReader& in, const std::string& name) {
  const std::uint8_t tag = in.u8();
  switch (tag) {
    case input:
      return nn::InputOp{};
    case conv: {
      nn::ConvOp op;
      op.window = window(in, name);
      op.groups = whole(in, 1, kMaxDim, name);
      op.weights = list<float>(in, name);
      op.bias = list<float>(in, name);
      return op;
    }
    case fully_connected: {
      nn::FullyConnectedOp op;
      op.weights = list<float>(in, name);
      op.bias = list<float>(in, name);
      return op;
    }
    case clip: {
      const float low = bound(in, name);
      return nn::ClipOp{low, bound(in, name)};
    }
    case quadratic: {
      nn::QuadraticOp op;
      for (float* x : {&op.c0, &op.c1, &op.c2}) *x = static_cast<float>(real(in, name));
      return op;
    }
    case add:
      return nn::AddOp{};
    case affine: {
      nn::AffineOp op;
      op.scale = list<float>(in, name);
      op.shift = list<float>(in, name);
      return op;
    }
    case average_pool: {
      nn::AveragePoolOp op;
      op.window = window(in, name);
      op.count_include_pad = in.u8() != 0;
      op.factor = static_cast<float>(real(in, name));
      return op;
    }
    case concat:
      return nn::ConcatOp{};
    case gather:
      return nn::GatherOp{list<std::int32_t>(in, name)};
    case smooth: {
      const std::uint8_t kind = in.u8();
      if (kind > static_cast<std::uint8_t>(nn::SmoothKind::celu))
        fail_input("{} is damaged: no activation {}", name, kind);
      nn::SmoothOp op;
      op.kind = static_cast<nn::SmoothKind>(kind);
      op.alpha = static_cast<float>(real(in, name));
      op.gamma = static_cast<float>(real(in, name));
      return op;
    }
    default:
      fail_input("{} is damaged: its network has the unknown operation {}", name, tag);
  }
}

enum PolynomialTag : std::uint8_t { none = 0, square = 1, series = 2, relu = 3 };

}  // namespace

void write_graph(const nn::Graph& graph, ByteWriter& out) {
  out.string(graph.name);
  out.u32(static_cast<std::uint32_t>(graph.nodes.size()));
  for (const nn::Node& node : graph.nodes) {
    out.string(node.name);
    for (const int x : {node.shape.c, node.shape.h, node.shape.w}) put(out, x);
    put(out, static_cast<int>(node.inputs.size()));
    for (const int x : node.inputs) put(out, x);
    std::visit(OpWriter{out}, node.op);
  }
}

nn::Graph read_graph(ByteReader& in, const std::string& name) {
  nn::Graph graph;
  graph.name = in.string(kMaxName);
  const int count = whole(in, 2, nn::kMaxNodes, name);
  for (int n = 0; n < count; ++n) {
    nn::Node node;
    node.name = in.string(kMaxName);
    for (int* x : {&node.shape.c, &node.shape.h, &node.shape.w}) *x = whole(in, 1, kMaxDim, name);
    const int inputs = whole(in, 0, kMaxInputs, name);
    for (int i = 0; i < inputs; ++i) node.inputs.push_back(whole(in, 0, n - 1, name));
    node.op = read_op(in, name);
    graph.nodes.push_back(std::move(node));
  }
  nn::validate(graph);
  return graph;
}

void write_choices(const Choices& choices, ByteWriter& out) {
  const Ring& ring = choices.ring;
  out.u32(ring.n);
  for (const int x : {ring.scale_bits, ring.base_bits, ring.special_bits}) put(out, x);
  out.u32(static_cast<std::uint32_t>(ring.special));
  out.string(ring.bootstrap);
  out.u32(static_cast<std::uint32_t>(ring.bootstrap_slots));
  out.u64(choices.flood_step);
  for (std::size_t s = 0; s < choices.largest.size(); ++s) {
    out.f64(choices.largest[s]);
    if (!choices.polynomials[s]) {
      out.u8(none);
    } else if (const auto* q = std::get_if<Quadratic>(&*choices.polynomials[s])) {
      out.u8(square);
      for (const double x : {q->c0, q->c1, q->c2}) out.f64(x);
    } else if (const auto* p = std::get_if<circuits::ChebyshevSeries>(&*choices.polynomials[s])) {
      out.u8(series);
      out.f64(p->low);
      out.f64(p->high);
      put(out, p->coefficients);
    } else {
      const auto& composite = std::get<CompositeRelu>(*choices.polynomials[s]);
      out.u8(relu);
      out.f64(composite.range);
      put(out, composite.bits);
    }
  }
}

Choices read_choices(ByteReader& in, std::size_t steps, const std::string& name) {
  Choices choices;
  Ring& ring = choices.ring;
  ring.n = static_cast<std::uint32_t>(whole(in, rlwe::kMinDegree, rlwe::kMaxDegree, name));
  for (int* x : {&ring.scale_bits, &ring.base_bits, &ring.special_bits})
    *x = whole(in, 0, rlwe::kMaxPrimeBits, name);
  ring.special = static_cast<std::size_t>(whole(in, 1, rlwe::kMaxPrimes, name));
  ring.bootstrap = in.string(16);
  ring.bootstrap_slots = static_cast<std::size_t>(whole(in, 0, rlwe::kMaxDegree / 2, name));
  choices.flood_step = in.u64();
  std::optional<CompositeRelu> last;  // the same bits again and again
  for (std::size_t s = 0; s < steps; ++s) {
    choices.largest.push_back(real(in, name));
    std::optional<Polynomial> polynomial;
    switch (const std::uint8_t tag = in.u8()) {
      case none:
        break;
      case square: {
        Quadratic q;
        for (double* x : {&q.c0, &q.c1, &q.c2}) *x = real(in, name);
        if (q.c2 == 0) fail_input("{} is damaged: a square of factor 0", name);
        polynomial = q;
        break;
      }
      case series: {
        circuits::ChebyshevSeries p;
        p.low = real(in, name);
        p.high = real(in, name);
        p.coefficients = list<double>(in, name);
        const auto finite = [](double c) { return std::isfinite(c); };
        if (!(p.low < p.high) || p.coefficients.size() > kMaxDegree + 1 ||
            !std::ranges::all_of(p.coefficients, finite) || p.degree() < 1) {
          fail_input("{} is damaged: a polynomial of degree {} on [{}, {}]", name, p.coefficients.size(),
                     p.low, p.high);
        }
        polynomial = std::move(p);
        break;
      }
      case relu: {
        const double range = real(in, name);
        const int bits = whole(in, 2, 16, name);
        if (!(range > 0)) fail_input("{} is damaged: a ReLU of range {}", name, range);
        if (!last || last->bits != bits) last = CompositeRelu{range, bits, circuits::sign_for_relu(bits)};
        last->range = range;
        polynomial = *last;
        break;
      }
      default:
        fail_input("{} is damaged: it has a polynomial of the unknown kind {}", name, tag);
    }
    choices.polynomials.push_back(std::move(polynomial));
  }
  return choices;
}

}  // namespace ap::he_only
