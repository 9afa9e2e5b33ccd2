#include "nn/onnx/evaluate_elementwise.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "nn/onnx/evaluate.h"
#include "nn/onnx/movement.h"

namespace ap::nn {

Constant like(const Constant& c, Dims dims) {
  Constant out;
  out.is_integer = c.is_integer;
  out.type = c.type;
  out.dims = std::move(dims);
  return out;
}

std::int64_t to_integer(double v) {
  constexpr double kLimit = 9e18;
  if (std::isnan(v)) throw Unsupported{"a constant that it computes is not a number"};
  return static_cast<std::int64_t>(std::trunc(std::clamp(v, -kLimit, kLimit)));
}

double half_to_even(double v) { return std::nearbyint(v); }

namespace {

/// f on each pair of elements, broadcast. `is_integer`: of the result; the arithmetic of integers is that of integers.
template <typename Float, typename Integer>
Constant pairwise(const Constant& a, const Constant& b, Float f, Integer g, bool compares = false) {
  const Dims dims = broadcast_dims(a.dims, b.dims);
  for (const std::int64_t d : dims) {
    if (d == 0) {
      Constant empty = like(a, dims);
      return empty;
    }
  }
  if (checked_size(dims, "a constant") > kMaxFoldedElements)
    throw Unsupported{"its constant is too large to be computed with"};
  const Constant x = a.dims == dims ? a : move(a, broadcast(a.dims, dims));
  const Constant y = b.dims == dims ? b : move(b, broadcast(b.dims, dims));
  const bool whole = a.is_integer && b.is_integer;
  Constant out;
  out.dims = dims;
  out.is_integer = whole || compares;
  out.type = compares ? onnx::TensorProto::BOOL : a.type;
  const auto n = static_cast<std::size_t>(x.size());
  for (std::size_t i = 0; i < n; ++i) {
    if (whole) {
      out.integers.push_back(g(x.integers[i], y.integers[i]));
    } else if (compares) {
      out.integers.push_back(f(x.at(i), y.at(i)) != 0 ? 1 : 0);
    } else {
      out.floats.push_back(static_cast<float>(f(x.at(i), y.at(i))));
    }
  }
  return out;
}

std::int64_t wrap_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t wrap_multiply(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::int64_t wrap_negate(std::int64_t a) { return static_cast<std::int64_t>(-static_cast<std::uint64_t>(a)); }

std::int64_t integer_division(std::int64_t a, std::int64_t b) {
  if (b == 0) throw Unsupported{"it divides by zero"};
  return b == -1 ? wrap_negate(a) : a / b;
}

std::int64_t integer_remainder(std::int64_t a, std::int64_t b, bool truncates) {
  if (b == 0) throw Unsupported{"it divides by zero"};
  if (b == -1) return 0;
  const std::int64_t r = a % b;
  return !truncates && r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

const std::unordered_set<std::string>& pair_operators() {
  static const std::unordered_set<std::string> kNames = {
      "Add",   "Sub",  "Mul",     "Div",         "Mod",
      "Pow",   "Max",  "Min",     "Sum",         "Mean",
      "Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual",
      "And",   "Or",   "Xor"};
  return kNames;
}

using Function = double (*)(double);
const std::unordered_map<std::string, Function>& functions() {
  static const std::unordered_map<std::string, Function> kFunctions = {
      {"Neg", [](double x) { return -x; }},
      {"Abs", [](double x) { return std::abs(x); }},
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Round", half_to_even},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Sign", [](double x) { return static_cast<double>((x > 0) - (x < 0)); }},
      {"Relu", [](double x) { return std::max(x, 0.0); }},
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"Softplus", [](double x) { return std::log1p(std::exp(-std::abs(x))) + std::max(x, 0.0); }},
      {"Not", [](double x) { return x == 0 ? 1.0 : 0.0; }},
  };
  return kFunctions;
}

}  // namespace

bool is_pair_operator(const std::string& op) { return pair_operators().contains(op); }

bool is_function(const std::string& op) { return functions().contains(op); }

/// Operators on two constants. Sum, Max, Min and Mean take any number.
Constant evaluate_pair(const std::string& op, const Arguments& args, const Constant& a, const Constant& b) {
  using I = std::int64_t;
  if (op == "Add" || op == "Sum") return pairwise(a, b, std::plus<double>(), wrap_add);
  if (op == "Sub") {
    return pairwise(a, b, std::minus<double>(), [](I x, I y) { return wrap_add(x, wrap_negate(y)); });
  }
  if (op == "Mul") return pairwise(a, b, std::multiplies<double>(), wrap_multiply);
  if (op == "Div") {
    return pairwise(
        a, b,
        [](double x, double y) {
          if (y == 0) throw Unsupported{"it divides by zero"};
          return x / y;
        },
        integer_division);
  }
  if (op == "Mod") {
    const bool truncates = args.node.integer("fmod", 0) != 0;
    return pairwise(
        a, b, [](double x, double y) { return std::fmod(x, y); },
        [truncates](I x, I y) { return integer_remainder(x, y, truncates); });
  }
  if (op == "Pow") {
    return pairwise(
        a, b, [](double x, double y) { return std::pow(x, y); },
        [](I x, I y) { return to_integer(std::pow(static_cast<double>(x), static_cast<double>(y))); });
  }
  if (op == "Max") {
    return pairwise(
        a, b, [](double x, double y) { return std::max(x, y); }, [](I x, I y) { return std::max(x, y); });
  }
  if (op == "Min") {
    return pairwise(
        a, b, [](double x, double y) { return std::min(x, y); }, [](I x, I y) { return std::min(x, y); });
  }
  const auto compare = [&](auto f) {
    return pairwise(
        a, b, [f](double x, double y) { return f(x, y) ? 1.0 : 0.0; }, [f](I x, I y) { return I{f(x, y)}; },
        true);
  };
  if (op == "Equal") return compare([](auto x, auto y) { return x == y; });
  if (op == "Less") return compare([](auto x, auto y) { return x < y; });
  if (op == "Greater") return compare([](auto x, auto y) { return x > y; });
  if (op == "LessOrEqual") return compare([](auto x, auto y) { return x <= y; });
  if (op == "GreaterOrEqual") return compare([](auto x, auto y) { return x >= y; });
  if (op == "And") return compare([](auto x, auto y) { return x != 0 && y != 0; });
  if (op == "Or") return compare([](auto x, auto y) { return x != 0 || y != 0; });
  if (op == "Xor") return compare([](auto x, auto y) { return (x != 0) != (y != 0); });
  throw Unsupported{"it is not known on constants"};
}

Constant evaluate_function(const std::string& op, const Constant& a) {
  const Function f = functions().at(op);
  Constant out = like(a, a.dims);
  for (std::size_t i = 0; i < static_cast<std::size_t>(a.size()); ++i) {
    const double y = f(a.at(i));
    if (a.is_integer) {
      out.integers.push_back(to_integer(y));
    } else {
      if (std::isnan(y)) throw Unsupported{"a constant that it computes is not a number"};
      out.floats.push_back(static_cast<float>(y));
    }
  }
  return out;
}

}  // namespace ap::nn
