#include "planner/learned/agent.h"

#include <gtest/gtest.h>

#include <cmath>

namespace ap::ddpg {
namespace {

using Network = Agent::Network;

/// An episode of independent choices: the closer each action is to its target, the better.
struct Toy {
  std::vector<double> targets = {0.15, 0.85, 0.5, 0.9};

  State state(std::size_t i, double previous) const {
    State s{};
    s[0] = static_cast<float>(i) / static_cast<float>(targets.size() - 1);
    s[1] = i % 2 ? 1.0F : 0.0F;
    s[2] = i >= 2 ? 1.0F : 0.0F;
    s[10] = static_cast<float>(previous);
    return s;
  }
  double reward(const std::vector<double>& actions) const {
    double loss = 0;
    for (std::size_t i = 0; i < targets.size(); ++i)
      loss += (actions[i] - targets[i]) * (actions[i] - targets[i]);
    return -loss;
  }
  double random_reward() const {  // the expectation over uniform actions
    double loss = 0;
    for (const double t : targets) loss += 1.0 / 12 + (0.5 - t) * (0.5 - t);
    return -loss;
  }
  std::vector<double> episode(Agent& agent) const {
    std::vector<State> states;
    std::vector<double> actions;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      states.push_back(state(i, i ? actions.back() : 0));
      actions.push_back(agent.explore(states.back()));
    }
    agent.finish_episode(states, actions, reward(actions));
    return actions;
  }
  std::vector<double> proposal(const Agent& agent) const {
    std::vector<double> actions;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      actions.push_back(agent.propose(state(i, i ? actions.back() : 0)));
    }
    return actions;
  }
};

TEST(Agent, LearnsWhatEachLayerWants) {
  const Toy toy;
  Agent agent({.seed = 2, .warm_up = 10});
  for (int i = 0; i < 80; ++i) toy.episode(agent);
  EXPECT_GT(toy.reward(toy.proposal(agent)), 0.25 * toy.random_reward());
}

TEST(Agent, TargetsAreTheRewardAboveTheBaselineAndTheNextValue) {
  EXPECT_DOUBLE_EQ(target_value(-0.25, -0.5, 1, 2, false), 2.25);
  EXPECT_DOUBLE_EQ(target_value(-0.25, -0.5, 0.5, 2, false), 1.25);
  EXPECT_DOUBLE_EQ(target_value(-0.25, -0.5, 1, 2, true), 0.25);
}

TEST(Agent, BaselineIsTheMovingAverageOfRewards) {
  Agent agent({.baseline_rate = 0.25});
  const std::vector<State> states(2);
  const std::vector<double> actions = {0.5, 0.5};
  agent.finish_episode(states, actions, -1);
  EXPECT_DOUBLE_EQ(agent.baseline(), -1);
  agent.finish_episode(states, actions, -0.5);
  EXPECT_DOUBLE_EQ(agent.baseline(), -0.875);
  agent.finish_episode(states, actions, -0.1);
  EXPECT_DOUBLE_EQ(agent.baseline(), -0.68125);
}

TEST(Agent, TargetNetworksFollowByOnePercent) {
  const Toy toy;
  Agent agent({.seed = 3, .warm_up = 0});
  const auto actor_before = agent.weights(Network::target_actor);
  const auto critic_before = agent.weights(Network::target_critic);
  EXPECT_EQ(actor_before, agent.weights(Network::actor));
  EXPECT_EQ(critic_before, agent.weights(Network::critic));
  agent.finish_episode(std::vector<State>{toy.state(0, 0)}, std::vector<double>{0.5},
                       -1);  // one step: one update
  for (const auto& [network, target, before] :
       {std::tuple(Network::actor, Network::target_actor, actor_before),
        std::tuple(Network::critic, Network::target_critic, critic_before)}) {
    const auto now = agent.weights(network), followed = agent.weights(target);
    double moved = 0;
    for (std::size_t i = 0; i < now.size(); ++i) {
      ASSERT_NEAR(followed[i], 0.99F * before[i] + 0.01F * now[i], 1e-7);
      moved += std::abs(now[i] - before[i]);
    }
    EXPECT_GT(moved, 0);
  }
}

