#include "mpc/ot/tree_check.h"

#include <array>
#include <bit>

#include "base/error.h"
#include "mpc/core/gf128.h"
#include "mpc/ot/failed_check.h"
#include "random/tagged_hash.h"

namespace ap::mpc {
namespace {

/// sum of in[i] x^(kCots - 1 - i): transfers as an element of the field, and their choices the same way.
Block packed(std::span<const Block> cots) { return gf_hash(cots.data(), cots.size(), Block{2, 0}); }

Block packed_choices(std::span<const Block> cots) {
  SecretVector<Block> bits(cots.size());
  for (std::size_t i = 0; i < cots.size(); ++i) bits[i] = {low_bit(cots[i]), 0};
  return packed(bits);
}

std::array<std::uint8_t, 8> bytes_of(std::uint64_t number) {
  std::array<std::uint8_t, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  return bytes;
}

ByteView view(const Block& block) { return {reinterpret_cast<const std::uint8_t*>(&block), sizeof block}; }

}  // namespace

void TreeCheck::announce(std::size_t count) {
  first_ = values_.size();
  values_.resize(first_ + count);
}

Block TreeCheck::point(std::size_t tree, ByteView corrections) const {
  const auto number = bytes_of(compared_ + first_ + tree);
  return load_block(tagged_hash("AutoPrivacy tree point", {session_.bytes(), number, corrections}).data());
}

Seed TreeCheck::digest(ByteView challenge, const Block& sum) const {
  return tagged_hash("AutoPrivacy tree check", {session_.bytes(), bytes_of(compared_), challenge, view(sum)});
}

void TreeCheck::clear() {
  compared_ += values_.size();
  values_.clear();
  first_ = 0;
}

void TreeCheckSender::add(std::size_t tree, ByteView corrections, std::span<const Block> leaves) {
  value(tree) = gf_hash(leaves.data(), leaves.size(), point(tree, corrections));
}

void TreeCheckSender::answer(net::Channel& channel, const Block& delta, std::span<const Block> cots) {
  AP_ASSERT(cots.size() == kCots);
  const Bytes challenge = channel.receive_exactly(messages_.challenge, kChallengeBytes);
  const Block r = load_block(challenge.data());
  const Block x = load_block(challenge.data() + sizeof(Block));
  const Block sum = gf_hash(values_.data(), values_.size(), r) ^ packed(cots) ^ gf_multiply(x, delta);
  channel.send(messages_.answer, digest(challenge, sum));
  clear();
}

void TreeCheckReceiver::add(std::size_t tree, ByteView corrections, std::uint32_t sides,
                            std::span<const Block> leaves) {
  const Block x = point(tree, corrections);
  value(tree) = gf_hash(leaves.data(), leaves.size(), x);
  powers_[first_ + tree] = gf_power(x, sides, std::bit_width(leaves.size()) - 1);
}

void TreeCheckReceiver::open(net::Channel& channel, std::span<const Block> cots, Prng& prng) {
  AP_ASSERT(cots.size() == kCots && powers_.size() == values_.size());
  Bytes challenge(kChallengeBytes);
  prng.fill(std::span(challenge).first(sizeof(Block)));
  const Block r = load_block(challenge.data());
  store_block(challenge.data() + sizeof(Block),
              gf_hash(powers_.data(), powers_.size(), r) ^ packed_choices(cots));
  channel.send(messages_.challenge, challenge);
  expected_ = digest(challenge, gf_hash(values_.data(), values_.size(), r) ^ packed(cots));
  powers_.clear();
  clear();
}

void TreeCheckReceiver::close(net::Channel& channel) {
  if (!equal_bytes(channel.receive_exactly(messages_.answer, kAnswerBytes), expected_)) {
    fail_check(channel, "the trees");
  }
}

}  // namespace ap::mpc
