#include "planner/learned/agent.h"

#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <cmath>

#include "planner/learned/networks.h"

namespace ap::ddpg {
namespace {

constexpr std::uint64_t kMagic = 0x31746e6567614150;  // "PAagent1"

// Each network and the exploration draw from their own sequence.
enum Stream : std::uint64_t { kActorStream = 1, kCriticStream, kExploreStream };
std::uint64_t seed_of(std::uint64_t seed, Stream stream) { return Random(seed * 4 + stream).bits(); }

torch::Tensor tensor_of(const State& state) {
  return torch::from_blob(const_cast<float*>(state.data()), {1, static_cast<std::int64_t>(kFeatures)})
      .clone();
}

}  // namespace

double target_value(double reward, double baseline, double discount, double next_value, bool last) {
  return reward - baseline + (last ? 0 : discount * next_value);
}

struct Agent::Impl {
  explicit Impl(const AgentOptions& wanted)
      : options(wanted),
        random(seed_of(wanted.seed, kExploreStream)),
        replay(wanted.replay),
        actor(static_cast<int>(kFeatures), true, seed_of(wanted.seed, kActorStream)),
        critic(static_cast<int>(kFeatures) + 1, false, seed_of(wanted.seed, kCriticStream)),
        target_actor(static_cast<int>(kFeatures), true, 0),
        target_critic(static_cast<int>(kFeatures) + 1, false, 0),
        actor_optimiser(actor->parameters(), torch::optim::AdamOptions(wanted.actor_rate)),
        critic_optimiser(critic->parameters(), torch::optim::AdamOptions(wanted.critic_rate)) {
    follow(target_actor, actor, 1);
    follow(target_critic, critic, 1);
  }

  void learn();

  AgentOptions options;
  Random random;
  Replay replay;
  Perceptron actor, critic, target_actor, target_critic;
  torch::optim::Adam actor_optimiser, critic_optimiser;
  int episodes = 0;
  double baseline = 0;
};

void Agent::Impl::learn() {
  const std::vector<std::size_t> chosen = replay.sample(options.minibatch, random);
  const auto count = static_cast<std::int64_t>(chosen.size());
  constexpr auto kWidth = static_cast<std::int64_t>(kFeatures);
  const torch::Tensor states = torch::empty({count, kWidth}), nexts = torch::empty({count, kWidth});
  const torch::Tensor actions = torch::empty({count, 1});
  torch::Tensor targets = torch::empty({count, 1});
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Transition& t = replay[chosen[i]];
    std::copy(t.state.begin(), t.state.end(), states.data_ptr<float>() + i * kFeatures);
    std::copy(t.next.begin(), t.next.end(), nexts.data_ptr<float>() + i * kFeatures);
    actions.data_ptr<float>()[i] = t.action;
  }
  {
    const torch::NoGradGuard guard;
    const torch::Tensor next_values =
        target_critic->forward(torch::cat({nexts, target_actor->forward(nexts)}, 1)).contiguous();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      const Transition& t = replay[chosen[i]];
      targets.data_ptr<float>()[i] = static_cast<float>(
          target_value(t.reward, baseline, options.discount, next_values.data_ptr<float>()[i], t.last));
    }
  }

  critic_optimiser.zero_grad();
  torch::nn::functional::mse_loss(critic->forward(torch::cat({states, actions}, 1)), targets).backward();
  critic_optimiser.step();

  actor_optimiser.zero_grad();
  (-critic->forward(torch::cat({states, actor->forward(states)}, 1)).mean()).backward();
  actor_optimiser.step();

  follow(target_actor, actor, options.target_rate);
  follow(target_critic, critic, options.target_rate);
}

Agent::Agent(const AgentOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Agent::~Agent() = default;

double Agent::propose(const State& state) const {
  const SingleThread single;
  const torch::NoGradGuard guard;
  return std::clamp(impl_->actor->forward(tensor_of(state)).item<double>(), 0.0, 1.0);
}

double Agent::explore(const State& state) {
  if (impl_->episodes < impl_->options.warm_up) return impl_->random.uniform();
  return impl_->random.truncated_normal(propose(state), noise());
}

void Agent::finish_episode(std::span<const State> states, std::span<const double> actions, double reward) {
  AP_ASSERT(!states.empty() && states.size() == actions.size());
  AP_ASSERT(std::isfinite(reward));
  Impl& my = *impl_;
  my.baseline = my.episodes == 0 ? reward : my.baseline + my.options.baseline_rate * (reward - my.baseline);
  for (std::size_t i = 0; i < states.size(); ++i) {
    const bool last = i + 1 == states.size();
    my.replay.push({states[i], static_cast<float>(actions[i]), static_cast<float>(reward),
                    last ? State{} : states[i + 1], last});
  }
  ++my.episodes;
  if (my.episodes < my.options.warm_up) return;
  const SingleThread single;
  const int updates = my.options.updates > 0 ? my.options.updates : static_cast<int>(states.size());
  for (int k = 0; k < updates; ++k) my.learn();
}

const AgentOptions& Agent::options() const { return impl_->options; }

int Agent::episodes() const { return impl_->episodes; }

double Agent::noise() const {
  const int learnt = std::max(0, impl_->episodes - impl_->options.warm_up);
  return impl_->options.noise * std::pow(impl_->options.noise_decay, learnt);
}

double Agent::baseline() const { return impl_->baseline; }

double Agent::value(const State& state, double action) const {
  const SingleThread single;
  const torch::NoGradGuard guard;
  return impl_->critic->forward(torch::cat({tensor_of(state), torch::full({1, 1}, action)}, 1))
      .item<double>();
}

void Agent::save(ByteWriter& out) const {
  Impl& my = *impl_;
  out.u64(kMagic);
  out.u64(my.options.seed);
  out.u64(my.random.state());
  out.u32(static_cast<std::uint32_t>(my.episodes));
  out.f64(my.baseline);
  my.replay.save(out);
  ddpg::save(out, my.actor, my.actor_optimiser);
  ddpg::save(out, my.critic, my.critic_optimiser);
  ddpg::save(out, my.target_actor);
  ddpg::save(out, my.target_critic);
}

void Agent::load(ByteReader& in) {
  Impl& my = *impl_;
  if (in.u64() != kMagic || in.u64() != my.options.seed) {
    fail_input("the stored agent belongs to another search; delete its file or give the same --seed");
  }
  my.random.restore(in.u64());
  my.episodes = static_cast<int>(in.u32() & 0x7fffffff);
  my.baseline = in.f64();
  my.replay.load(in);
  ddpg::load(in, my.actor, my.actor_optimiser);
  ddpg::load(in, my.critic, my.critic_optimiser);
  ddpg::load(in, my.target_actor);
  ddpg::load(in, my.target_critic);
}

std::vector<float> Agent::weights(Network network) const {
  Perceptron* const all[] = {&impl_->actor, &impl_->critic, &impl_->target_actor, &impl_->target_critic};
  return flat_weights(*all[static_cast<std::size_t>(network)]);
}

}  // namespace ap::ddpg
