// What garbling, transfers and trees lose by the number of hashes under one key of AES.
//
// Model: AES-128 is an ideal cipher. A "hidden" hash is one whose input holds the secret offset (R of
// garbling, Delta of transfers) and whose output, or its sum with known blocks, the attacker sees. With q
// hidden hashes H(w_j xor R, i_j) = pi(pi(x_j) xor i_j) xor pi(x_j) under one key an attacker makes one table
// of all of them, and each evaluation of pi tests all: the cost of the offset falls by q (Guo, Katz, Wang,
// Weng, Yu, "Better Concrete Security for Half-Gates Garbling", eprint 2019/1168, section 3). Under different
// keys it does not, since an evaluation is under one key; that is why mpc/core/hash.h changes keys.
//
// Bound, in the manner of the proofs of eprint 2019/074 (section 7) with keys summed over. An evaluation of
// pi is bad if its input or output is x_j, pi(x_j), pi(x_j) xor i_j or its image for some j: probability at
// most 2q/2^128. Two hidden hashes under one key meet (x_j = pi(x_l) xor i_l, and so on), or a permutation
// shows that it is none of random functions: at most 4 q^2/2^128 for each key. If p evaluations are made and
// G hashes seen in all, the advantage is at most (2pq + 4Gq)/2^128, and since whoever sees G hashes has
// worked p + G,
//   work / advantage >= 2^126 / q.
// Keys are 128-bit values as good as random: if m + 1 of them coincide, q counts for m keys. The derivation
// is ours; GGM trees, whose hash has one evaluation of pi and no tweak, are within it.
#pragma once

namespace ap::security {

/// Hidden hashes under one key, at most; what mpc holds itself to.
inline constexpr double kMaxHashesPerKey = 1048576;  // 2^20: an argmax over a thousand classes is one circuit

/// Half-gates, over all sessions of all clients of a server, that garbling_bits() counts on.
inline constexpr double kGarbledGates = 1099511627776;  // 2^40

/// log2 of work / advantage by the bound above, for `keys` keys of at most `hashes_per_key` hidden hashes:
/// the largest bound over the number of coinciding keys. @throws Error(internal) unless both are at least 1.
double garbling_bits(double hashes_per_key, double keys);

/// Bits of security of garbling as the system uses it: kMaxHashesPerKey, and for kGarbledGates gates as many
/// keys, the worst case, where each gate has its own (it then has few hashes too).
double garbling_bits();

}  // namespace ap::security
