// Silent correlated oblivious transfer: Ferret (Yang, Weng, Lan, Zhang, Wang, CCS 2020, eprint 2020/924,
// section 4). The sender holds Delta (lowest bit set) and gets blocks q_i with lowest bit 0; the
// receiver gets random choice bits c_i and t_i = q_i xor c_i Delta, so that c_i is the lowest bit of t_i.
//
// One iteration turns k + t log2(n/t) transfers into n: the first k are the vector that the code of
// mpc/ot/lpn.h encodes; a tree of n/t leaves (mpc/ot/ggm.h) for each of the t noise positions uses one
// transfer a level. The positions are what the receiver's random choices make them, so that only the sender
// speaks: one block for each level of each tree. The first rows of every iteration are kept for the next one.
// Trees are made and sent in chunks as transfers are drawn: nothing of size n is ever stored. Every chunk
// hashes under a key of its own (mpc/core/hash.h): with a node on each of its paths Delta is hidden in at
// most kTreesPerMessage kMaxGgmDepth hashes.
//
// The first iteration of the small set is seeded by the OT extension of mpc/ot/cot.h; the large set by the
// small one, once more transfers are expected than it pays for. That decision and all sizes depend on counts
// only.
//
// A sender that corrupts trees is caught by mpc/ot/tree_check.h: before an iteration seeds the next one, and
// when the caller says, for both directions at once, with open_check, answer_check and close_check. Until
// then the receiver must send nothing that depends on what it has drawn. The receiver sends no more than the
// extension's columns, which are checked as they come, so what the sender has drawn it may use at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "mpc/core/hash.h"
#include "mpc/ot/cot.h"
#include "mpc/ot/lpn.h"
#include "mpc/ot/tree_check.h"

namespace ap::mpc {

struct SilentCotMessages {
  CotMessages base;
  net::MessageType trees;
  TreeCheckMessages check;
};

/// Trees whose corrections make one message.
inline constexpr std::size_t kTreesPerMessage = 64;
/// The large set starts when more transfers than this are drawn or expected: what one iteration of the small
/// one gives. In bytes it would pay from 420'000 on, but its seeds take the rows of more than half an
/// iteration.
inline constexpr std::uint64_t kLargeLpnFrom = 590'000;
static_assert(kLargeLpnFrom <= kSmallLpn.gain() && kLargeLpn.seeds() <= kSmallLpn.gain());

/// Bytes that the sender sends for one iteration.
constexpr std::uint64_t iteration_bytes(const LpnParameters& p) {
  return p.t * static_cast<std::uint64_t>(p.bin_bits) * 16;
}

/// What one direction costs in bytes, both ways, for `count` transfers that were expected from the start: the
/// seeds and the trees, up to a message of trees more, without the base OTs and the checks (about
/// 3 kilobytes each).
constexpr double cot_stream_bytes(std::uint64_t count) {
  const auto trees = [](const LpnParameters& p, std::uint64_t outputs) {
    return static_cast<double>(iteration_bytes(p)) * static_cast<double>(outputs) /
           static_cast<double>(p.n());
  };
  // Of every iteration's n outputs seeds() are kept for the next one.
  const auto drawn = [](const LpnParameters& p, std::uint64_t outputs) {
    return outputs + ((outputs + p.gain() - 1) / p.gain()) * p.seeds();
  };
  if (count == 0) return 0;
  const bool large = count > kLargeLpnFrom;
  const std::uint64_t small = large ? kLargeLpn.seeds() : count;
  return static_cast<double>(cot_bytes(kSmallLpn.seeds())) + trees(kSmallLpn, drawn(kSmallLpn, small)) +
         (large ? trees(kLargeLpn, drawn(kLargeLpn, count)) : 0.0);
}

/// An endless stream of transfers from one parameter set; the two roles differ in their trees.
class LpnStream {
 public:
  /// `seeds`: p.seeds() transfers with the choice in the lowest bit. `session`: the part for this stream.
  LpnStream(const LpnParameters& p, SecretVector<Block> seeds, const SessionKey& session);
  virtual ~LpnStream() = default;
  /// Returns how many transfers it wrote: fewer than out.size() only at the end of an iteration.
  std::size_t draw(net::Channel& channel, std::span<Block> out);
  /// Begins the next iteration; the trees of the one that seeds it must have been checked.
  void start_iteration();

