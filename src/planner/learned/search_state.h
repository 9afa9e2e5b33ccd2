// What a stopped search of policy ddpg goes on from, besides its agent.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "planner/search/problem.h"

namespace ap::ddpg {

struct SearchState {
  std::uint64_t question = 0;  ///< fingerprint of the problem, the budget and the reward
  double step = 0;  ///< the part of the way from the best plan to the fastest that the next one must go
  double aim = 1;   ///< the forecast changes that a plan to be simulated may have, as a part of those allowed
  std::vector<search::Choice> entered;  ///< every choice simulated, in order

  void save(ByteWriter& out) const;
  /// @throws Error(input) if the state answers another question than `question`, or is damaged: points that
  /// are not in the lists of `environment`.
  void load(ByteReader& in, const search::Environment& environment);
};

}  // namespace ap::ddpg
