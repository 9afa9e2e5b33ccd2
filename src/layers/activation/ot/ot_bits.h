// The shared bits of one step: a variable is one slice (mpc/ot/random_ot.h) of every party's share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/party.h"
#include "layers/activation/ot/ot_step.h"
#include "mpc/ot/random_ot.h"

namespace ap::activation {

/// Writes the first `count` bits of slices, each in whole bytes.
class SliceWriter {
 public:
  SliceWriter(std::size_t count, std::size_t slices) : bytes_each_((count + 7) / 8) {
    bytes_.reserve(bytes_each_ * slices);
  }
  void put(const mpc::Block* slice) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + bytes_each_);
    std::memcpy(bytes_.data() + at, slice, bytes_each_);
  }
  Bytes& bytes() { return bytes_; }

 private:
  std::size_t bytes_each_;
  Bytes bytes_;
};

/// Reads what SliceWriter wrote; bits beyond the last whole byte are zero.
class SliceReader {
 public:
  SliceReader(ByteView bytes, std::size_t count) : bytes_(bytes), bytes_each_((count + 7) / 8) {}
  void get(mpc::Block* slice, std::size_t tiles) {
    slice[tiles - 1] = {0, 0};
    std::memcpy(slice, bytes_.data(), bytes_each_);
    bytes_ = bytes_.subspan(bytes_each_);
  }

 private:
  ByteView bytes_;
  std::size_t bytes_each_;
};

class SharedBits {
 public:
  SharedBits(const ComparisonProgram& program, std::size_t count, Party role)
      : program_(program),
        count_(count),
        tiles_(mpc::tiles_of(count)),
        role_(role),
        slices_(static_cast<std::size_t>(program.variables) * tiles_) {}

  std::size_t count() const { return count_; }
  std::size_t tiles() const { return tiles_; }
  std::span<mpc::Block> slice(int variable) {
    return std::span(slices_).subspan(static_cast<std::size_t>(variable) * tiles_, tiles_);
  }

  /// Fills in the local bits from this party's words, sliced.
  void set_locals(std::span<const mpc::Block> word_slices);

  /// All AND and XOR steps, one exchange for each level. The leaves and locals must be there.
  void evaluate(net::Channel& channel, std::span<const AndTriple> triples);

 private:
  void run_ands(net::Channel& channel, std::span<const AndTriple> triples, int level);
  void run_xors(int level);

  const ComparisonProgram& program_;
  std::size_t count_;
  std::size_t tiles_;
  Party role_;
  SecretVector<mpc::Block> slices_;
};

/// The leaf's outputs for every digit x of the server: entries[x] for one tile, from the client's digit.
/// y and e: the `width` bits of the client's digit and of its negated high part's digit.
void leaf_entries(LeafOutput output, int width, const mpc::Block* y, const mpc::Block* e,
                  mpc::Block* entries);

}  // namespace ap::activation