TEST(Agent, FirstStepOfAdamMovesEveryWeightByAtMostItsRate) {
  const Toy toy;
  Agent agent({.seed = 4, .warm_up = 0});
  const auto actor = agent.weights(Network::actor), critic = agent.weights(Network::critic);
  agent.finish_episode(std::vector<State>{toy.state(1, 0)}, std::vector<double>{0.5}, -1);
  double largest_actor = 0, largest_critic = 0;
  const auto actor_now = agent.weights(Network::actor), critic_now = agent.weights(Network::critic);
  for (std::size_t i = 0; i < actor.size(); ++i) {
    largest_actor = std::max(largest_actor, std::abs(double{actor_now[i]} - actor[i]));
  }
  for (std::size_t i = 0; i < critic.size(); ++i) {
    largest_critic = std::max(largest_critic, std::abs(double{critic_now[i]} - critic[i]));
  }
  EXPECT_NEAR(largest_actor, 1e-4, 2e-6);
  EXPECT_NEAR(largest_critic, 1e-3, 2e-5);
}

TEST(Agent, HasTheNetworksOfThePaper) {
  const Agent agent;
  EXPECT_EQ(agent.weights(Network::actor).size(), 11U * 400 + 400 + 400 * 300 + 300 + 300 + 1);
  EXPECT_EQ(agent.weights(Network::critic).size(), 12U * 400 + 400 + 400 * 300 + 300 + 300 + 1);
}

TEST(Agent, NoiseShrinksAfterTheWarmUpOnly) {
  Agent agent({.warm_up = 2});
  const std::vector<State> states(1);
  const std::vector<double> actions = {0.5};
  for (const double expected : {0.5, 0.5, 0.5, 0.5 * 0.99, 0.5 * 0.99 * 0.99}) {
    EXPECT_DOUBLE_EQ(agent.noise(), expected);
    agent.finish_episode(states, actions, -1);
  }
}

TEST(Agent, TheSameSeedGivesTheSameEpisodes) {
  const Toy toy;
  Agent one({.seed = 5, .warm_up = 3}), two({.seed = 5, .warm_up = 3}), other({.seed = 6, .warm_up = 3});
  for (int i = 0; i < 6; ++i) {
    const auto actions = toy.episode(one);
    EXPECT_EQ(actions, toy.episode(two));
    EXPECT_NE(actions, toy.episode(other));
  }
  EXPECT_EQ(one.weights(Network::actor), two.weights(Network::actor));
  EXPECT_EQ(one.weights(Network::target_critic), two.weights(Network::target_critic));
}

TEST(Agent, ContinuesFromBytesAsIfNeverStopped) {
  const Toy toy;
  const AgentOptions options{.seed = 7, .replay = 12, .warm_up = 2};
  Agent agent(options), resumed(options);
  for (int i = 0; i < 4; ++i) toy.episode(agent);
  ByteWriter out;
  agent.save(out);
  toy.episode(resumed);  // whatever it did before is forgotten
  ByteReader in(out.bytes(), "test");
  resumed.load(in);
  in.expect_end();
  EXPECT_EQ(resumed.episodes(), 4);
  EXPECT_EQ(resumed.baseline(), agent.baseline());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(toy.episode(agent), toy.episode(resumed));
  EXPECT_EQ(agent.weights(Network::critic), resumed.weights(Network::critic));
}

TEST(Agent, RefusesBytesOfAnotherSearch) {
  Agent agent({.seed = 8}), other({.seed = 9});
  ByteWriter out;
  agent.save(out);
  ByteReader in(out.bytes(), "test");
  EXPECT_THROW(other.load(in), Error);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, out.bytes().size() / 2, out.bytes().size() - 1}) {
    ByteReader cut(ByteView(out.bytes()).first(length), "test");
    EXPECT_THROW(agent.load(cut), Error) << length;
  }
}

}  // namespace
}  // namespace ap::ddpg
