// Every kernel of the number-theoretic transform against the scalar one.
#include "ring/ntt.h"
#include "fuzz/support/target.h"
#include "fuzz/support/values.h"
#include "ring/primes.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  using ring::NttKernel;
  Values values(input);
  const std::size_t n = std::size_t{16} << values.size(0, 7);
  const int bits = static_cast<int>(values.size(20, 60));
  const std::size_t products = values.size(1, 40);
  const std::uint64_t q = ring::ntt_primes(bits, n, 1).at(0);
  std::vector<std::vector<std::uint64_t>> x, y;
  std::vector<const std::uint64_t*> left, right;
  for (std::size_t k = 0; k < products; ++k) {
    x.push_back(values.residues(n, q));
    y.push_back(values.residues(n, q));
    left.push_back(x.back().data());
    right.push_back(y.back().data());
  }
  const std::vector<std::uint64_t> start = values.residues(n, q);
  std::vector<std::uint64_t> forward, inverse, sum;
  for (const NttKernel kernel :
       {NttKernel::scalar, NttKernel::avx2, NttKernel::avx512_32, NttKernel::avx512_64, NttKernel::ifma}) {
    if (!ring::suits(kernel, n, q)) continue;
    const ring::NttTables tables(n, q, kernel);
    std::vector<std::uint64_t> f = x[0], i = x[0], s = start;
    tables.forward(f);
    tables.inverse(i);
    tables.multiply_add(left, right, s);
    if (kernel == NttKernel::scalar) {
      forward = f;
      inverse = i;
      sum = s;
      tables.inverse(f);
      require(f == x[0], "the inverse undoes the transform");
    } else {
      require(f == forward && i == inverse && s == sum, "kernels agree");
    }
  }
}

const Register known(
    {.name = "ntt", .run = run, .seeds = size_seeds, .mistakes = Mistakes::none, .max_bytes = 64});

}  // namespace
}  // namespace ap::fuzz
