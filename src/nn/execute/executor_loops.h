// Loops of executor_kernels.h that compilers vectorise by themselves, in an unnamed namespace: every file
// that includes this gets its own copies, for the instruction set that is on at the point of inclusion.
// Includes nothing, for the same reason: include nn/execute/executor_kernels.h, <cstddef> and <cstdint> before.
#pragma once

namespace ap::nn {
namespace {

inline bool pack_pairs(const std::int32_t* __restrict first, const std::int32_t* __restrict second,
                       std::size_t n, std::int32_t* __restrict out) {
  std::uint32_t beyond = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto a = static_cast<std::uint32_t>(first[i]), b = static_cast<std::uint32_t>(second[i]);
    beyond |= ((a + 0x8000U) | (b + 0x8000U)) >> 16;
    out[i] = static_cast<std::int32_t>((a & 0xffffU) | (b << 16));
  }
  return beyond == 0;
}

// Constant strides become shuffles.
template <typename F>
inline void with_stride(std::size_t stride, F f) {
  if (stride == 1) {
    f([](std::size_t i) { return i; });
  } else if (stride == 2) {
    f([](std::size_t i) { return 2 * i; });
  } else {
    f([stride](std::size_t i) { return stride * i; });
  }
}

inline void pick(const std::int32_t* __restrict in, std::size_t stride, std::size_t n,
                 std::int32_t* __restrict out) {
  with_stride(stride, [=](auto at) {
    for (std::size_t i = 0; i < n; ++i) out[i] = in[at(i)];
  });
}

inline void add_scaled(const std::int32_t* __restrict in, std::size_t stride, std::uint32_t factor,
                       std::size_t n, std::int32_t* __restrict out) {
  with_stride(stride, [=](auto at) {
    for (std::size_t i = 0; i < n; ++i) {
      out[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(out[i]) +
                                         factor * static_cast<std::uint32_t>(in[at(i)]));
    }
  });
}

inline void maximum(const std::int32_t* __restrict in, std::size_t stride, std::size_t n,
                    std::int32_t* __restrict out) {
  with_stride(stride, [=](auto at) {
    for (std::size_t i = 0; i < n; ++i) out[i] = out[i] > in[at(i)] ? out[i] : in[at(i)];
  });
}

// floor((x + y) / 2^shift) without the carry into bit 32: the whole parts plus what the rests add up to. For
// shift 0 the sum modulo 2^32.
inline std::int32_t shifted_sum(std::int32_t x, std::int32_t y, int shift) {
  const std::uint32_t mask = (1U << shift) - 1;
  const std::uint32_t rests =
      ((static_cast<std::uint32_t>(x) & mask) + (static_cast<std::uint32_t>(y) & mask)) >> shift;
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(x >> shift) +
                                   static_cast<std::uint32_t>(y >> shift) + rests);
}

inline std::int32_t clamped(std::int32_t v, std::int32_t low, std::int32_t high) {
  v = v < low ? low : v;
  return v > high ? high : v;
}

inline void truncate(const Truncate& op, const std::int32_t* __restrict x,
                     const std::int32_t* __restrict offset, std::size_t n, std::int32_t* __restrict out) {
  const auto [shift, low, high] = op;
  for (std::size_t i = 0; i < n; ++i) out[i] = clamped(shifted_sum(x[i], offset[i], shift), low, high);
}

inline void truncate_evenly(const Truncate& op, const std::int32_t* __restrict x, std::int32_t offset,
                            std::size_t n, std::int32_t* __restrict out) {
  const auto [shift, low, high] = op;
  for (std::size_t i = 0; i < n; ++i) out[i] = clamped(shifted_sum(x[i], offset, shift), low, high);
}

inline void polynomial(const Polynomial& op, const std::int32_t* __restrict t,
                       const std::int64_t* __restrict offset, std::size_t n, std::int32_t* __restrict out) {
  const auto [c0, c1, c2, shift, low, high] = op;
  for (std::size_t i = 0; i < n; ++i) {
    std::int64_t v = (c0 + (c1 + c2 * t[i]) * t[i] + offset[i]) >> shift;
    v = v < low ? low : v;
    v = v > high ? high : v;
    out[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(v));
  }
}

template <typename Isa, int kBlock, int kVectors>
inline void convolve_block(const PairConvolution& c, const std::int32_t* weights, int row, int first) {
  constexpr int kRows = kBlock < Isa::kRows ? kBlock : Isa::kRows;
  for (int part = 0; part < kBlock; part += kRows) {
    typename Isa::Vector sums[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sums[r][v] = Isa::broadcast(c.bias[row + part + r]);
    }
    const std::int32_t* image = c.image + first * kPositions;
    for (int t = 0; t < c.taps; ++t) {
      typename Isa::Vector x[kVectors];
      for (int v = 0; v < kVectors; ++v) x[v] = Isa::load(image + c.offsets[t] + v * kPositions);
      for (int r = 0; r < kRows; ++r) {
        const typename Isa::Vector w = Isa::broadcast(weights[t * kBlock + part + r]);
        for (int v = 0; v < kVectors; ++v) sums[r][v] = Isa::add_product(sums[r][v], w, x[v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      std::int32_t* out =
          c.out + static_cast<std::size_t>(row + part + r) * c.row_stride + first * kPositions;
      for (int v = 0; v < kVectors; ++v) Isa::store(out + v * kPositions, sums[r][v]);
    }
  }
}

template <typename Isa, int kVectors>
inline void convolve_column(const PairConvolution& c, int first) {
  const std::int32_t* weights = c.weights;
  for (int row = 0; row < c.rows;) {
    const int block = row_block(c.rows - row);
    if (block == 8) convolve_block<Isa, 8, kVectors>(c, weights, row, first);
    if (block == 4) convolve_block<Isa, 4, kVectors>(c, weights, row, first);
    if (block == 2) convolve_block<Isa, 2, kVectors>(c, weights, row, first);
    if (block == 1) convolve_block<Isa, 1, kVectors>(c, weights, row, first);
    weights += static_cast<std::size_t>(block) * static_cast<std::size_t>(c.taps);
    row += block;
  }
}

// Columns of Isa::kVectors vectors keep the sums of a block within the registers.
template <typename Isa>
inline void convolve(const PairConvolution& c) {
  int first = 0;
  for (; first + Isa::kVectors <= c.vectors; first += Isa::kVectors)
    convolve_column<Isa, Isa::kVectors>(c, first);
  if constexpr (Isa::kVectors > 2) {
    if (first + 2 <= c.vectors) {
      convolve_column<Isa, 2>(c, first);
      first += 2;
    }
  }
  for (; first < c.vectors; ++first) convolve_column<Isa, 1>(c, first);
}

template <typename Isa>
constexpr ExecutorKernels kernels_of(const char* name) {
  return {name, convolve<Isa>, pack_pairs, pick, truncate, truncate_evenly, polynomial, add_scaled, maximum};
}

}  // namespace
}  // namespace ap::nn
