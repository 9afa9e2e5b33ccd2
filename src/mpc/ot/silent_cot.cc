#include "mpc/ot/silent_cot.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "base/wipe_objects.h"
#include "mpc/ot/ggm.h"

namespace ap::mpc {
namespace {

constexpr Block kAllButLowest{~std::uint64_t{1}, ~std::uint64_t{0}};

Prng split(Prng& prng) {
  Seed seed;
  prng.fill(std::span<std::uint8_t>(seed));
  Prng part(seed);
  wipe(seed.data(), seed.size());
  return part;
}

class SenderStream : public LpnStream {
 public:
  SenderStream(const LpnParameters& p, SecretVector<Block> seeds, const SessionKey& session,
               const Block& delta, net::MessageType type, Prng& roots, TreeCheckSender& check)
      : LpnStream(p, std::move(seeds), session), delta_(delta), type_(type), roots_(roots), check_(check) {}

 private:
  void make_trees(net::Channel& channel, const Permutation& pi, std::span<const Block> cots,
                  std::size_t count, std::span<Block> rows) override {
    const auto depth = static_cast<std::size_t>(parameters().bin_bits);
    SecretVector<std::uint64_t> words(2 * count);
    roots_.fill(std::span<std::uint64_t>(words));
    const std::size_t bytes = depth * sizeof(Block);
    Bytes message(count * bytes);
    check_.announce(count);
    parallel_for(count, [&](std::size_t tree) {
      Block sums[kMaxGgmDepth];
      const std::span<Block> out = rows.subspan(tree * parameters().bin(), parameters().bin());
      ggm_expand(pi, {words[2 * tree], words[2 * tree + 1]}, delta_, parameters().bin_bits, sums, out.data());
      for (std::size_t level = 0; level < depth; ++level) {
        store_block(message.data() + tree * bytes + level * sizeof(Block),
                    sums[level] ^ cots[tree * depth + level]);
      }
      wipe_objects(sums);
      for (Block& leaf : out) leaf = leaf & kAllButLowest;
      check_.add(tree, ByteView(message).subspan(tree * bytes, bytes), out);
      encode(tree, out);
    });
    channel.send(type_, message);
  }

  const Block& delta_;
  net::MessageType type_;
  Prng& roots_;
  TreeCheckSender& check_;
};

class ReceiverStream : public LpnStream {
 public:
  ReceiverStream(const LpnParameters& p, SecretVector<Block> seeds, const SessionKey& session,
                 net::MessageType type, TreeCheckReceiver& check)
      : LpnStream(p, std::move(seeds), session), type_(type), check_(check) {}

 private:
  void make_trees(net::Channel& channel, const Permutation& pi, std::span<const Block> cots,
                  std::size_t count, std::span<Block> rows) override {
    const auto depth = static_cast<std::size_t>(parameters().bin_bits);
    const std::size_t bytes = depth * sizeof(Block);
    const Bytes message = channel.receive_exactly(type_, count * bytes);
    check_.announce(count);
    parallel_for(count, [&](std::size_t tree) {
      Block sums[kMaxGgmDepth];
      std::uint32_t sides = 0;
      for (std::size_t level = 0; level < depth; ++level) {
        const Block& cot = cots[tree * depth + level];
        sums[level] = load_block(message.data() + tree * bytes + level * sizeof(Block)) ^ cot;
        sides |= static_cast<std::uint32_t>(low_bit(cot)) << level;
      }
      const std::span<Block> out = rows.subspan(tree * parameters().bin(), parameters().bin());
      ggm_puncture(pi, sides, sums, parameters().bin_bits, out.data(), kAllButLowest, {1, 0});
      wipe_objects(sums);
      check_.add(tree, ByteView(message).subspan(tree * bytes, bytes), sides, out);
      encode(tree, out);
    });
  }

