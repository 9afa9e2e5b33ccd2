#include "layers/linear/plaintext/clear_kernels.h"

#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/cpu.h"
#include "base/instruction_set.h"

namespace ap::linear {
namespace {

// Written with the compiler's vector types, so that one source serves every instruction set: the function
// that inlines it decides which instructions it becomes.
template <typename T, int kBytes>
struct Vector {
  typedef T Type __attribute__((vector_size(kBytes)));
  static constexpr int kWidth = kBytes / static_cast<int>(sizeof(T));
};

template <typename T>
using Signed = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;

// kBytes per register. kRowsAtOnce keeps the sums within the registers of the instruction set.
template <typename T, int kBytes, int kRowsAtOnce, int kVectorsAtOnce>
[[gnu::always_inline]] inline void block(const std::int32_t* weights, const T* columns, std::int64_t depth,
                                         T* sums) {
  using V = typename Vector<T, kBytes>::Type;
  constexpr int kWidth = Vector<T, kBytes>::kWidth;
  constexpr int kStep = kWidth * kVectorsAtOnce;
  static_assert(kRows % kRowsAtOnce == 0 && kLanes % kStep == 0);
  for (int row = 0; row < kRows; row += kRowsAtOnce) {
    for (int lane = 0; lane < kLanes; lane += kStep) {
      V sum[kRowsAtOnce][kVectorsAtOnce];
      for (int r = 0; r < kRowsAtOnce; ++r) {
        for (int v = 0; v < kVectorsAtOnce; ++v) {
          std::memcpy(&sum[r][v], sums + (row + r) * kLanes + lane + v * kWidth, sizeof(V));
        }
      }
      for (std::int64_t k = 0; k < depth; ++k) {
        V x[kVectorsAtOnce];
        for (int v = 0; v < kVectorsAtOnce; ++v) {
          std::memcpy(&x[v], columns + k * kLanes + lane + v * kWidth, sizeof(V));
        }
#pragma GCC unroll 8
        for (int r = 0; r < kRowsAtOnce; ++r) {
          const T w = static_cast<T>(Signed<T>{weights[k * kRows + row + r]});
#pragma GCC unroll 4
          for (int v = 0; v < kVectorsAtOnce; ++v) sum[r][v] += x[v] * w;
        }
      }
      for (int r = 0; r < kRowsAtOnce; ++r) {
        for (int v = 0; v < kVectorsAtOnce; ++v) {
          std::memcpy(sums + (row + r) * kLanes + lane + v * kWidth, &sum[r][v], sizeof(V));
        }
      }
    }
  }
}

template <typename T, int kBytes>
[[gnu::always_inline]] inline T dot(const std::int16_t* weights, const T* x, std::int64_t depth) {
  using V = typename Vector<T, kBytes>::Type;
  using VSigned = typename Vector<Signed<T>, kBytes>::Type;
  constexpr int kWidth = Vector<T, kBytes>::kWidth;
  using VShort = typename Vector<std::int16_t, kWidth * 2>::Type;
  constexpr int kSums = 4;  // independent chains hide the latency of the multiplication
  V sum[kSums] = {};
  std::int64_t k = 0;
  for (; k + kSums * kWidth <= depth; k += kSums * kWidth) {
#pragma GCC unroll 4
    for (int v = 0; v < kSums; ++v) {
      VShort w;
      V values;
      std::memcpy(&w, weights + k + v * kWidth, sizeof(w));
      std::memcpy(&values, x + k + v * kWidth, sizeof(values));
      sum[v] += (V) __builtin_convertvector(w, VSigned) * values;
    }
  }
  T total = 0;
  for (int v = 0; v < kSums; ++v) {
    for (int i = 0; i < kWidth; ++i) total += sum[v][i];
  }
  for (; k < depth; ++k) total += static_cast<T>(Signed<T>{weights[k]}) * x[k];
  return total;
}

template <typename T>
[[gnu::always_inline]] inline void add_scaled(T weight, const T* x, std::int64_t count, T* y) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += weight * x[i];
}

// The three versions. SSE2 is the least that every 64-bit x86 processor has.
template <typename T>
void block_scalar(const std::int32_t* w, const T* x, std::int64_t depth, T* sums) {
  block<T, 16, 4, 2>(w, x, depth, sums);
}
template <typename T>
T dot_scalar(const std::int16_t* w, const T* x, std::int64_t depth) {
  T total = 0;
  for (std::int64_t k = 0; k < depth; ++k) total += static_cast<T>(Signed<T>{w[k]}) * x[k];
  return total;
}
template <typename T>
void add_scaled_scalar(T w, const T* x, std::int64_t count, T* y) {
  add_scaled(w, x, count, y);
}

#if defined(__x86_64__)
#define AP_AVX2 __attribute__((target("avx2")))
#define AP_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl" AP_WHOLE_512)))

template <typename T>
AP_AVX2 void block_avx2(const std::int32_t* w, const T* x, std::int64_t depth, T* sums) {
  block<T, 32, 4, 2>(w, x, depth, sums);
}
template <typename T>
AP_AVX2 T dot_avx2(const std::int16_t* w, const T* x, std::int64_t depth) {
  return dot<T, 32>(w, x, depth);
}
template <typename T>
AP_AVX2 void add_scaled_avx2(T w, const T* x, std::int64_t count, T* y) {
  add_scaled(w, x, count, y);
}
template <typename T>
AP_AVX512 void block_avx512(const std::int32_t* w, const T* x, std::int64_t depth, T* sums) {
  block<T, 64, 8, 2>(w, x, depth, sums);
}
template <typename T>
AP_AVX512 T dot_avx512(const std::int16_t* w, const T* x, std::int64_t depth) {
  return dot<T, 64>(w, x, depth);
}
template <typename T>
AP_AVX512 void add_scaled_avx512(T w, const T* x, std::int64_t count, T* y) {
  add_scaled(w, x, count, y);
}
#endif

}  // namespace

template <typename T>
ClearKernels<T> clear_kernels(const char* name) {
#if defined(__x86_64__)
  const std::string_view wanted = name;
  if (wanted == "avx512") return {block_avx512<T>, dot_avx512<T>, add_scaled_avx512<T>};
  if (wanted == "avx2") return {block_avx2<T>, dot_avx2<T>, add_scaled_avx2<T>};
#else
  (void)name;
#endif
  return {block_scalar<T>, dot_scalar<T>, add_scaled_scalar<T>};
}

template <typename T>
const ClearKernels<T>& clear_kernels() {
  static const ClearKernels<T> kernels = clear_kernels<T>(cpu().avx512 ? "avx512"
                                                          : cpu().avx2 ? "avx2"
                                                                       : "scalar");
  return kernels;
}

template ClearKernels<std::uint32_t> clear_kernels(const char*);
template ClearKernels<std::uint64_t> clear_kernels(const char*);
template const ClearKernels<std::uint32_t>& clear_kernels();
template const ClearKernels<std::uint64_t>& clear_kernels();

}  // namespace ap::linear
