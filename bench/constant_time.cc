// Whether the time of the kernels that touch secrets depends on them, measured: two classes of inputs, one
// fixed and one random, timed in random order, and Welch's t-test between the two (Reparaz, Balasch,
// Verbauwhede, "Dude, is my code constant time?", DATE 2017, eprint 2016/1123). Of each kernel the test runs
// on all measurements and on those below each of 100 percentiles, because interruptions only lengthen; the
// largest |t| counts, and one above 4.5 means that the time depends on the input. A control that leaks must
// exceed it.
//
//   constant_time [--measurements N] [--filter TEXT] [--fixed random|zeros]
//
// The fixed input is drawn once, or all zeros: those show more (also that a processor takes less power and so
// runs faster on zeros, which is no fault of a kernel).
//
// tests/constant_time finds branches and indices without noise, but knows neither AVX-512 nor instructions of
// variable time; this knows both, up to what N measurements resolve.
#include <fmt/format.h>
#include <x86intrin.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "he/bfv/scheme.h"
#include "he/rlwe/keys.h"
#include "mpc/core/hash.h"
#include "mpc/core/transpose.h"
#include "mpc/ot/random_ot.h"
#include "random/prng.h"
#include "random/wide_noise.h"
#include "ring/ntt.h"

namespace {

using namespace ap;

constexpr double kThreshold = 4.5;
// Inputs prepared together, so that preparing one does not lie between two measurements; few enough for the
// caches.
constexpr std::size_t kBatchBytes = 64 << 10;
constexpr std::size_t kCalibration = 2000;
constexpr std::size_t kPercentiles = 100;

/// Running mean and variance (Welford).
struct Moments {
  double count = 0, mean = 0, squares = 0;
  void add(double x) {
    count += 1;
    const double from_mean = x - mean;
    mean += from_mean / count;
    squares += from_mean * (x - mean);
  }
  double variance() const { return count > 1 ? squares / (count - 1) : 0; }
};

struct Welch {
  Moments classes[2];
  double t() const {
    const auto& [a, b] = classes;
    if (a.count < 100 || b.count < 100) return 0;
    const double error = std::sqrt(a.variance() / a.count + b.variance() / b.count);
    return error > 0 ? std::abs(a.mean - b.mean) / error : 0;
  }
};

/// One kernel on inputs of `bytes` bytes: `prepare` shapes random bytes into a valid input, `run` is timed.
struct Kernel {
  const char* name;
  std::size_t bytes;
  std::function<void(std::uint8_t* input)> prepare;
  std::function<void(const std::uint8_t* input)> run;
};

struct Result {
  double t = 0, mean_cycles = 0;
  std::size_t kept = 0;  ///< measurements in the test with the largest t
};

std::uint64_t before() {
  _mm_lfence();
  return __rdtsc();
}
std::uint64_t after() {
  unsigned ignored;
  const std::uint64_t now = __rdtscp(&ignored);
  _mm_lfence();
  return now;
}

Result measure(const Kernel& kernel, std::size_t measurements, bool zeros) {
  Prng prng;
  const std::size_t batch = std::clamp<std::size_t>(kBatchBytes / kernel.bytes, 16, kCalibration);
  AlignedVector<std::uint8_t> inputs(batch * kernel.bytes), random(inputs.size()), fixed(kernel.bytes);
  if (!zeros) prng.fill(std::span<std::uint8_t>(fixed));
  std::vector<std::uint8_t> classes(batch);
  std::vector<std::uint32_t> ticks(batch), first;
  std::vector<double> limits;
  std::vector<Welch> tests(kPercentiles + 1);
  for (std::size_t done = 0; done < measurements;) {
    prng.fill(std::span<std::uint8_t>(random));
    prng.fill(std::span<std::uint8_t>(classes));
    for (std::size_t i = 0; i < batch; ++i) {
      classes[i] &= 1;
      const auto mask = static_cast<std::uint8_t>(0 - classes[i]);
      std::uint8_t* input = inputs.data() + i * kernel.bytes;
      const std::uint8_t* drawn = random.data() + i * kernel.bytes;
      // The same reads and writes for both classes, which so leave the same traces in the caches.
      for (std::size_t k = 0; k < kernel.bytes; ++k) {
        input[k] = static_cast<std::uint8_t>((fixed[k] & ~mask) | (drawn[k] & mask));
      }
      kernel.prepare(input);
    }
    for (std::size_t i = 0; i < batch; ++i) {
      const std::uint64_t begin = before();
      kernel.run(inputs.data() + i * kernel.bytes);
      ticks[i] = static_cast<std::uint32_t>(std::min<std::uint64_t>(after() - begin, UINT32_MAX));
    }
    if (limits.empty()) {
      // The first ones warm up and give the percentiles, denser towards the slow end as in the paper.
      first.insert(first.end(), ticks.begin(), ticks.end());
      if (first.size() < kCalibration) continue;
      std::ranges::sort(first);
      for (std::size_t p = 0; p < kPercentiles; ++p) {
        const double part = 1 - std::pow(0.5, 10.0 * static_cast<double>(p + 1) / kPercentiles);
        limits.push_back(first[static_cast<std::size_t>(part * static_cast<double>(first.size() - 1))]);
      }
      continue;
    }
    done += batch;
    for (std::size_t i = 0; i < batch; ++i) {
      const double x = ticks[i];
      tests[kPercentiles].classes[classes[i]].add(x);
      for (std::size_t p = 0; p < kPercentiles; ++p) {
        if (x < limits[p]) tests[p].classes[classes[i]].add(x);
      }
    }
  }
  Result result;
  for (const Welch& test : tests) {
    if (test.t() < result.t) continue;
    result.t = test.t();
    result.kept = static_cast<std::size_t>(test.classes[0].count + test.classes[1].count);
  }
  result.mean_cycles = tests[kPercentiles].classes[0].mean;
  return result;
}

template <typename T>
const T* as(const std::uint8_t* input) {
  return reinterpret_cast<const T*>(input);
}
template <typename T>
T* as(std::uint8_t* input) {
  return reinterpret_cast<T*>(input);
}
void nothing(std::uint8_t*) {}

std::vector<Kernel> kernels() {
  std::vector<Kernel> all;
  // The control: a comparison that ends early.
  all.push_back({"control: early end", 64, nothing, [](const std::uint8_t* x) {
                   volatile std::uint64_t sum = 0;
                   for (int i = 0; i < 64 && x[i] == 0; ++i) sum = sum + x[i];
                 }});
  // Samplers: the seed is the secret. What AES does with it is part of the time.
  static std::vector<std::int8_t> small(64);
  static std::vector<std::int64_t> wide(16);
  all.push_back({"sampler: errors", 32, nothing, [](const std::uint8_t* x) {
                   Prng prng(*as<Seed>(x));
                   sample_error(prng, small);
                 }});
  all.push_back({"sampler: wide noise", 32, nothing, [](const std::uint8_t* x) {
                   Prng prng(*as<Seed>(x));
                   sample_wide_noise(prng, 123456, wide);
                 }});

  // Polynomial arithmetic modulo a prime of 50 bits and one of 30, in a small ring.
  static const std::uint32_t n = 256;
  for (const int bits : {50, 30}) {
    static std::vector<std::unique_ptr<ring::NttTables>> kept;
    kept.push_back(std::make_unique<ring::NttTables>(n, bfv::ntt_primes(bits, n, 1).front()));
    const ring::NttTables* tables = kept.back().get();
    static AlignedVector<std::uint64_t> work(n), other(n, 12345);
    const auto below_prime = [tables](std::uint8_t* x) {
      for (std::size_t i = 0; i < n; ++i) as<std::uint64_t>(x)[i] %= tables->modulus().value();
    };
    const std::string label = fmt::format("{} bits", bits);
    static std::vector<std::string> names;
    names.reserve(16);
    const auto name = [&](const char* what) { return names.emplace_back(what + label).c_str(); };
    all.push_back({name("NTT forward, "), 8 * n, below_prime, [tables](const std::uint8_t* x) {
                     std::memcpy(work.data(), x, 8 * n);
                     tables->forward(work);
                   }});
    all.push_back({name("NTT inverse, "), 8 * n, below_prime, [tables](const std::uint8_t* x) {
                     std::memcpy(work.data(), x, 8 * n);
                     tables->inverse(work);
                   }});
    all.push_back({name("pointwise product, "), 8 * n, below_prime, [tables](const std::uint8_t* x) {
                     const std::uint64_t* const left[] = {as<std::uint64_t>(x)};
                     const std::uint64_t* const right[] = {other.data()};
                     tables->multiply_add(left, right, work);
                   }});
  }

  // A reply decrypted to shares: the reply is random either way, its low bits the difference of the classes.
  constexpr std::uint32_t kDegree = 1024;
  static const bfv::ContextPtr context = bfv::make_context({kDegree, bfv::ntt_primes(27, kDegree, 1)});
  static Prng prng;
  static const rlwe::SecretKey secret(context, prng);
  static bfv::ReplyFormat format;
  for (std::uint32_t i = 0; i < 64; ++i) format.positions.push_back(16 * i);
  static const std::size_t reply_bytes = bfv::reply_bytes(*context, format);
  all.push_back({"decryption to shares", (reply_bytes + 63) / 64 * 64,
                 [](std::uint8_t* x) {
                   // Values of 27 bits, packed: the top bit of each cleared keeps them below q.
                   for (std::size_t bit = 26; bit < 8 * reply_bytes; bit += 27) {
                     x[bit / 8] = static_cast<std::uint8_t>(x[bit / 8] & ~(1u << bit % 8));
                   }
                   const std::size_t first =
                       (27 * format.positions.size() + 7) / 8;  // the second part begins anew
                   for (std::size_t bit = 26; bit < 8 * (reply_bytes - first); bit += 27) {
                     std::uint8_t& byte = x[first + bit / 8];
                     byte = static_cast<std::uint8_t>(byte & ~(1u << bit % 8));
                   }
                 },
                 [](const std::uint8_t* x) {
                   static std::vector<std::uint64_t> shares(format.positions.size());
                   bfv::decrypt_reply(*context, secret, {x, reply_bytes}, 14, format, shares);
                 }});

  // Transfers and garbling: hash of labels, transposition, tables chosen from.
  static const mpc::Permutation pi(mpc::Block{1, 2});
  static SecretVector<mpc::Block> blocks(1024);
  all.push_back({"hash of 64 blocks", 64 * 16, nothing,
                 [](const std::uint8_t* x) { pi.hash(as<mpc::Block>(x), 7, blocks.data(), 64); }});
  all.push_back({"transposition of 128 rows", 128 * 16, nothing,
                 [](const std::uint8_t* x) { mpc::transpose_columns(x, 16, 1, blocks.data()); }});
  all.push_back({"slices of words", 8 * 512, nothing, [](const std::uint8_t* x) {
                   mpc::slice_words({as<std::uint64_t>(x), 512}, 3, 20, std::span(blocks).first(20 * 4));
                 }});
  all.push_back({"entry chosen, 1 of 16", 4 * 16 + 16 * 16, nothing, [](const std::uint8_t* x) {
                   const auto* index = as<mpc::Block>(x);
                   blocks[0] = mpc::select_entry(index + 4, 4, index);
                 }});
  all.push_back({"entries permuted, 16", 4 * 16 + 16 * 16, nothing, [](const std::uint8_t* x) {
                   const auto* index = as<mpc::Block>(x);
                   std::copy_n(index + 4, 16, blocks.begin());
                   mpc::permute_entries(blocks.data(), 4, index);
                 }});
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t measurements = 1'000'000;
  std::string_view filter;
  bool zeros = false;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i], value = argv[i + 1];
    if (option == "--measurements") std::from_chars(value.data(), value.data() + value.size(), measurements);
    if (option == "--filter") filter = value;
    if (option == "--fixed") zeros = value == "zeros";
  }
  bool good = true;
  fmt::print("{:<28} {:>12} {:>10} {:>8} {:>12}\n", "kernel", "measurements", "ticks", "max |t|",
             "of so many");
  for (const Kernel& kernel : kernels()) {
    const std::string_view name = kernel.name;
    if (name.find(filter) == std::string_view::npos) continue;
    const Result result = measure(kernel, measurements, zeros || name.starts_with("control"));
    const bool control = name.starts_with("control");
    const bool leaks = result.t > kThreshold;
    good = good && leaks == control;
    fmt::print("{:<28} {:>12} {:>10.0f} {:>8.2f} {:>12}{}\n", name, measurements, result.mean_cycles,
               result.t, result.kept,
               leaks     ? control ? "  leaks, as it should" : "  LEAKS"
               : control ? "  NOT FOUND"
                         : "");
    std::fflush(stdout);
  }
  return good ? 0 : 1;
}
