// What keys of every kind of key switching are made of: one digit of a gadget.
#pragma once

#include <cstdint>
#include <span>

#include "he/rlwe/context.h"
#include "random/prng.h"

namespace ap::rlwe {

/// b = -a s + e + P g t over Q P with fresh errors e, g being 1 modulo the data primes [first, first + count) and 0 modulo the
/// others. `a`, `from` (t), `to` (s) and `b` are of key_words() values in NTT form.
void make_key_digit(const Context& context, std::span<const std::uint64_t> a,
                    std::span<const std::uint64_t> from, std::span<const std::uint64_t> to, std::size_t first,
                    std::size_t count, Prng& prng, std::span<std::uint64_t> b);

}  // namespace ap::rlwe
