// Element-wise kernels against their reference implementations.
#include <functional>

#include "base/cpu.h"
#include "fuzz/support/target.h"
#include "fuzz/support/values.h"
#include "ring/elementwise.h"
#include "ring/primes.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  if (!cpu().ifma) return;
  Values values(input);
  const std::size_t n = 8 * values.size(1, 40);
  const ring::Modulus q(ring::ntt_primes(static_cast<int>(values.size(20, 50)), 64, 1).at(0));
  const ring::ElementwiseKernels &plain = ring::plain_elementwise(), &fast = ring::ifma_elementwise();
  const ring::FixedFactor w(q, values.below(q.value()));
  const auto wide = values.residues(n, std::uint64_t{1} << 52), x = values.residues(n, q.value()),
             y = values.residues(n, q.value());
  std::vector<std::uint64_t> a(n), b(n);
  const auto check = [&](auto which, auto... arguments) {
    (plain.*which)(arguments..., a.data(), n);
    (fast.*which)(arguments..., b.data(), n);
    require(a == b, "kernels agree");
    for (const std::uint64_t v : a) require(v < q.value(), "a residue");
  };
  check(&ring::ElementwiseKernels::multiply, wide.data(), w, std::cref(q));
  check(&ring::ElementwiseKernels::multiply_add, wide.data(), w, y.data(), std::cref(q));
  check(&ring::ElementwiseKernels::add, x.data(), y.data(), q.value());
  check(&ring::ElementwiseKernels::subtract, x.data(), y.data(), q.value());

  const std::size_t count = values.size(1, 64);
  std::vector<std::vector<std::uint64_t>> terms;
  std::vector<const std::uint64_t*> pointers;
  for (std::size_t k = 0; k < count; ++k) {
    terms.push_back(values.residues(n, std::uint64_t{1} << 50));
    pointers.push_back(terms.back().data());
  }
  const auto factors = values.residues(count, q.value());
  plain.dot(pointers.data(), factors.data(), count, q, a.data(), n);
  fast.dot(pointers.data(), factors.data(), count, q, b.data(), n);
  require(a == b, "kernels agree");

  const std::size_t degree = std::size_t{16} << values.size(0, 4);
  const ring::Automorphism map(degree, static_cast<std::uint32_t>(2 * values.size(0, degree - 1) + 1));
  const auto from = values.residues(degree, q.value());
  std::vector<std::uint64_t> c(degree), d(degree);
  plain.permute(from.data(), map, c.data(), degree);
  fast.permute(from.data(), map, d.data(), degree);
  require(c == d, "kernels agree");
}

const Register known(
    {.name = "elementwise", .run = run, .seeds = size_seeds, .mistakes = Mistakes::none, .max_bytes = 64});

}  // namespace
}  // namespace ap::fuzz
