#include "layers/activation/ot/ot_step.h"

#include <algorithm>

#include "base/bits.h"
#include "base/error.h"
#include "layers/activation/ot/ot_bits.h"
#include "layers/activation/ot/ot_messages.h"
#include "layers/activation/ot/ot_products.h"

namespace ap::activation {

using mpc::bit_of;
using mpc::Block;

namespace {

std::size_t entries_of(const Leaf& leaf) { return std::size_t{1} << leaf.width; }

/// This party's b times the other's a from a product that it sends, its a times the other's b from one that it
/// receives.
void draw_triples_sent(const OtStep& step, std::size_t tiles, mpc::RandomOtSender& ots,
                       std::vector<AndTriple>& triples) {
  for (std::size_t s = 0; s < triples.size(); ++s) {
    AndTriple& triple = triples[s];
    SecretVector<Block> shares(triple.b.size());
    ots.bits(static_cast<int>(step.program.ands[s].y.size()), tiles, triple.b, shares);
    for (std::size_t i = 0; i < shares.size(); ++i) triple.products[i] ^= shares[i];
  }
}
void draw_triples_received(const OtStep& step, std::size_t tiles, mpc::RandomOtReceiver& ots,
                           std::vector<AndTriple>& triples) {
  for (std::size_t s = 0; s < triples.size(); ++s) {
    AndTriple& triple = triples[s];
    SecretVector<Block> shares(triple.b.size());
    ots.bits(static_cast<int>(step.program.ands[s].y.size()), tiles, triple.a, shares);
    for (std::size_t i = 0; i < shares.size(); ++i) triple.products[i] ^= shares[i];
  }
}

std::vector<AndTriple> empty_triples(const OtStep& step, std::size_t tiles) {
  std::vector<AndTriple> triples;
  for (const AndStep& s : step.program.ands) {
    const std::size_t blocks = s.y.size() * tiles;
    triples.push_back({SecretVector<Block>(tiles), SecretVector<Block>(blocks), SecretVector<Block>(blocks)});
  }
  return triples;
}

/// Once both are drawn: this party's own a times its own b.
void complete_triples(std::size_t tiles, std::vector<AndTriple>& triples) {
  for (AndTriple& triple : triples) {
    for (std::size_t i = 0; i < triple.b.size(); ++i) triple.products[i] ^= triple.a[i % tiles] & triple.b[i];
  }
}

std::uint64_t operand(const OtStep& step, std::uint64_t word) {
  return (word >> step.operand_shift) & low_mask(step.operand_bits);
}

/// The client's digits as slices: its word, and the word whose high part is negated.
struct ClientSlices {
  SecretVector<Block> word;
  SecretVector<Block> negated;
};

ClientSlices client_slices(const ComparisonProgram& program, std::span<const std::uint64_t> words) {
  const std::size_t blocks = static_cast<std::size_t>(program.bits) * mpc::tiles_of(words.size());
  ClientSlices slices{SecretVector<Block>(blocks), SecretVector<Block>(blocks)};
  mpc::slice_words(words, 0, program.bits, slices.word);
  SecretVector<std::uint64_t> negated(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    negated[i] = (0 - (words[i] >> program.high_shift)) << program.high_shift;
  }
  mpc::slice_words(negated, 0, program.bits, slices.negated);
  return slices;
}

/// Answers the server's masked digits. The string of entry 0 becomes the client's share, so it is not sent.
void send_leaves(net::Channel& channel, const OtStep& step, const ClientStepPreprocessing& material,
                 std::span<const std::uint64_t> words, SharedBits& bits) {
  const ComparisonProgram& program = step.program;
  const std::size_t tiles = bits.tiles();
  const ClientSlices slices = client_slices(program, words);
  bits.set_locals(slices.word);
  const Bytes choices =
      channel.receive_exactly(kOtChoices, program.leaf_choice_bits() * packed_bytes(step.count, 1));
  SliceReader reader(choices, step.count);
  SliceWriter writer(step.count, program.leaf_message_bits());
  for (std::size_t l = 0; l < program.leaves.size(); ++l) {
    const Leaf& leaf = program.leaves[l];
    const auto width = static_cast<std::size_t>(leaf.width);
    const std::size_t entries = entries_of(leaf);
    std::vector<Block> masked_digit(width * tiles);
    for (std::size_t i = 0; i < width; ++i) reader.get(masked_digit.data() + i * tiles, tiles);
    SecretVector<Block> tables = material.leaves[l];
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      Block y[mpc::kMaxTableBits];
      Block e[mpc::kMaxTableBits];
      Block index[mpc::kMaxTableBits];
      for (std::size_t i = 0; i < width; ++i) {
        const std::size_t row = (static_cast<std::size_t>(leaf.shift) + i) * tiles + tile;
        y[i] = slices.word[row];
        e[i] = slices.negated[row];
        index[i] = masked_digit[i * tiles + tile];
      }
      for (std::size_t o = 0; o < leaf.outputs.size(); ++o) {
        Block values[std::size_t{1} << mpc::kMaxTableBits];
        leaf_entries(leaf.outputs[o], leaf.width, y, e, values);
        mpc::permute_entries(values, leaf.width, index);
        Block* const table = tables.data() + o * entries * tiles + tile;
        const Block share = table[0] ^ values[0];
        for (std::size_t j = 1; j < entries; ++j) table[j * tiles] ^= values[j] ^ share;
        bits.slice(leaf.first + static_cast<int>(o))[tile] = share;
      }
    }
    for (std::size_t o = 0; o < leaf.outputs.size(); ++o) {
      for (std::size_t j = 1; j < entries; ++j) writer.put(tables.data() + (o * entries + j) * tiles);
    }
  }
  channel.send(kOtLeaves, writer.bytes());
}

void receive_leaves(net::Channel& channel, const OtStep& step, const ServerStepPreprocessing& material,
                    std::span<const std::uint64_t> words, SharedBits& bits) {
  const ComparisonProgram& program = step.program;
  const std::size_t tiles = bits.tiles();
  SecretVector<Block> slices(static_cast<std::size_t>(program.bits) * tiles);
  mpc::slice_words(words, 0, program.bits, slices);
  bits.set_locals(slices);
  SliceWriter writer(step.count, program.leaf_choice_bits());
  SecretVector<Block> masked(tiles);
  for (std::size_t l = 0; l < program.leaves.size(); ++l) {
    const Leaf& leaf = program.leaves[l];
    for (std::size_t i = 0; i < static_cast<std::size_t>(leaf.width); ++i) {
      const Block* digit = slices.data() + (static_cast<std::size_t>(leaf.shift) + i) * tiles;
      const Block* index = material.leaves[l].index.data() + i * tiles;
      for (std::size_t tile = 0; tile < tiles; ++tile) masked[tile] = digit[tile] ^ index[tile];
      writer.put(masked.data());
    }
  }
  channel.send(kOtChoices, writer.bytes());
  const Bytes message =
      channel.receive_exactly(kOtLeaves, program.leaf_message_bits() * packed_bytes(step.count, 1));
  SliceReader reader(message, step.count);
  for (std::size_t l = 0; l < program.leaves.size(); ++l) {
    const Leaf& leaf = program.leaves[l];
    const std::size_t entries = entries_of(leaf);
    const ServerStepPreprocessing::LeafChoice& choice = material.leaves[l];
    std::vector<Block> table(entries * tiles, Block{0, 0});
    for (std::size_t o = 0; o < leaf.outputs.size(); ++o) {
      for (std::size_t j = 1; j < entries; ++j) reader.get(table.data() + j * tiles, tiles);
      const auto out = bits.slice(leaf.first + static_cast<int>(o));
      for (std::size_t tile = 0; tile < tiles; ++tile) {
        Block values[std::size_t{1} << mpc::kMaxTableBits];
        Block index[mpc::kMaxTableBits];
        for (std::size_t j = 0; j < entries; ++j) values[j] = table[j * tiles + tile];
        for (std::size_t i = 0; i < static_cast<std::size_t>(leaf.width); ++i) {
          index[i] = choice.index[i * tiles + tile];
        }
        out[tile] = mpc::select_entry(values, leaf.width, index) ^ choice.strings[o * tiles + tile];
      }
    }
  }
}

/// What a step without an operand gives.
void sum_terms(const OtStep& step, SharedBits& bits, std::span<std::uint64_t> shares) {
  std::fill(shares.begin(), shares.end(), 0);
  for (const BitTerm& term : step.terms) {
    AP_ASSERT(term.width == 0);
    const auto t = bits.slice(term.variable);
    for (std::size_t i = 0; i < shares.size(); ++i) shares[i] += term.factor & (0 - bit_of(t, i));
  }
  for (std::uint64_t& share : shares) share &= low_mask(step.ring);
}

}  // namespace

