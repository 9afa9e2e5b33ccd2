// A network of five nodes with a hand-made plan: big enough to use every part of the format, small enough to
// damage it in every place.
#pragma once

#include "nn/ir/quantised_bounds.h"
#include "package/package.h"
#include "plan/moduli.h"

namespace ap::package {

inline Package small_package() {
  Package p;
  p.role = Party::server;
  nn::QuantisedNetwork& net = p.network;
  net.name = "small";
  nn::QNode input{"image", nn::QInput{}, {}, {1, 4, 4}, 0.5, -8, 7};
  nn::QLinear conv;
  conv.in_shape = {1, 4, 4};
  conv.window.kernel_h = conv.window.kernel_w = 3;
  conv.window.pad = {1, 1, 1, 1};
  for (int i = 0; i < 18; ++i) conv.weights.push_back(static_cast<std::int16_t>(i * 7 % 13 - 6));
  conv.bias = {100, -100};
  nn::QNode first{"conv", conv, {0}, {2, 4, 4}, 0.25};
  nn::QActivation relu;
  relu.shift = 4;
  relu.bits = 4;
  nn::QNode second{"relu", relu, {1}, {2, 4, 4}, 4.0};
  nn::QLinear fc;
  fc.in_shape = {32, 1, 1};
  // A run of distinctive values that the test can search for in the bytes.
  for (int i = 0; i < 96; ++i) fc.weights.push_back(static_cast<std::int16_t>(i * 31 % 61 - 30));
  fc.bias = {0x1122334, -0x1122334, 7};
  nn::QNode last{"classes", fc, {2}, {3, 1, 1}, 0.125};
  net.nodes = {input, first, second, last};
  nn::set_ranges(net, static_cast<int>(net.nodes.size()));

  plan::Plan& plan = p.plan;
  plan.policy = "exact";
  plan.target_failure_log2 = -40;
  plan.failure_log2 = -45;
  plan.min_lambda_bits = 128.5;
  plan.groups = {{2048, bfv::ntt_primes(50, 2048, 1)}};
  const int guard_bits = 1;
  plan.modulus_bits = plan::assign_moduli(net, guard_bits);
  plan::LinearChoice a;
  a.node = 1;
  a.log2_p = plan.modulus_bits[1];
  a.coefficient()->packing.window_h = a.coefficient()->packing.window_w = 6;
  a.coefficient()->packing.channels_out = 2;
  a.error_std = 0.05;
  a.failure_log2 = -70;
  plan::LinearChoice b;
  b.node = 3;
  b.log2_p = plan.modulus_bits[3];
  b.coefficient()->packing.window_h = b.coefficient()->packing.window_w = 1;
  b.coefficient()->packing.channels_in = 32;
  b.coefficient()->packing.channels_out = 3;
  b.coefficient()->c0_dropped_bits = 3;
  b.error_std = 0.05;
  b.failure_log2 = -50;
  b.predicted_s = 0.5;
  b.predicted_bytes = 12345;
  plan.linears = {a, b};
  plan::ActivationChoice c;
  c.node = 2;
  c.truncation = plan::truncation_of(relu, net.nodes[1], guard_bits);
  c.out_bits = plan.modulus_bits[2];
  plan.activations = {c};
  p.normalization = "scale=255 mean=0.5 std=0.25";
  p.labels = {"cat", "dog", "fish"};
  return p;
}

/// The same network with its layers packed for SIMD, under two primes.
inline Package small_simd_package() {
  constexpr std::uint32_t n = 2048;
  constexpr int kPrimeBits = 20;
  Package p = small_package();
  plan::Plan& plan = p.plan;
  const std::vector<std::uint64_t> primes = bfv::batch_primes(kPrimeBits, n, 2);
  plan.groups.clear();
  for (const std::uint64_t prime : primes) {
    plan.batch_groups.push_back(
        {{n, bfv::batch_primes(36, n, 3), bfv::batch_primes(37, n, 1), 0}, {prime}, false});
  }
  plan.primes = {primes[0], primes[0], primes[1], primes[1]};
  plan.modulus_bits.assign(4, kPrimeBits);
  for (plan::LinearChoice& choice : plan.linears) {
    choice.group = choice.node == 1 ? 0 : 1;
    choice.log2_p = kPrimeBits;
    choice.packing = plan::SimdChoice();
    choice.simd()->conv = linear::SimdConvMethod::output_rotation;
    choice.simd()->fc = linear::SimdFcMethod::diagonal_baby_giant;
    choice.simd()->flood_bits = 50;
    choice.simd()->reply_level = choice.group + 1;
  }
  plan::ActivationChoice& activation = plan.activations[0];
  activation.truncation.guard_bits = activation.truncation.shift;
  activation.truncation.sum_bits = kPrimeBits - activation.truncation.shift;
  activation.out_bits = kPrimeBits;
  plan.notes = {"made by hand"};
  return p;
}

}  // namespace ap::package