  net::MessageType type_;
  TreeCheckReceiver& check_;
};

}  // namespace

LpnStream::LpnStream(const LpnParameters& p, SecretVector<Block> seeds, const SessionKey& session)
    : parameters_(p),
      keys_(session),
      seeds_(std::move(seeds)),
      next_(p.seeds()),
      chunk_(kTreesPerMessage * p.bin()) {
  AP_ASSERT(seeds_.size() == p.seeds());
}

void LpnStream::encode(std::size_t tree, std::span<Block> leaves) const {
  lpn_encode(std::span<const Block>(seeds_).first(parameters_.k),
             first_row_ + (tree_ + tree) * parameters_.bin(), leaves);
}

void LpnStream::next_chunk(net::Channel& channel) {
  const LpnParameters& p = parameters_;
  const std::size_t trees = std::min(kTreesPerMessage, p.t - tree_);
  const std::span<const Block> seeds(seeds_);
  const auto depth = static_cast<std::size_t>(p.bin_bits);
  const std::span<Block> rows(chunk_.data(), trees * p.bin());
  make_trees(channel, keys_.at(chunks_++), seeds.subspan(p.k + tree_ * depth, trees * depth), trees, rows);
  tree_ += trees;
  filled_ = rows.size();
  used_ = std::min(filled_, next_.size() - reserved_);
  std::copy_n(rows.begin(), used_, next_.begin() + static_cast<std::ptrdiff_t>(reserved_));
  reserved_ += used_;
}

void LpnStream::start_iteration() {
  AP_ASSERT(tree_ == parameters_.t && reserved_ == next_.size());
  std::swap(seeds_, next_);
  first_row_ += parameters_.n();
  tree_ = reserved_ = 0;
}

std::size_t LpnStream::draw(net::Channel& channel, std::span<Block> out) {
  std::size_t drawn = 0;
  while (drawn < out.size()) {
    if (used_ == filled_) {
      if (tree_ == parameters_.t) break;
      next_chunk(channel);
      continue;
    }
    const std::size_t now = std::min(out.size() - drawn, filled_ - used_);
    std::copy_n(chunk_.begin() + static_cast<std::ptrdiff_t>(used_), now,
                out.begin() + static_cast<std::ptrdiff_t>(drawn));
    used_ += now;
    drawn += now;
  }
  return drawn;
}

void SilentCot::draw(net::Channel& channel, LpnStream& stream, std::span<Block> out) {
  for (;;) {
    out = out.subspan(stream.draw(channel, out));
    if (out.empty()) return;
    check(channel);
    stream.start_iteration();
  }
}

void SilentCot::extend(net::Channel& channel, std::span<Block> out) {
  if (out.size() > kMaxCots - used_) {
    fail_security("one session may use at most {} oblivious transfers; start a new session", kMaxCots);
  }
  used_ += out.size();
  if (!large_) {
    if (!small_)
      small_ = make_stream(kSmallLpn, base_cots(channel, kSmallLpn.seeds()), session_.part("small"));
    if (std::max(used_, expected_) > kLargeLpnFrom) {
      SecretVector<Block> seeds(kLargeLpn.seeds());
      draw(channel, *small_, seeds);
      check(channel);
      large_ = make_stream(kLargeLpn, std::move(seeds), session_.part("large"));
      small_.reset();
    }
  }
  draw(channel, large_ ? *large_ : *small_, out);
}

SilentCotSender::SilentCotSender(net::Channel& channel, const SilentCotMessages& messages,
                                 const SessionKey& session, Prng& prng)
    : SilentCot(session),
      messages_(messages),
      roots_(split(prng)),
      base_(channel, messages.base, prng),
      check_(messages.check, session) {}

void SilentCotSender::answer_check(net::Channel& channel) {
  if (check_.pending() > 0) check_.answer(channel, delta(), base_cots(channel, TreeCheck::kCots));
}

SecretVector<Block> SilentCotSender::base_cots(net::Channel& channel, std::size_t count) {
  SecretVector<Block> q(count);
  base_.extend(channel, q);
  for (Block& block : q) block = block & kAllButLowest;
  return q;
}

std::unique_ptr<LpnStream> SilentCotSender::make_stream(const LpnParameters& p, SecretVector<Block> seeds,
                                                        const SessionKey& session) {
  return std::make_unique<SenderStream>(p, std::move(seeds), session, base_.delta(), messages_.trees, roots_,
                                        check_);
}

SilentCotReceiver::SilentCotReceiver(net::Channel& channel, const SilentCotMessages& messages,
                                     const SessionKey& session, Prng& prng)
    : SilentCot(session),
      messages_(messages),
      choices_(split(prng)),
      base_(channel, messages.base, prng),
      check_(messages.check, session) {}

void SilentCotReceiver::open_check(net::Channel& channel) {
  AP_ASSERT(!opened_);
  opened_ = check_.pending() > 0;
  if (opened_) check_.open(channel, base_cots(channel, TreeCheck::kCots), choices_);
}

void SilentCotReceiver::close_check(net::Channel& channel) {
  if (!opened_) return;
  opened_ = false;
  check_.close(channel);
}

SecretVector<Block> SilentCotReceiver::base_cots(net::Channel& channel, std::size_t count) {
  SecretVector<Block> t(count);
  SecretVector<std::uint8_t> choices((count + 7) / 8);
  choices_.fill(std::span<std::uint8_t>(choices));
  base_.extend(channel, choices, t);
  for (std::size_t i = 0; i < count; ++i) {
    t[i] = (t[i] & kAllButLowest) ^ Block { static_cast<std::uint64_t>(choices[i / 8] >> (i % 8)) & 1, 0 };
  }
  return t;
}

std::unique_ptr<LpnStream> SilentCotReceiver::make_stream(const LpnParameters& p, SecretVector<Block> seeds,
                                                          const SessionKey& session) {
  return std::make_unique<ReceiverStream>(p, std::move(seeds), session, messages_.trees, check_);
}

}  // namespace ap::mpc
