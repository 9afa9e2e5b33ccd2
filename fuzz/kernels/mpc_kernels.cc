// Kernels of transfers and garbling against their reference implementations: hash, permutation, transposition, field,
// trees, code.
#include "base/cpu.h"
#include "base/memory.h"
#include "fuzz/support/target.h"
#include "fuzz/support/values.h"
#include "mpc/core/gf128.h"
#include "mpc/core/hash.h"
#include "mpc/core/transpose.h"
#include "mpc/ot/ggm_kernels.h"
#include "mpc/ot/lpn_kernels.h"

namespace ap::fuzz {
namespace {

using mpc::Block;
namespace kernels = mpc::kernels;

AlignedVector<Block> blocks(Values& values, std::size_t count) {
  AlignedVector<Block> out(count);
  for (Block& b : out) b = {values.any<std::uint64_t>(), values.any<std::uint64_t>()};
  return out;
}

void hashes(Values& values) {
  const mpc::Permutation pi(blocks(values, 1)[0]);
  const auto in = blocks(values, values.size(0, 200));
  const auto tweak = values.any<std::uint64_t>();
  AlignedVector<Block> plain(in.size()), out(in.size());
  const auto check = [&](bool available, auto twin, auto kernel, auto... more) {
    twin(pi.round_keys(), in.data(), more..., plain.data(), in.size());
    if (!available) return;
    kernel(pi.round_keys(), in.data(), more..., out.data(), in.size());
    require(out == plain, "kernels agree");
    out = in;
    kernel(pi.round_keys(), out.data(), more..., out.data(), in.size());
    require(out == plain, "kernels work in place");
  };
  check(cpu().aes, kernels::hash_plain, kernels::hash_aesni, tweak);
  check(cpu().vaes, kernels::hash_plain, kernels::hash_vaes, tweak);
  check(cpu().aes, kernels::permute_plain, kernels::permute_aesni);
  check(cpu().vaes, kernels::permute_plain, kernels::permute_vaes);
}

void transposes(Values& values) {
  const std::size_t stride = values.size(16, 64);
  const auto columns = values.array<std::uint8_t>(128 * stride);
  AlignedVector<Block> plain(128), out(128);
  kernels::transpose_plain(columns.data(), stride, plain.data());
  kernels::transpose_swaps(columns.data(), stride, out.data());
  require(out == plain, "kernels agree");
  if (cpu().avx2) {
    kernels::transpose_avx2(columns.data(), stride, out.data());
    require(out == plain, "kernels agree");
  }
  const std::size_t count = values.size(1, 64), step = values.size(1, 4);
  const auto in = blocks(values, 128);
  AlignedVector<Block> slices(count * step), more(count * step);
  kernels::slice_lowest_plain(in.data(), count, slices.data(), step);
  if (cpu().avx512) {
    kernels::slice_lowest_avx512(in.data(), count, more.data(), step);
    require(more == slices, "kernels agree");
  }
}

void fields(Values& values) {
  const auto in = blocks(values, values.size(0, 300));
  const auto two = blocks(values, 2);
  const mpc::GfPowers powers(two[0]);
  const Block plain = kernels::gf_hash_plain(in.data(), in.size(), powers);
  if (cpu().clmul) {
    require(kernels::gf_hash_clmul(in.data(), in.size(), powers) == plain, "kernels agree");
    require(kernels::gf_multiply_clmul(two[0], two[1]) == kernels::gf_multiply_plain(two[0], two[1]),
            "kernels agree");
  }
  if (cpu().vclmul) require(kernels::gf_hash_vclmul(in.data(), in.size(), powers) == plain, "kernels agree");
}

void trees(Values& values) {
  const std::size_t width = std::size_t{1} << values.size(0, 8);
  const mpc::Permutation pi(blocks(values, 1)[0]);
  AlignedVector<Block> plain = blocks(values, 2 * width), out = plain;
  const Block sum = kernels::children_plain(pi, plain.data(), width);
  if (cpu().vaes && width >= kernels::kChildrenBlocks) {
    require(kernels::children_vaes(pi, out.data(), width) == sum && out == plain, "kernels agree");
  }
}

void codes(Values& values) {
  const auto secret = blocks(values, values.size(1, 2000));
  const std::size_t count = 2 * values.size(1, 32);
  const auto numbers = blocks(values, count / 2 * 5);
  AlignedVector<Block> plain = blocks(values, count), out = plain;
  kernels::lpn_rows_plain(secret, numbers.data(), plain);
  if (cpu().avx512) {
    kernels::lpn_rows_avx512(secret, numbers.data(), out);
    require(out == plain, "kernels agree");
  }
}

void run(ByteView input) {
  Values values(input);
  switch (values.size(0, 4)) {
    case 0:
      return hashes(values);
    case 1:
      return transposes(values);
    case 2:
      return fields(values);
    case 3:
      return trees(values);
    default:
      return codes(values);
  }
}

const Register known(
    {.name = "mpc_kernels", .run = run, .seeds = size_seeds, .mistakes = Mistakes::none, .max_bytes = 64});

}  // namespace
}  // namespace ap::fuzz
