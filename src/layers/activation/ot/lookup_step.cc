#include "layers/activation/ot/lookup_step.h"

#include <algorithm>
#include <cstring>

#include "base/memory.h"
#include "layers/activation/ot/ot_messages.h"
#include "layers/activation/ot/ot_products.h"

namespace ap::activation {

using mpc::bit_of;
using mpc::Block;
using mpc::EntryArray;

namespace {

std::size_t array_words(const LookupStep& step) {
  return mpc::words_of(mpc::entry_array_bits(step.index_bits, step.value_bits));
}

/// An array of 2^index_bits entries, `copies` times.
EntryArray array_of(const LookupStep& step, std::size_t copies, const auto& entry) {
  EntryArray words{};
  const std::size_t size = std::size_t{1} << step.index_bits;
  const auto bits = static_cast<std::size_t>(step.value_bits);
  for (std::size_t j = 0; j < copies * size; ++j) {
    const std::uint64_t value = entry(j % size);
    for (std::size_t b = 0; b < bits; ++b)
      words[(j * bits + b) / 64] |= (value >> b & 1) << (j * bits + b) % 64;
  }
  return words;
}

/// The bits of every entry but the last, which is where entry 0 was moved out.
EntryArray sent_bits(const LookupStep& step) {
  const std::size_t last = (std::size_t{1} << step.index_bits) - 1;
  return array_of(step, 1, [&](std::size_t j) { return j == last ? std::uint64_t{0} : ~std::uint64_t{0}; });
}

/// Every share of a value's bits times its factor.
void add_own(const LookupStep& step, const SecretVector<Block>& slices, std::span<std::uint64_t> shares) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  for (const BitTerm& term : step.terms) {
    const auto bit = std::span(slices).subspan(static_cast<std::size_t>(term.variable) * tiles, tiles);
    for (std::size_t i = 0; i < step.count; ++i) shares[i] += term.factor & (0 - bit_of(bit, i));
  }
}

SecretVector<Block> slices_of(const LookupStep& step, std::span<const std::uint64_t> values) {
  SecretVector<Block> slices(static_cast<std::size_t>(step.value_bits) * mpc::tiles_of(step.count));
  mpc::slice_words(values, 0, step.value_bits, slices);
  return slices;
}

std::size_t transferred(const LookupStep& step) {
  std::size_t count = 0;
  for_transferred(step.terms, [&](const BitTerm&, std::size_t) { ++count; });
  return count;
}

/// Answers the server's index; returns the client's XOR shares.
SecretVector<std::uint64_t> send_entries(net::Channel& channel, const LookupStep& step,
                                         const ClientLookupPreprocessing& material,
                                         std::span<const std::uint64_t> numbers) {
  const int w = step.index_bits, d = step.value_bits;
  std::vector<std::uint64_t> masked(step.count);
  unpack_bits(channel.receive_exactly(kLookupIndex, packed_bytes(step.count, w)), w, masked);
  const EntryArray table = array_of(step, 2, [&](std::size_t j) { return std::uint64_t{step.values[j]}; });
  const EntryArray sent = sent_bits(step);
  std::vector<EntryArray> units;
  for (int b = 0; b < d; ++b)
    units.push_back(array_of(step, 1, [&](std::size_t) { return std::uint64_t{1} << b; }));
  const std::size_t words = array_words(step), twice = mpc::words_of(2 * mpc::entry_array_bits(w, d));
  const std::size_t blocks = mpc::lookup_blocks(w, d), bytes = lookup_message_bytes(step);
  SecretVector<std::uint64_t> shares(step.count);
  Bytes message(step.count * bytes);
  EntryArray array;
  for (std::size_t i = 0; i < step.count; ++i) {
    std::copy_n(table.begin(), twice, array.begin());
    mpc::rotate_entries(array.data(), w, d, (numbers[i] + masked[i]) & low_mask(w));
    for (std::size_t k = 0; k < words; ++k) {
      const Block& pad = material.pads[i * blocks + k / 2];
      array[k] ^= k % 2 == 0 ? pad.lo : pad.hi;
    }
    const std::uint64_t share = array[0] & low_mask(d);
    shares[i] = share;
    for (int b = 0; b < d; ++b) {
      const std::uint64_t set = 0 - (share >> b & 1);
      for (std::size_t k = 0; k < words; ++k) array[k] ^= units[static_cast<std::size_t>(b)][k] & set;
    }
    mpc::shift_down_if(~std::uint64_t{0}, static_cast<std::size_t>(d), words, words, array.data());
    for (std::size_t k = 0; k < words; ++k) array[k] &= sent[k];
    std::memcpy(message.data() + i * bytes, array.data(), bytes);
  }
  wipe(array.data(), sizeof array);
  channel.send(kLookupEntries, message);
  return shares;
}

/// Asks for its entries; returns the server's XOR shares.
SecretVector<std::uint64_t> fetch_entries(net::Channel& channel, const LookupStep& step,
                                          const ServerLookupPreprocessing& material,
                                          std::span<const std::uint64_t> numbers) {
  const int w = step.index_bits, d = step.value_bits;
  SecretVector<std::uint64_t> masked(step.count);
  for (std::size_t i = 0; i < step.count; ++i) masked[i] = (numbers[i] - material.index[i]) & low_mask(w);
  Bytes message;
  append_packed(message, masked, w);
  channel.send(kLookupIndex, message);
  const std::size_t words = array_words(step), bytes = lookup_message_bytes(step);
  const Bytes entries = channel.receive_exactly(kLookupEntries, step.count * bytes);
  SecretVector<std::uint64_t> shares(step.count);
  EntryArray array;
  for (std::size_t i = 0; i < step.count; ++i) {
    array[words - 1] = 0;
    std::memcpy(array.data(), entries.data() + i * bytes, bytes);
    for (std::size_t k = words; k-- > 0;) {
      array[k] = array[k] << d | (k > 0 ? array[k - 1] >> (64 - d) : 0);
    }
    shares[i] = mpc::take_entry(array.data(), w, d, material.index[i]) ^ material.strings[i];
  }
  wipe(array.data(), sizeof array);
  return shares;
}

}  // namespace