ClientStepPreprocessing draw_client_received(const OtStep& step, mpc::RandomOtReceiver& ots) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  ClientStepPreprocessing material;
  material.triples = empty_triples(step, tiles);
  draw_triples_received(step, tiles, ots, material.triples);
  if (step.operand_bits > 0) material.flip = make_bit_side(ots, step.count, step.ring);
  return material;
}

void draw_client_sent(const OtStep& step, mpc::RandomOtSender& ots, ClientStepPreprocessing& material) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  for (const Leaf& leaf : step.program.leaves) {
    auto& table = material.leaves.emplace_back(leaf.outputs.size() * entries_of(leaf) * tiles);
    ots.tables(leaf.width, static_cast<int>(leaf.outputs.size()), tiles, table);
  }
  draw_triples_sent(step, tiles, ots, material.triples);
  complete_triples(tiles, material.triples);
  if (step.operand_bits == 0) return;
  material.select = make_word_side(ots, step.count, step.ring);
  for_transferred(step.terms, [&](const BitTerm& term, std::size_t) {
    material.terms.push_back(make_word_side(ots, step.count, term.width));
  });
}

ServerStepPreprocessing draw_server_sent(const OtStep& step, mpc::RandomOtSender& ots) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  ServerStepPreprocessing material;
  material.triples = empty_triples(step, tiles);
  draw_triples_sent(step, tiles, ots, material.triples);
  if (step.operand_bits > 0) material.flip = make_word_side(ots, step.count, step.ring);
  return material;
}

