// Loops of clear_kernels.h over a type of vectors, in an unnamed namespace: every file that includes this gets its own
// copies, for the instruction set that is on at the point of inclusion. Includes nothing, for the same reason: include
// analysis/approximation/clear_kernels.h, <cmath> and <cstddef> before.
//
// A type V of vectors has kLanes, Vector, load, store, broadcast, subtract and multiply_add(a, b, c) = a b + c, rounded once.
#pragma once

namespace ap::approximation {
namespace {

// Rows of the product that share what is loaded of the columns, and vectors of each: sums that are underway at a time.
constexpr std::size_t kRows = 8, kVectors = 2;

// `rows` x (vectors * lanes) outputs.
template <typename V, std::size_t rows, std::size_t vectors>
inline void multiply_tile(std::size_t depth, std::size_t width, const float* weights, const float* columns,
                          float* out, std::size_t out_stride) {
  typename V::Vector sums[rows][vectors];
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t v = 0; v < vectors; ++v) sums[r][v] = V::load(out + r * out_stride + v * V::kLanes);
  }
  for (std::size_t k = 0; k < depth; ++k) {
    typename V::Vector x[vectors];
    for (std::size_t v = 0; v < vectors; ++v) x[v] = V::load(columns + k * width + v * V::kLanes);
    for (std::size_t r = 0; r < rows; ++r) {
      const typename V::Vector w = V::broadcast(weights[r * depth + k]);
      for (std::size_t v = 0; v < vectors; ++v) sums[r][v] = V::multiply_add(w, x[v], sums[r][v]);
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t v = 0; v < vectors; ++v) V::store(out + r * out_stride + v * V::kLanes, sums[r][v]);
  }
}

// All rows of `vectors` vectors: the columns stay in the first-level cache from one block of rows to the next.
template <typename V, std::size_t vectors>
inline void multiply_strip(std::size_t rows, std::size_t depth, std::size_t width, const float* weights,
                           const float* columns, float* out, std::size_t out_stride) {
  std::size_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    multiply_tile<V, kRows, vectors>(depth, width, weights + r * depth, columns, out + r * out_stride,
                                     out_stride);
  }
  for (; r < rows; ++r)
    multiply_tile<V, 1, vectors>(depth, width, weights + r * depth, columns, out + r * out_stride,
                                 out_stride);
}

template <typename V>
inline void multiply_add(std::size_t rows, std::size_t depth, std::size_t width, const float* weights,
                         const float* columns, float* out, std::size_t out_stride) {
  std::size_t i = 0;
  for (; i + kVectors * V::kLanes <= width; i += kVectors * V::kLanes)
    multiply_strip<V, kVectors>(rows, depth, width, weights, columns + i, out + i, out_stride);
  for (; i + V::kLanes <= width; i += V::kLanes)
    multiply_strip<V, 1>(rows, depth, width, weights, columns + i, out + i, out_stride);
  for (; i < width; ++i) {
    for (std::size_t r = 0; r < rows; ++r) {
      float sum = out[r * out_stride + i];
      for (std::size_t k = 0; k < depth; ++k)
        sum = std::fma(weights[r * depth + k], columns[k * width + i], sum);
      out[r * out_stride + i] = sum;
    }
  }
}

inline float evaluate_one(const FloatSeries& p, float x) {
  const float t = x * p.factor, twice = 2 * t;
  float next = 0, after = 0;
  for (std::size_t j = p.count; j > 1; --j) {
    const float current = std::fma(twice, next, p.coefficients[j - 1] - after);
    after = next;
    next = current;
  }
  return std::fma(t, next, p.coefficients[0] - after);
}

template <typename V>
inline void evaluate(const FloatSeries& p, std::size_t n, const float* x, float* y) {
  // As many sums underway as hide the latency of two dependent steps.
  constexpr std::size_t kStreams = 4;
  const typename V::Vector factor = V::broadcast(p.factor), two = V::broadcast(2), zero = V::broadcast(0);
  std::size_t i = 0;
  for (; i + kStreams * V::kLanes <= n; i += kStreams * V::kLanes) {
    typename V::Vector t[kStreams], twice[kStreams], next[kStreams], after[kStreams];
    for (std::size_t s = 0; s < kStreams; ++s) {
      t[s] = V::multiply(V::load(x + i + s * V::kLanes), factor);
      twice[s] = V::multiply(t[s], two);
      next[s] = after[s] = zero;
    }
    for (std::size_t j = p.count; j > 1; --j) {
      const typename V::Vector c = V::broadcast(p.coefficients[j - 1]);
      for (std::size_t s = 0; s < kStreams; ++s) {
        const typename V::Vector current = V::multiply_add(twice[s], next[s], V::subtract(c, after[s]));
        after[s] = next[s];
        next[s] = current;
      }
    }
    const typename V::Vector c = V::broadcast(p.coefficients[0]);
    for (std::size_t s = 0; s < kStreams; ++s) {
      V::store(y + i + s * V::kLanes, V::multiply_add(t[s], next[s], V::subtract(c, after[s])));
    }
  }
  for (; i < n; ++i) y[i] = evaluate_one(p, x[i]);
}

inline std::size_t outside(std::size_t n, const float* x, float bound, float& largest) {
  unsigned count = 0;
  float most = largest;
  for (std::size_t i = 0; i < n; ++i) {
    const float size = x[i] < 0 ? -x[i] : x[i];
    count += size <= bound ? 0U : 1U;
    most = size > most ? size : most;
  }
  largest = most;
  return count;
}

}  // namespace
}  // namespace ap::approximation
