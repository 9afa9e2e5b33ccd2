// The actor-critic agent of AutoPrivacy (Lou, Bian, Jiang, NeurIPS 2020, section 3): deep deterministic
// policy gradients (Lillicrap et al., ICLR 2016). It proposes one action in [0, 1] a layer, and learns from
// one reward an episode. What the paper leaves open is filled in as its template HAQ does (Wang et al., CVPR
// 2019). This header is free of libtorch.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "planner/learned/replay.h"

namespace ap::ddpg {

struct AgentOptions {
  std::uint64_t seed = 1;
  double actor_rate = 1e-4, critic_rate = 1e-3;  ///< of Adam
  std::size_t replay = 2000;                     ///< steps remembered
  std::size_t minibatch = 64;
  int updates = 0;  ///< minibatches learnt from an episode; 0: one a step
  double noise = 0.5,
         noise_decay = 0.99;    ///< standard deviation of exploration; factor an episode after warm-up
  int warm_up = 20;             ///< first episodes, with uniformly random actions and nothing learnt
  double target_rate = 0.01;    ///< of the target networks (the paper's tau)
  double discount = 1;          ///< gamma
  double baseline_rate = 0.05;  ///< of the exponential moving average of rewards
};

/// The value a critic learns for one step: reward - baseline + discount * (value of the next step), without
/// the last term after the last layer.
double target_value(double reward, double baseline, double discount, double next_value, bool last);

/// Deterministic: the same seed and the same sequence of calls give the same actions, on any number of cores.
class Agent {
 public:
  explicit Agent(const AgentOptions& options = {});
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// The actor's own proposal, mu(O).
  double propose(const State& state) const;
  /// The proposal with exploration noise; uniformly random during the warm-up.
  double explore(const State& state);
  /// Ends an episode: one state a layer, the actions that were realised, and the episode's reward, which is
  /// copied to all steps. Updates the baseline, remembers the steps, and after the warm-up learns from
  /// options().updates minibatches.
  void finish_episode(std::span<const State> states, std::span<const double> actions, double reward);

  const AgentOptions& options() const;
  int episodes() const;
  /// Standard deviation of the exploration noise in the episode to come.
  double noise() const;
  /// The moving average of rewards; the first reward itself after one episode.
  double baseline() const;
  /// Q(O, a) by the critic: what an episode is worth from this step on, above the baseline.
  double value(const State& state, double action) const;

  /// Everything that the future depends on: networks, optimisers, memory, counters and the random state.
  void save(ByteWriter& out) const;
  /// @throws Error(input) if the bytes are not those of an agent with the same seed and sizes.
  void load(ByteReader& in);

  enum class Network { actor, critic, target_actor, target_critic };
  /// All weights and biases of one network, in order of layers.
  std::vector<float> weights(Network network) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ap::ddpg
