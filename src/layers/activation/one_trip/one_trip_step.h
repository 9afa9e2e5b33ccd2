// One step of the `one-trip` protocol (layers/activation/one_trip/one_trip_plan.h) for all its instances: one message
// of the server and one of the client, where the client knows its word b and its addend offline.
//
// The server walks through the digits of the sum, lowest first, with a label for the carry so far: a pointer (the
// carry xor a bit pi of the client) and a pad. A digit has a row for each position of the pointer, each under the pad
// of its carry; of what a row says, the label for the carry out, the server gets one of two by a 1-of-2 OT. A label is
// as long as the row that it opens, so pads are used once, by XOR (Kolesnikov, "Gate evaluation secret sharing and
// secure one-round two-party computation", ASIACRYPT 2005). Which of two it gets is a bit of x and of the client's
// table, of which both have shares before the first message (layers/activation/one_trip/early_shares.h).
//
//    offline   client                                  server
//       silent OTs: strings p0, p1; lambda, alpha      choice, its string; D, beta    alpha + beta = lambda D
//       rotated tables                  ------------>  shares u_s of every early bit, for its rotation c
//    online
//                                       <------------  d = a xor c     e = u_s xor choice     delta = A - D
//       low digit   both labels under p0, p1
//       others      label(u_c xor e xor 1) under p1 xor P, where p0 = label(u_c xor e) xor P defines the pad P
//       high part   [in range], by p0, p1 alike: U and the bit [in range] xor lambda; [above]: 2^m - 1
//                                       ------------>  walks to one word W and one bit f = [in range] xor lambda
//                                                      result W + f A + (1 - 2 f) beta
//
// A is the server's low part, B the client's, x = lambda delta + alpha = lambda A - beta, c the carry out of the low
// part. With F = f, the client's words make
//   W = addend + [in] (B - 2^m c) + (1 - 2 F) x + [above] (2^m - 1),   and [in] A = F A + (1 - 2 F) lambda A,
// since [in] = F xor lambda; so the server's sum is the addend and the clamped value.
//
// Guard bits add their carry G to the low parts: [in] G = F G + (1 - 2 F) lambda G. The row after the last guard digit
// has two words beside the label, Y_0 = lambda G + rho_0 and Y_1 = (1 - lambda) G + rho_1 with words rho of the client;
// the server adds Y_F, and the client's words for F lack rho_F.
//
// Why the views say nothing, for ideal OTs (each random, each used once):
// Client: d, e, delta are a, u_s, A under c, choices and D, uniform and of the server alone.
// Server: of each OT it lacks one of p0, p1. Every message of the client but one is under such a string that occurs in no
// other message of a later row, so walk from the end: words of the high part and Y are under the string that is lacking,
// whichever that is (if it is p0, the pad P or rho that p0 defines is what moves). A row of the wrong position is under a
// pad that occurs in one label, which is under a lacking string of the digit before, and so on down to the lowest digit,
// whose other label is under a string of its own. There remains the label that the walk starts with: it is the only
// message that the rest determines, namely by W. Pointers are uniform by pi, F by lambda, and W = result - F A -
// (1 - 2 F) beta - Y_F. So the view is a function of a, the result and uniform values: simulated exactly. None of this uses
// that d, e, delta are right: with others the server gets the result of another input, carry or pair of bits, less the same
// r in the addend. A server may not answer twice for one material, and no check value may be added to a label: a pad P of the
// carry that does not occur is not unknown, it is only never used.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "layers/activation/one_trip/one_trip_plan.h"
#include "layers/activation/ot/ot_step.h"
#include "mpc/ot/random_ot.h"
#include "net/channel/channel.h"

namespace ap::activation {

struct OneTripClientStep {
  /// Both strings of an early bit; with a wide row two words for each instance, the label's first.
  struct Strings {
    SecretVector<std::uint64_t> zero, one;
  };
  std::vector<SecretVector<mpc::Block>> tables;  ///< shares by digit, the high part last
  SecretVector<mpc::Block> pointers;             ///< pi: a slice for the carry out of every digit
  std::vector<Strings> strings;                  ///< by early bit
  BitSide product;                               ///< lambda, alpha
  SecretVector<std::uint64_t> rho;               ///< of a guard of several digits: rho_0, above it rho_1
  SecretVector<std::uint64_t> words, addends;
};

struct OneTripServerStep {
  struct Choice {
    SecretVector<mpc::Block> bits;
    SecretVector<std::uint64_t> strings;
  };
  std::vector<SecretVector<mpc::Block>> rotations;  ///< c by digit
  std::vector<SecretVector<mpc::Block>> tables;     ///< shares
  std::vector<Choice> choices;                      ///< by early bit
  WordSide product;                                 ///< D, beta
};

/// Offline, first the server's transfers, then the client's and its tables; Prng: for pointers and rho.
/// `words`, `addends`: step.count words each of at most word_bits() and ring bits.
OneTripClientStep begin_one_trip_client(const OneTripStep& step, mpc::RandomOtReceiver& ots);
void complete_one_trip_client(net::Channel& channel, const OneTripStep& step,
                              std::span<const std::uint64_t> words, std::span<const std::uint64_t> addends,
                              mpc::RandomOtSender& ots, Prng& prng, OneTripClientStep& material);
OneTripServerStep begin_one_trip_server(const OneTripStep& step, mpc::RandomOtSender& ots);
/// @throws Error(peer) on a malformed message.
void complete_one_trip_server(net::Channel& channel, const OneTripStep& step, mpc::RandomOtReceiver& ots,
                              OneTripServerStep& material);

/// Online. @throws Error(peer) on a malformed message.
void run_one_trip_client(net::Channel& channel, const OneTripStep& step, const OneTripClientStep& material);
/// `words`: step.count words; `results`: modulo 2^ring.
void run_one_trip_server(net::Channel& channel, const OneTripStep& step, const OneTripServerStep& material,
                         std::span<const std::uint64_t> words, std::span<std::uint64_t> results);

}  // namespace ap::activation
