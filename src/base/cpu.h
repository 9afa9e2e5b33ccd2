// What this processor can do. Kernels are compiled for every instruction set by function target attributes
// and chosen once at run time; AUTOPRIVACY_CPU=scalar|avx2|avx512 caps the choice (tests, Valgrind,
// comparisons).
#pragma once

namespace ap {

struct CpuFeatures {
  bool avx2 = false;
  bool avx512 = false;  ///< F, DQ, BW, VL
  bool ifma = false;    ///< AVX-512 IFMA (and avx512)
  bool vnni = false;    ///< AVX-512 VNNI (and avx512)
  bool aes = false;     ///< AES-NI and SSE4.1
  bool vaes = false;    ///< VAES on 512-bit vectors (and avx512)
  bool clmul = false;   ///< carry-less products of 64 bits, and SSE4.1
  bool vclmul = false;  ///< the same on 512-bit vectors (and avx512)
};

/// What this processor can do; detected once, on first use.
const CpuFeatures& cpu();

}  // namespace ap
