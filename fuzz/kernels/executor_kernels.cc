// Kernels of the integer executor against the plain ones.
#include <algorithm>

#include "fuzz/support/target.h"
#include "fuzz/support/values.h"
#include "nn/execute/executor_kernels.h"

namespace ap::fuzz {
namespace {

using Integers = std::vector<std::int32_t>;

/// What each kernel makes of the same arguments is the same.
template <typename Work>
void agree(const Work& work) {
  Integers expected;
  bool first = true;
  for (const nn::ExecutorKernels* k : nn::all_executor_kernels()) {
    Integers out = work(*k);
    if (first) expected = out;
    first = false;
    require(out == expected, "kernels agree");
  }
}

void convolve(Values& values) {
  nn::PairConvolution c;
  c.rows = static_cast<int>(values.size(1, 19));
  c.vectors = static_cast<int>(values.size(1, 6));
  c.taps = static_cast<int>(values.size(1, 40));
  const auto rows = static_cast<std::size_t>(c.rows), taps = static_cast<std::size_t>(c.taps),
             positions = static_cast<std::size_t>(c.vectors * nn::kPositions);
  const std::size_t reach = values.size(0, 30);
  const auto weights = values.array<std::int32_t>(rows * taps), bias = values.array<std::int32_t>(rows),
             image = values.array<std::int32_t>(positions + reach);
  Integers offsets(taps);
  for (std::int32_t& o : offsets) o = static_cast<std::int32_t>(values.below(reach + 1));
  c.weights = weights.data();
  c.offsets = offsets.data();
  c.image = image.data();
  c.bias = bias.data();
  c.row_stride = positions + values.size(0, 3);
  agree([&](const nn::ExecutorKernels& k) {
    Integers out(rows * c.row_stride);
    c.out = out.data();
    k.convolve(c);
    return out;
  });
}

void elements(Values& values) {
  const std::size_t n = values.size(0, 200), stride = values.size(1, 4);
  const auto x = values.array<std::int32_t>(n * stride), y = values.array<std::int32_t>(n),
             start = values.array<std::int32_t>(n);
  nn::Truncate truncate{static_cast<int>(values.below(32)), values.any<std::int32_t>(),
                        values.any<std::int32_t>()};
  if (truncate.low > truncate.high) std::swap(truncate.low, truncate.high);
  const auto even = static_cast<std::int32_t>(values.below(1 << 20));
  const auto factor = values.any<std::uint32_t>();
  // Sums that stay within 32 bits, as a valid network has them.
  Integers small(n), offset(n);
  for (std::size_t i = 0; i < n; ++i) {
    small[i] = x[i] / 4;
    offset[i] = y[i] / 4;
  }
  using K = nn::ExecutorKernels;
  agree([&](const K& k) {
    Integers out(n + 1);
    out[n] = k.pack_pairs(x.data(), y.data(), n, out.data()) ? 1 : 0;
    if (out[n] == 0) std::fill(out.begin(), out.end(), 0);  // what was written then has no meaning
    return out;
  });
  const auto each = [&](auto work) {
    agree([&](const K& k) {
      Integers out = start;
      work(k, out.data());
      return out;
    });
  };
  each([&](const K& k, std::int32_t* out) { k.pick(x.data(), stride, n, out); });
  each([&](const K& k, std::int32_t* out) { k.truncate(truncate, small.data(), offset.data(), n, out); });
  each([&](const K& k, std::int32_t* out) { k.truncate_evenly(truncate, small.data(), even, n, out); });
  each([&](const K& k, std::int32_t* out) { k.add_scaled(x.data(), stride, factor, n, out); });
  each([&](const K& k, std::int32_t* out) { k.maximum(x.data(), stride, n, out); });
}

void run(ByteView input) {
  Values values(input);
  if (values.size(0, 1) == 0) return convolve(values);
  elements(values);
}

const Register known({.name = "executor_kernels",
                      .run = run,
                      .seeds = size_seeds,
                      .mistakes = Mistakes::none,
                      .max_bytes = 64});

}  // namespace
}  // namespace ap::fuzz