void draw_server_received(const OtStep& step, mpc::RandomOtReceiver& ots, ServerStepPreprocessing& material) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  for (const Leaf& leaf : step.program.leaves) {
    auto& choice = material.leaves.emplace_back();
    choice.index.resize(static_cast<std::size_t>(leaf.width) * tiles);
    choice.strings.resize(leaf.outputs.size() * tiles);
    ots.tables(leaf.width, static_cast<int>(leaf.outputs.size()), tiles, choice.index, choice.strings);
  }
  draw_triples_received(step, tiles, ots, material.triples);
  complete_triples(tiles, material.triples);
  if (step.operand_bits == 0) return;
  material.select = make_bit_side(ots, step.count, step.ring);
  for_transferred(step.terms, [&](const BitTerm& term, std::size_t) {
    material.terms.push_back(make_bit_side(ots, step.count, term.width));
  });
}

void run_client_step(net::Channel& channel, const OtStep& step, const ClientStepPreprocessing& material,
                     std::span<const std::uint64_t> words, std::span<std::uint64_t> shares) {
  const std::size_t count = step.count;
  SharedBits bits(step.program, count, Party::client);
  send_leaves(channel, step, material, words, bits);
  bits.evaluate(channel, material.triples);
  if (step.operand_bits == 0) return sum_terms(step, bits, shares);

  const auto z = bits.slice(step.program.in_range);
  SliceWriter flips(count, 1);
  put_masked(flips, z, material.flip.choices);
  channel.send(kOtFlips, flips.bytes());

  const std::size_t slices = 1 + material.terms.size();
  const Bytes message = channel.receive_exactly(
      kOtServerWords, packed_bytes(count, step.ring) + slices * packed_bytes(count, 1));
  ByteView view(message);
  SecretVector<std::uint64_t> masked(count);
  take_packed(view, step.ring, masked);
  SliceReader reader(view, count);
  std::vector<Block> revealed(bits.tiles());
  reader.get(revealed.data(), bits.tiles());
  with_words(material.flip, [&](std::span<const Block> choices, const auto* random) {
    for (std::size_t i = 0; i < count; ++i) {
      shares[i] = bit_product(bit_of(choices, i), random[i], masked[i]);
    }
  });
  with_words(material.select, [&](const auto* d, const auto* random) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t mine = bit_of(z, i);
      const std::uint64_t value = operand(step, words[i]);
      const auto [sent, share] = word_product(d[i], random[i], with_sign(value, mine), bit_of(revealed, i));
      shares[i] += (value & (0 - mine)) + share;
      masked[i] = sent;
    }
  });
  Bytes reply;
  append_packed(reply, masked, step.ring);
  for (const BitTerm& term : step.terms) {
    const auto t = bits.slice(term.variable);
    for (std::size_t i = 0; i < count; ++i) shares[i] += term.factor & (0 - bit_of(t, i));
  }
  for_transferred(step.terms, [&](const BitTerm& term, std::size_t index) {
    const auto t = bits.slice(term.variable);
    const std::uint64_t factor = product_factor(step.ring, term);
    reader.get(revealed.data(), bits.tiles());
    with_words(material.terms[index], [&](const auto* d, const auto* random) {
      for (std::size_t i = 0; i < count; ++i) {
        const auto [sent, share] =
            word_product(d[i], random[i], factor & (0 - bit_of(t, i)), bit_of(revealed, i));
        shares[i] += share << term.shift;
        masked[i] = sent;
      }
    });
    append_packed(reply, masked, term.width);
  });
  channel.send(kOtClientWords, reply);
  for (std::uint64_t& share : shares) share &= low_mask(step.ring);
}

