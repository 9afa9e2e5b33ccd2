// Policy `ddpg`: AutoPrivacy's search (Lou, Bian, Jiang, NeurIPS 2020). In an episode the agent
// (planner/learned/agent.h) gives every layer an action, the budget of its errors; the plan walks to cheaper
// points until it is fast enough; it is simulated; and the agent learns from the reward and the actions that
// were realised.
//
// The paper's reward is minus the error rate, and speed enters only through a bound on the latency; with that
// alone nothing is ever faster than it must be. So when the fastest plan within a bound on the loss is
// wanted, the bound on the latency tightens while the agent learns: every episode must be some way nearer to
// the fastest plan of all than the best plan that kept the bound on the loss so far; further after success,
// less far after failure. What the agent has learnt stays true, since the reward of realised actions does not
// depend on the bound.
//
// A simulation takes seconds, and an agent that meets only as many episodes as there are simulations hardly
// learns. So between two simulations it runs imagined episodes (Dyna; Sutton, ICML 1990), whose changed
// classes a model forecasts in microseconds (planner/search/forecast.h). The best plan imagined is then refined by
// steps of single layers, as far as the forecast allows, and simulated; what the simulation finds corrects the
// forecasts and is an episode to learn from like the others. With `rollouts` 0 every episode is simulated: the
// paper's own form.
#pragma once

#include <filesystem>

#include "planner/learned/agent.h"
#include "planner/search/problem.h"

namespace ap::ddpg {

/// What an episode is worth.
enum class Reward {
  changes,  ///< minus the fraction of images whose best class changes: the error rate against the network's
            ///< own classes, which resolves what errors do long before the error rate against labels moves
  error,    ///< minus the error rate against the labels (the paper's R = -err)
};

/// How a proposal meets the bound on the latency. In both cases the agent learns from the actions realised.
enum class Walk {
  shift,  ///< all actions move by the same amount, down or up, until the plan just meets the bound: what the
          ///< agent says of the layers relative to each other stays, and no latency is left unused
  costliest,  ///< the costliest layer steps to its next cheaper point, again and again
};

struct DdpgOptions {
  AgentOptions agent{};
  Reward reward = Reward::changes;
  Walk walk = Walk::shift;
  /// Episodes imagined before each simulation. None are if `lambda` is not 0, if the reward is not that of
  /// changes, or if errors are not small ones (Environment::small_errors).
  int rollouts = 64;
  bool refine = true;  ///< whether the best plan imagined is refined before it is simulated
  /// If not 0, plans do not walk; instead R = -err - lambda max(0, latency / bound - 1).
  double lambda = 0;
  std::filesystem::path state{};       ///< file of the search so far, if not empty; removed at its end
  bool writes = true;                  ///< false: `state` is only read
  bool resume = false;                 ///< start from `state` if it is there
  search::Sharder* sharder = nullptr;  ///< rank 0 lets its agent choose, the others follow
};

/// The features of one layer scaled to [0, 1] by the smallest and largest of all layers (0 where these are
/// equal), and the action of the layer before.
State state_of(const search::Environment& environment, std::size_t layer, double previous_action);

class DdpgPolicy final : public search::Policy {
 public:
  explicit DdpgPolicy(DdpgOptions options = {}) : options_(std::move(options)) {}
  std::string name() const override { return "ddpg"; }
  /// One episode a simulation of the budget, besides the imagined ones, or fewer if the fastest plan of all
  /// turns out to keep the bound. With few of them the warm-up is shorter (a fifth) and the noise shrinks
  /// faster (to a twentieth at the end).
  search::Choice search(search::Environment& environment, const search::Budget& budget,
                        search::Trace& trace) override;

 private:
  DdpgOptions options_;
};

}  // namespace ap::ddpg
