// The parts of plan::validate that concern layers packed for SIMD and shares modulo primes.
#pragma once

#include "layers/linear/simd/linear.h"
#include "plan/plan.h"

namespace ap::plan {

/// The sizes of parameter groups for SIMD, before contexts are made of them. @throws Error(input) naming the
/// parameter that is wrong.
void check_batch_groups(const Plan& plan);

/// Sharing primes against the network, by themselves: the right number of them, each a prime of its node's
/// width, the same at both ends of every node but an activation's, and garbling wherever an activation reads
/// or writes one. Needs Plan::modulus_bits to be checked. @throws Error(input) naming the layer.
void check_primes(const Plan& plan, const nn::QuantisedNetwork& network);

/// The numbers of one linear layer packed for SIMD, after check_primes. @throws Error(input) naming the layer.
void check_simd(const LinearChoice& choice, const SimdChoice& simd, const Plan& plan,
                const nn::QuantisedNetwork& network);
/// What it would take of memory and of messages. @throws Error(input) naming the layer.
void check_sizes(const linear::SimdLinear& layer, const std::string& name);

/// Zero where the shares of the node are taken modulo a power of two.
std::uint64_t prime_of(const Plan& plan, int node);

}  // namespace ap::plan