 protected:
  /// Makes the rows of `count` trees, count * bin blocks; cots: bin_bits transfers for each. Hashes every
  /// tree for its check and calls encode as soon as it has its leaves, which then still are in the cache.
  virtual void make_trees(net::Channel& channel, const Permutation& pi, std::span<const Block> cots,
                          std::size_t count, std::span<Block> rows) = 0;
  /// Adds the code's rows to the leaves of one tree of make_trees.
  void encode(std::size_t tree, std::span<Block> leaves) const;
  const LpnParameters& parameters() const { return parameters_; }

 private:
  void next_chunk(net::Channel& channel);

  LpnParameters parameters_;
  HashKeys keys_;
  std::uint64_t chunks_ = 0;   ///< made so far: the number of the next one's key
  SecretVector<Block> seeds_;  ///< of this iteration
  SecretVector<Block> next_;   ///< of the next one, filled from the first rows
  SecretVector<Block> chunk_;
  std::size_t used_ = 0;  ///< of the chunk
  std::size_t filled_ = 0;
  std::size_t tree_ = 0;         ///< next tree of this iteration
  std::size_t reserved_ = 0;     ///< of next_
  std::uint64_t first_row_ = 0;  ///< of this iteration in the code
};

/// What the two roles share: where transfers come from.
class SilentCot {
 public:
  /// `session`: the part for this direction.
  explicit SilentCot(const SessionKey& session) : session_(session), hashing_(session.part("transfers")) {}
  virtual ~SilentCot() = default;
  /// Keys for hashing the transfers, for the caller's use.
  const HashKeys& hashing() const { return hashing_; }
  /// Announces `count` more transfers; both parties must announce and draw the same counts in the same order.
  void expect(std::uint64_t count) { expected_ += count; }
  /// The next out.size() transfers. @throws Error(peer) on a bad message, FailedCheck at the end of an
  /// iteration whose trees are inconsistent.
  void extend(net::Channel& channel, std::span<Block> out);
  std::uint64_t used() const { return used_; }

 protected:
  virtual SecretVector<Block> base_cots(net::Channel& channel, std::size_t count) = 0;
  virtual std::unique_ptr<LpnStream> make_stream(const LpnParameters& p, SecretVector<Block> seeds,
                                                 const SessionKey& session) = 0;
  /// Checks all trees so far.
  virtual void check(net::Channel& channel) = 0;

 private:
  void draw(net::Channel& channel, LpnStream& stream, std::span<Block> out);

  SessionKey session_;
  HashKeys hashing_;
  std::unique_ptr<LpnStream> small_;
  std::unique_ptr<LpnStream> large_;
  std::uint64_t expected_ = 0;
  std::uint64_t used_ = 0;
};

class SilentCotSender : public SilentCot {
 public:
  /// Runs the base OTs. Delta and all tree roots come from `prng`.
  /// @param session  the part for this direction, equal at both parties
  SilentCotSender(net::Channel& channel, const SilentCotMessages& messages, const SessionKey& session,
                  Prng& prng);
  const Block& delta() const { return base_.delta(); }
  /// Answers the receiver's open_check.
  void answer_check(net::Channel& channel);

 private:
  void check(net::Channel& channel) override { answer_check(channel); }
  SecretVector<Block> base_cots(net::Channel& channel, std::size_t count) override;
  std::unique_ptr<LpnStream> make_stream(const LpnParameters& p, SecretVector<Block> seeds,
                                         const SessionKey& session) override;

  SilentCotMessages messages_;
  Prng roots_;
  CotSender base_;
  TreeCheckSender check_;
};

class SilentCotReceiver : public SilentCot {
 public:
  /// Runs the base OTs. @param session  as the sender's
  SilentCotReceiver(net::Channel& channel, const SilentCotMessages& messages, const SessionKey& session,
                    Prng& prng);
  /// Challenges the sender on all trees since the last time; without any, nothing is sent, here and below.
  void open_check(net::Channel& channel);
  /// Ends what open_check began. @throws FailedCheck if the trees are inconsistent.
  void close_check(net::Channel& channel);

 private:
  void check(net::Channel& channel) override {
    open_check(channel);
    close_check(channel);
  }
  SecretVector<Block> base_cots(net::Channel& channel, std::size_t count) override;
  std::unique_ptr<LpnStream> make_stream(const LpnParameters& p, SecretVector<Block> seeds,
                                         const SessionKey& session) override;

  SilentCotMessages messages_;
  Prng choices_;
  CotReceiver base_;
  TreeCheckReceiver check_;
  bool opened_ = false;
};

}  // namespace ap::mpc