void run_server_step(net::Channel& channel, const OtStep& step, const ServerStepPreprocessing& material,
                     std::span<const std::uint64_t> words, std::span<std::uint64_t> shares) {
  const std::size_t count = step.count;
  SharedBits bits(step.program, count, Party::server);
  receive_leaves(channel, step, material, words, bits);
  bits.evaluate(channel, material.triples);
  if (step.operand_bits == 0) return sum_terms(step, bits, shares);

  const auto z = bits.slice(step.program.in_range);
  const Bytes flips = channel.receive_exactly(kOtFlips, packed_bytes(count, 1));
  std::vector<Block> revealed(bits.tiles());
  SliceReader(flips, count).get(revealed.data(), bits.tiles());
  SecretVector<std::uint64_t> masked(count);
  with_words(material.flip, [&](const auto* d, const auto* random) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t mine = bit_of(z, i);
      const std::uint64_t value = operand(step, words[i]);
      const auto [sent, share] = word_product(d[i], random[i], with_sign(value, mine), bit_of(revealed, i));
      shares[i] = (value & (0 - mine)) + share;
      masked[i] = sent;
    }
  });
  Bytes message;
  append_packed(message, masked, step.ring);
  SliceWriter revealing(count, 1 + material.terms.size());
  put_masked(revealing, z, material.select.choices);
  for_transferred(step.terms, [&](const BitTerm& term, std::size_t index) {
    put_masked(revealing, bits.slice(term.variable), material.terms[index].choices);
  });
  message.insert(message.end(), revealing.bytes().begin(), revealing.bytes().end());
  channel.send(kOtServerWords, message);

  std::size_t size = packed_bytes(count, step.ring);
  for_transferred(step.terms,
                  [&](const BitTerm& term, std::size_t) { size += packed_bytes(count, term.width); });
  const Bytes reply = channel.receive_exactly(kOtClientWords, size);
  ByteView view(reply);
  take_packed(view, step.ring, masked);
  with_words(material.select, [&](std::span<const Block> choices, const auto* random) {
    for (std::size_t i = 0; i < count; ++i) {
      shares[i] += bit_product(bit_of(choices, i), random[i], masked[i]);
    }
  });
  for (const BitTerm& term : step.terms) {
    const auto t = bits.slice(term.variable);
    for (std::size_t i = 0; i < count; ++i) shares[i] += term.factor & (0 - bit_of(t, i));
  }
  for_transferred(step.terms, [&](const BitTerm& term, std::size_t index) {
    take_packed(view, term.width, masked);
    with_words(material.terms[index], [&](std::span<const Block> choices, const auto* random) {
      for (std::size_t i = 0; i < count; ++i) {
        shares[i] += bit_product(bit_of(choices, i), random[i], masked[i]) << term.shift;
      }
    });
  });
  for (std::uint64_t& share : shares) share &= low_mask(step.ring);
}

}  // namespace ap::activation
