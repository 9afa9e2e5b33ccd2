#include "security/limits.h"

#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include "base/error.h"

namespace ap::security {
namespace {

constexpr std::size_t kMostRemembered = 1024;

Instance sparse_instance(std::uint32_t n, double log2_q, double sigma, double weight) {
  Instance instance{static_cast<double>(n), log2_q, sigma};
  instance.secret = Secret::sparse_ternary;
  instance.weight = weight;
  return instance;
}

void require_sigma(double sigma) {
  if (!(sigma >= kMinSigma)) {
    fail_security("errors of standard deviation {} are below the limit of {}", sigma, kMinSigma);
  }
}

}  // namespace

double lambda_bits(std::uint32_t n, double log2_q, CostModel model) {
  return std::floor(10 * estimate({static_cast<double>(n), log2_q, 3.2}, model).lambda_min) / 10;
}

double lambda_bits_sparse(std::uint32_t n, double log2_q, double weight) {
  return std::floor(10 * estimate(sparse_instance(n, log2_q, 3.2, weight)).lambda_min) / 10;
}

int max_log2_q(std::uint32_t n) {
  static std::mutex mutex;
  static std::map<std::uint32_t, int> known;
  const std::lock_guard lock(mutex);
  const auto found = known.find(n);
  if (found != known.end()) return found->second;
  return known[n] = largest_log2_q(n, kTargetBits, kMinSigma);
}

void require_secure(std::uint32_t n, double log2_q, double sigma) {
  require_sigma(sigma);
  // An estimate takes milliseconds, and every session asks for the same few sets.
  static std::mutex mutex;
  static std::set<std::tuple<std::uint32_t, double, double>> secure;
  const std::tuple asked(n, log2_q, sigma);
  {
    const std::lock_guard lock(mutex);
    if (secure.contains(asked)) return;
  }
  const Estimate e = estimate({static_cast<double>(n), log2_q, sigma});
  if (!(e.lambda_min >= kTargetBits)) {
    fail_security(
        "a modulus of {:.2f} bits in a ring of degree {} has {:.1f} bits of security, less than {}; "
        "the limit is {} bits",
        log2_q, n, e.lambda_min, kTargetBits, max_log2_q(n));
  }
  const std::lock_guard lock(mutex);
  if (secure.size() < kMostRemembered) secure.insert(asked);
}

void require_secure_sparse(std::uint32_t n, double log2_q, double sigma, double weight) {
  require_sigma(sigma);
  const Estimate e = estimate(sparse_instance(n, log2_q, sigma, weight));
  if (!(e.lambda_min >= kTargetBits)) {
    fail_security(
        "a modulus of {:.2f} bits in a ring of degree {} under a secret with {} coefficients that are not 0 has {:.1f} "
        "bits of security, less than {}: take a smaller modulus or more coefficients",
        log2_q, n, weight, e.lambda_min, kTargetBits);
  }
}

}  // namespace ap::security