ClientLookupPreprocessing prepare_client_lookup(const LookupStep& step, mpc::RandomOtSender& ots) {
  ClientLookupPreprocessing material;
  material.pads.resize(step.count * mpc::lookup_blocks(step.index_bits, step.value_bits));
  ots.lookups(step.index_bits, step.value_bits, material.pads);
  for_transferred(step.terms, [&](const BitTerm& term, std::size_t) {
    material.terms.push_back(make_word_side(ots, step.count, term.width));
  });
  return material;
}

ServerLookupPreprocessing prepare_server_lookup(const LookupStep& step, mpc::RandomOtReceiver& ots) {
  ServerLookupPreprocessing material;
  material.index.resize(step.count);
  material.strings.resize(step.count);
  ots.lookups(step.index_bits, step.value_bits, material.index, material.strings);
  for_transferred(step.terms, [&](const BitTerm& term, std::size_t) {
    material.terms.push_back(make_bit_side(ots, step.count, term.width));
  });
  return material;
}

void run_client_lookup(net::Channel& channel, const LookupStep& step,
                       const ClientLookupPreprocessing& material, std::span<const std::uint64_t> numbers,
                       std::span<std::uint64_t> shares) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  const SecretVector<Block> bits = slices_of(step, send_entries(channel, step, material, numbers));
  add_own(step, bits, shares);
  if (const std::size_t slices = transferred(step); slices > 0) {
    const Bytes choices = channel.receive_exactly(kLookupChoices, slices * packed_bytes(step.count, 1));
    SliceReader reader(choices, step.count);
    std::vector<Block> revealed(tiles);
    SecretVector<std::uint64_t> masked(step.count);
    Bytes reply;
    for_transferred(step.terms, [&](const BitTerm& term, std::size_t index) {
      const auto bit = std::span(bits).subspan(static_cast<std::size_t>(term.variable) * tiles, tiles);
      const std::uint64_t factor = product_factor(step.ring, term);
      reader.get(revealed.data(), tiles);
      with_words(material.terms[index], [&](const auto* d, const auto* random) {
        for (std::size_t i = 0; i < step.count; ++i) {
          const auto [sent, share] =
              word_product(d[i], random[i], factor & (0 - bit_of(bit, i)), bit_of(revealed, i));
          shares[i] += share << term.shift;
          masked[i] = sent;
        }
      });
      append_packed(reply, masked, term.width);
    });
    channel.send(kLookupWords, reply);
  }
  for (std::uint64_t& share : shares) share &= low_mask(step.ring);
}

void run_server_lookup(net::Channel& channel, const LookupStep& step,
                       const ServerLookupPreprocessing& material, std::span<const std::uint64_t> numbers,
                       std::span<std::uint64_t> shares) {
  const std::size_t tiles = mpc::tiles_of(step.count);
  const SecretVector<Block> bits = slices_of(step, fetch_entries(channel, step, material, numbers));
  add_own(step, bits, shares);
  if (const std::size_t slices = transferred(step); slices > 0) {
    SliceWriter revealing(step.count, slices);
    std::size_t size = 0;
    for_transferred(step.terms, [&](const BitTerm& term, std::size_t index) {
      put_masked(revealing, std::span(bits).subspan(static_cast<std::size_t>(term.variable) * tiles, tiles),
                 material.terms[index].choices);
      size += packed_bytes(step.count, term.width);
    });
    channel.send(kLookupChoices, revealing.bytes());
    const Bytes reply = channel.receive_exactly(kLookupWords, size);
    ByteView view(reply);
    SecretVector<std::uint64_t> masked(step.count);
    for_transferred(step.terms, [&](const BitTerm& term, std::size_t index) {
      take_packed(view, term.width, masked);
      with_words(material.terms[index], [&](std::span<const Block> choices, const auto* random) {
        for (std::size_t i = 0; i < step.count; ++i) {
          shares[i] += bit_product(bit_of(choices, i), random[i], masked[i]) << term.shift;
        }
      });
    });
  }
  for (std::uint64_t& share : shares) share &= low_mask(step.ring);
}

}  // namespace ap::activation
