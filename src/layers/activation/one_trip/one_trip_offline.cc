// Offline: random strings, bits and products, and the rotation of the client's tables.
#include "layers/activation/one_trip/early_shares.h"
#include "layers/activation/one_trip/one_trip_messages.h"
#include "layers/activation/one_trip/one_trip_rows.h"
#include "layers/activation/one_trip/one_trip_step.h"

namespace ap::activation {

using mpc::Block;

namespace {

std::size_t tiles_of(const OneTripStep& step) { return mpc::tiles_of(step.count); }

/// Slices of the corrections of all tables.
std::size_t table_slices(const OneTripStep& step) {
  std::size_t slices = 0;
  for_rotated(step, [&](std::size_t, int width, int tables, std::size_t) {
    slices += static_cast<std::size_t>(width) * rotation_bits(tables, width);
  });
  return slices;
}

/// The client's tables as they are.
SecretVector<Block> plain_tables(const OneTripStep& step, std::size_t digit, int width, int tables, int shift,
                                 const OneTripClientStep& material) {
  const std::size_t tiles = tiles_of(step);
  SecretVector<Block> y(static_cast<std::size_t>(width) * tiles);
  mpc::slice_words(material.words, shift, width, y);
  SecretVector<Block> entries((static_cast<std::size_t>(tables) << width) * tiles);
  const std::span<const Block> pointers(material.pointers);
  const auto pointer = digit == 0 ? std::span<const Block>() : pointers.subspan((digit - 1) * tiles, tiles);
  if (digit == step.digits.size()) {
    high_tables(width, tiles, y, pointer, entries);
  } else {
    carry_tables(width, tiles, y, pointer, entries);
  }
  return entries;
}

}  // namespace

OneTripClientStep begin_one_trip_client(const OneTripStep& step, mpc::RandomOtReceiver& ots) {
  OneTripClientStep material;
  if (step.has_word()) material.product = make_bit_side(ots, step.count, step.ring);
  return material;
}

OneTripServerStep begin_one_trip_server(const OneTripStep& step, mpc::RandomOtSender& ots) {
  OneTripServerStep material;
  if (step.has_word()) material.product = make_word_side(ots, step.count, step.ring);
  return material;
}

void complete_one_trip_client(net::Channel& channel, const OneTripStep& step,
                              std::span<const std::uint64_t> words, std::span<const std::uint64_t> addends,
                              mpc::RandomOtSender& ots, Prng& prng, OneTripClientStep& material) {
  const std::size_t tiles = tiles_of(step);
  material.words.assign(words.begin(), words.end());
  material.addends.assign(addends.begin(), addends.end());
  material.pointers.resize(step.digits.size() * tiles);
  prng.fill(std::span(reinterpret_cast<std::uint8_t*>(material.pointers.data()),
                      material.pointers.size() * sizeof(Block)));
  if (step.guard_digits > 1) {
    material.rho.resize(step.count);
    for (std::uint64_t& rho : material.rho) rho = prng.next64() & low_mask(2 * step.ring);
  }
  SliceWriter corrections(step.count, table_slices(step));
  int shift = 0;
  for_rotated(step, [&](std::size_t digit, int width, int tables, std::size_t) {
    SecretVector<Block> table = plain_tables(step, digit, width, tables, shift, material);
    const std::size_t bits = rotation_bits(tables, width);
    SecretVector<Block> d(bits * tiles), shares(bits * tiles);
    for (int level = 0; level < width; ++level) {
      ots.bits(static_cast<int>(bits), tiles, d, shares);
      rotate_client(width, level, tiles, d, shares, corrections, table);
    }
    material.tables.push_back(std::move(table));
    shift += width;
  });
  channel.send(kOneTripTables, corrections.bytes());
  for (std::size_t bit = 0; bit < step.early_bits(); ++bit) {
    const int each = string_words(step, bit);
    const std::size_t size = step.count * static_cast<std::size_t>(each);
    OneTripClientStep::Strings strings{SecretVector<std::uint64_t>(size), SecretVector<std::uint64_t>(size)};
    ots.strings(each, strings.zero, strings.one);
    material.strings.push_back(std::move(strings));
  }
}

void complete_one_trip_server(net::Channel& channel, const OneTripStep& step, mpc::RandomOtReceiver& ots,
                              OneTripServerStep& material) {
  const std::size_t tiles = tiles_of(step);
  // The client's transfers come before what it has made of them, so those of all levels are drawn first.
  std::vector<std::vector<SecretVector<Block>>> shares;
  for_rotated(step, [&](std::size_t, int width, int tables, std::size_t) {
    const std::size_t bits = rotation_bits(tables, width);
    auto& rotation = material.rotations.emplace_back(static_cast<std::size_t>(width) * tiles);
    auto& levels = shares.emplace_back();
    for (int level = 0; level < width; ++level) {
      auto& share = levels.emplace_back(bits * tiles);
      ots.bits(static_cast<int>(bits), tiles,
               std::span(rotation).subspan(static_cast<std::size_t>(level) * tiles, tiles), share);
    }
  });
  const Bytes message =
      channel.receive_exactly(kOneTripTables, table_slices(step) * packed_bytes(step.count, 1));
  SliceReader corrections(message, step.count);
  for_rotated(step, [&](std::size_t, int width, int tables, std::size_t) {
    const std::size_t digit = material.tables.size();
    SecretVector<Block> table((static_cast<std::size_t>(tables) << width) * tiles);
    for (int level = 0; level < width; ++level) {
      const auto at = static_cast<std::size_t>(level);
      rotate_server(width, level, tiles, std::span(material.rotations[digit]).subspan(at * tiles, tiles),
                    shares[digit][at], corrections, table);
    }
    material.tables.push_back(std::move(table));
  });
  for (std::size_t bit = 0; bit < step.early_bits(); ++bit) {
    const int each = string_words(step, bit);
    OneTripServerStep::Choice choice{
        SecretVector<Block>(tiles), SecretVector<std::uint64_t>(step.count * static_cast<std::size_t>(each))};
    ots.strings(each, choice.bits, choice.strings);
    material.choices.push_back(std::move(choice));
  }
}

}  // namespace ap::activation
