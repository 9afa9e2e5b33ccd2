#include "base/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <string_view>

namespace ap {
namespace {

#if defined(__x86_64__)
/// Not every compiler's __builtin_cpu_supports knows this one by name.
bool has_vaes() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c & bit_VAES) != 0;
}
#endif

CpuFeatures detect() {
  CpuFeatures f;
#if defined(__x86_64__)
  __builtin_cpu_init();
  f.aes = __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
  f.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  f.avx512 = f.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  f.ifma = f.avx512 && __builtin_cpu_supports("avx512ifma");
  f.vnni = f.avx512 && __builtin_cpu_supports("avx512vnni");
  f.vaes = f.avx512 && has_vaes();
  f.clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  f.vclmul = f.avx512 && f.clmul && __builtin_cpu_supports("vpclmulqdq");
#endif
  const char* cap = std::getenv("AUTOPRIVACY_CPU");
  const std::string_view limit = cap ? cap : "";
  if (limit == "scalar") return CpuFeatures{};
  if (limit == "avx2") f.avx512 = f.ifma = f.vnni = f.vaes = f.vclmul = false;
  if (limit == "avx512") f.ifma = f.vnni = f.vaes = f.vclmul = false;
  return f;
}

}  // namespace

const CpuFeatures& cpu() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace ap
