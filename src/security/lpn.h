// What the attacks on learning parity with noise cost, for a sparse code and regular noise as silent
// oblivious transfer uses them (mpc/ot/lpn.h): n rows, each the sum of `weight` random elements of a secret of k
// bits, and one wrong row in every bin of n/t.
//
// All attacks but the last two guess that a set of s rows is free of noise, (1 - s/n)^-t trials when its rows
// are spread evenly over the bins, and solve for the variables in it.
//   pooled Gauss      s = k rows, dense elimination in k^2.8 steps (Esser, Kuebler, May, CRYPTO 2017).
//   subset            Only the rows inside a random set of rho k variables, n rho^weight of them. As soon as
//   these
//                     are rho k, they determine the variables, and the rest follow row by row. Solved
//                     densely, or in 20 s^2 steps by Wiedemann's method, since rows are sparse.
//   information set   The same with up to p wrong rows in the set, found by meeting in the middle on the l
//   rows
//                     more that a trial predicts (Stern 1989): lists of C(s/2, p/2) patterns of l = log2 of
//                     that many bits, for which l sparse systems are solved. p is minimised over.
//   best subset       A lower bound for attacks of this kind rather than an attack: s is the size below which
//   no set
//                     of s variables, however found, holds s rows (the expected number of such sets is below
//                     one). It covers sets chosen by degree or greedily, and sums of rows that cancel
//                     variables outside, since those rows and variables make a larger such set. Solved as the
//                     cheapest above.
//   statistical decoding  Parity checks of weight s/2, as the kernel of a determined set gives them, s that
//   of
//                     `best subset`, found for free; (1 - 2/bin)^-2w of them.
//   algebraic         Regular noise as quadratic equations (Briaud, Oygarden, eprint 2023/176): after
//   guessing that
//                     g rows are clean, the system is solved at the lowest degree D whose coefficient in
//                     (1 + b z)^t / (1 + z)^(n - k), b = (n - g)/t - 1, is not positive; the matrix has C(k -
//                     g, D) columns and is eliminated in 2.8, or by Wiedemann's method in 3 (k - g) times the
//                     square. g and D in 2..4 are minimised over. This is below their own figures by 3 to 25
//                     bits (for example 83 against 104 at n = 2^22, k = 67440, t = 4788): it charges for
//                     less.
// `subset` and what follows from it are estimates of ours, not published ones; a test runs the attack on a
// toy. Memory is free everywhere, and a step is a bit operation or a few.
#pragma once

#include <string>
#include <vector>

namespace ap::security {

struct LpnInstance {
  double k = 0;       ///< bits of the secret
  double t = 0;       ///< wrong rows
  double bin = 0;     ///< rows a bin, n/t
  double weight = 0;  ///< ones in a row, at least 3
  double n() const { return t * bin; }
};

struct LpnAttack {
  std::string name;
  double trials_log2 = 0;  ///< trials, or samples
  double bits = 0;         ///< log2 of all steps
};

/// All attacks above, in their order. @throws Error(internal) unless 2 <= k < n, t and bin are at least 2.
std::vector<LpnAttack> lpn_attacks(const LpnInstance& instance);

/// The lowest of them.
double lpn_bits(const LpnInstance& instance);

/// Variables of the random subset that its rows just determine: rho k with n rho^weight = rho k, at most k.
double lpn_random_subset(const LpnInstance& instance);
/// Variables of the smallest set that determines itself, as above.
double lpn_smallest_subset(const LpnInstance& instance);

}  // namespace ap::security
