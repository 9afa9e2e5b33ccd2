// Randomness that is the same in every run. The program is linked so that getrandom(2) (getentropy(3) of Emscripten), the only
// source of random_seed(), is answered from the seed of the party that the calling thread plays. Threads that play
// nobody get the system's randomness, and are counted: what a party sends must never depend on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace ap::transcripts {

/// What one party draws: draw number i is SHA-256(name, i, 0), SHA-256(name, i, 1), ... cut to its length.
/// So the values depend on how many draws the party made before, and on nothing that another party does.
class Randomness {
 public:
  explicit Randomness(std::string name) : name_(std::move(name)) {}
  std::uint64_t draws() const { return draws_; }
  void draw(std::uint8_t* out, std::size_t bytes);

 private:
  const std::string name_;
  std::uint64_t draws_ = 0;
};

/// While it lives, the thread that made it draws from `randomness`.
class Playing {
 public:
  explicit Playing(Randomness& randomness);
  ~Playing();
  Playing(const Playing&) = delete;
  Playing& operator=(const Playing&) = delete;
};

/// How often a thread that played nobody drew, in the whole process so far.
std::uint64_t draws_of_nobody();

}  // namespace ap::transcripts
