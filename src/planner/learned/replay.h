// What the agent remembers: single steps of past episodes, the oldest forgotten first.
#pragma once

#include <array>
#include <vector>

#include "base/bytes.h"
#include "planner/learned/random.h"

namespace ap::ddpg {

/// Features of a layer as the agent sees it (AutoPrivacy, NeurIPS 2020, section 3): position, channels in and
/// out, width and height, kernel, stride, log2 of p, q and N, and the action of the layer before, each scaled
/// to [0, 1].
inline constexpr std::size_t kFeatures = 11;
using State = std::array<float, kFeatures>;

struct Transition {
  State state{};
  float action = 0;
  float reward = 0;  ///< of the whole episode
  State next{};      ///< all zeros after the last layer
  bool last = false;
};

class Replay {
 public:
  explicit Replay(std::size_t capacity);
  void push(const Transition& transition);
  std::size_t size() const { return steps_.size(); }
  const Transition& operator[](std::size_t i) const { return steps_[i]; }
  /// `count` indices, uniform and with repetition. The buffer must not be empty.
  std::vector<std::size_t> sample(std::size_t count, Random& random) const;

  void save(ByteWriter& out) const;
  /// @throws Error(input) if there are more steps than this buffer holds.
  void load(ByteReader& in);

 private:
  std::size_t capacity_;
  std::size_t oldest_ = 0;  ///< where the next one goes once the buffer is full
  std::vector<Transition> steps_;
};

}  // namespace ap::ddpg
