// The circuits of clipped activations on additive shares. Wire and bit numbers count from the lowest bit.
#pragma once

#include <span>
#include <vector>

#include "layers/activation/activation_spec.h"
#include "mpc/garble/circuit.h"

namespace ap::activation {

// With spec.in_prime the known bits of the two circuits on shares are prime_sum_knowns
// (layers/activation/gc/prime_sum.h) instead of the bits of b. With spec.out_prime words are taken modulo it instead of
// 2^k, at no AND.

/// Inputs: the share_bits bits of a; known: those of b. Word: clamp(t, 0, 2^m - 1) minus the mask, mod 2^k.
/// With m' = min(m, n - 1) and h = n - m' upper bits: up to kMaxClampHighBits upper bits a ClampGate does all
/// above the carry, and g + m' - 1 ANDs are left; beyond, share_bits - 2 carries and h - 1 ANDs of the range
/// test. Both and one ciphertext for the lowest carry. With any prime there is no ClampGate: it needs both
/// parties to know their summands of the low bits, and adds them in Z_2^k. With in_prime 2 share_bits - 2
/// ANDs and share_bits - j halves for the sum, and the h - 1 ANDs of the range test: none of these can go,
/// for in range means that h bits that nobody knows are all zero, the AND of all of them.
mpc::Circuit clamp_sum_circuit(const ActivationSpec& spec);

/// Inputs and known bits as above; outputs: the labels of the n bits of t.
mpc::Circuit sum_circuit(const ActivationSpec& spec);

/// Whether x < y as signed numbers of the same width. One AND a bit. differs[i] = x[i] ^ y[i].
mpc::Wire add_less(mpc::Circuit& circuit, std::span<const mpc::Wire> x, std::span<const mpc::Wire> y,
                   std::vector<mpc::Wire>& differs);

/// Inputs: n bits of x, then n bits of y, signed; outputs: the n bits of the larger. 2n ANDs.
mpc::Circuit max_circuit(const ActivationSpec& spec);

/// Inputs: the n bits of a signed value. Word: clamp(value, 0, 2^m - 1) minus the mask, mod 2^k.
mpc::Circuit clamp_circuit(const ActivationSpec& spec);

}  // namespace ap::activation
