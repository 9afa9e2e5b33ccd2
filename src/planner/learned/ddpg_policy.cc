#include "planner/learned/ddpg_policy.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <set>

#include "analysis/noise/counter_random.h"
#include "base/files.h"
#include "planner/learned/search_state.h"
#include "planner/search/forecast.h"
#include "planner/search/journal.h"
#include "planner/search/policies.h"

namespace ap::ddpg {
namespace {

using search::Choice;
using search::Environment;

// The part of the way from the best plan to the fastest that the next one must go, and how that changes after
// success and failure.
constexpr double kFirstStep = 0.3, kLargestStep = 0.5, kSmallestStep = 0.01, kGrow = 1.3, kShrink = 0.93;
// Halvings of the amount by which actions are shifted.
constexpr int kHalvings = 12;
// After the warm-up one episode of so many is the actor's own proposal, without noise.
constexpr int kGreedyEvery = 4;
// Exploration of short searches.
constexpr int kWarmUpShare = 5;
constexpr double kLastNoise = 0.05;

// How a simulation changes the forecast changes that the next plan may have: after success and failure.
constexpr double kAimGrow = 1.1, kAimShrink = 0.85;
// Minibatches learnt from an episode where most are imagined.
constexpr int kImaginedUpdates = 2;

constexpr std::size_t kEpisodesAWrite = 10;
constexpr std::uint64_t kMaxStateBytes = 256 << 20;

AgentOptions scheduled(AgentOptions agent, int episodes) {
  agent.warm_up = std::min(agent.warm_up, episodes / kWarmUpShare);
  const int learnt = std::max(1, episodes - agent.warm_up);
  agent.noise_decay = std::min(agent.noise_decay, std::pow(kLastNoise, 1.0 / learnt));
  return agent;
}

/// Whether most episodes are imagined.
bool imagines(const Environment& environment, const DdpgOptions& options) {
  return options.rollouts > 0 && options.lambda == 0 && options.reward == Reward::changes &&
         environment.small_errors();
}

AgentOptions agent_of(const Environment& environment, const search::Budget& budget,
                      const DdpgOptions& options) {
  AgentOptions agent = options.agent;
  if (!imagines(environment, options)) return scheduled(agent, budget.simulations);
  // The paper's 0.99 an episode would leave no noise to most of them.
  const int episodes = budget.simulations * (options.rollouts + 1);
  agent.noise_decay = 1;
  agent.updates = kImaginedUpdates;
  return scheduled(agent, episodes);
}

/// One search.
class Search {
 public:
  Search(Environment& environment, const search::Budget& budget, search::Trace& trace,
         const DdpgOptions& options)
      : environment_(environment),
        budget_(budget),
        options_(options),
        contest_(environment, budget, trace),
        agent_(agent_of(environment, budget, options)),
        floor_(environment.seconds(environment.cheapest_choice())) {
    state_.question = question();
    state_.step = kFirstStep;
  }

  Choice run();

 private:
  bool leads() const { return !options_.sharder || options_.sharder->rank() == 0; }
  std::int64_t shared(std::int64_t value) const;
  Choice shared(Choice choice) const;
  bool enter(const Choice& choice);
  std::uint64_t question() const;
  void resume();
  void write() const;
  bool finished() const;
  double bound() const;
  Choice shifted(std::span<const double> actions, double bound) const;
  Choice propose(double bound);
  Choice imagine();
  bool better(const Choice& a, const Choice& b, double allowed) const;
  void learn(const Choice& choice, double reward);
  double reward(const Choice& choice, double bound);
  std::vector<double> realised(const Choice& choice) const;

  Environment& environment_;
  const search::Budget budget_;
  const DdpgOptions& options_;
  search::Incumbent contest_;
  std::optional<search::Forecast> forecast_;  ///< on rank 0, if episodes are imagined
  Agent agent_;
  const double floor_;
  bool kept_ = false;           ///< whether any choice kept the bounds
  std::set<Choice> entered_;    ///< as state_.entered
  double allowed_changes_ = 0;  ///< by the bound on the loss, where plans are imagined
  SearchState state_;
};

/// A fingerprint of all that decides the course of the search.
std::uint64_t Search::question() const {
  std::uint64_t key = search::fingerprint(environment_);
  const auto mix = [&](std::uint64_t value) { key = noise::counter_bits(key, value); };
  for (const double value :
       {budget_.max_loss.value_or(-1), budget_.max_seconds.value_or(-1), options_.lambda}) {
    mix(std::bit_cast<std::uint64_t>(value));
  }
  mix(static_cast<std::uint64_t>(budget_.simulations));
  mix(static_cast<std::uint64_t>(options_.reward));
  mix(static_cast<std::uint64_t>(options_.walk));
  mix(options_.agent.seed);
  mix(static_cast<std::uint64_t>(options_.rollouts));
  mix(options_.refine);
  return key;
}

/// The value of rank 0, on all ranks.
std::int64_t Search::shared(std::int64_t value) const {
  if (!leads()) value = 0;
  if (options_.sharder) options_.sharder->sum({&value, 1});
  return value;
}

Choice Search::shared(Choice choice) const {
  if (!options_.sharder) return choice;
  std::vector<std::int64_t> values(environment_.layers(), 0);
  if (leads()) std::copy(choice.begin(), choice.end(), values.begin());
  options_.sharder->sum(values);
  return Choice(values.begin(), values.end());
}

bool Search::enter(const Choice& choice) {
  const bool kept = contest_.enter(choice);
  state_.entered.push_back(choice);
  entered_.insert(choice);
  kept_ |= kept;
  if (forecast_) forecast_->learn(choice, environment_.evaluate(choice).counts);
  return kept;
}

std::vector<double> Search::realised(const Choice& choice) const {
  std::vector<double> actions;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    actions.push_back(environment_.points(i)[static_cast<std::size_t>(choice[i])].action);
  }
  return actions;
}

/// Whether no plan can be better: none is faster than the best one, which keeps the bound on the loss.
bool Search::finished() const {
  return budget_.max_loss && kept_ && contest_.best_seconds() <= floor_ * (1 + 1e-9);
}

double Search::bound() const {
  double bound = budget_.max_seconds.value_or(environment_.seconds(environment_.exact_choice()));
  if (budget_.max_loss && kept_)
    bound = std::min(bound, floor_ + (contest_.best_seconds() - floor_) * (1 - state_.step));
  return std::max(bound, floor_);
}

/// The actions moved by the same amount, so that the plan takes at most `bound`, and hardly less.
Choice Search::shifted(std::span<const double> actions, double bound) const {
  const auto by = [&](double amount) {
    Choice choice;
    for (std::size_t i = 0; i < actions.size(); ++i) {
      choice.push_back(environment_.point_for(i, std::clamp(actions[i] + amount, 0.0, 1.0)));
    }
    return choice;
  };
  double low = -1, high = 1;  // by -1 all layers are at their floor, by 1 at their most exact
  if (environment_.seconds(by(high)) <= bound) return by(high);
  for (int k = 0; k < kHalvings; ++k) {
    const double middle = (low + high) / 2;
    (environment_.seconds(by(middle)) <= bound ? low : high) = middle;
  }
  return by(low);
}

Choice Search::propose(double bound) {
  const int learnt = agent_.episodes() - agent_.options().warm_up;
  const bool greedy = learnt >= 0 && learnt % kGreedyEvery == kGreedyEvery - 1;
  std::vector<double> actions;
  Choice choice;
  double previous = 0;
  for (std::size_t i = 0; i < environment_.layers(); ++i) {
    const State state = state_of(environment_, i, previous);
    actions.push_back(greedy ? agent_.propose(state) : agent_.explore(state));
    choice.push_back(environment_.point_for(i, actions.back()));
    previous = environment_.points(i)[static_cast<std::size_t>(choice.back())].action;
  }
  if (options_.lambda > 0) return choice;
  return options_.walk == Walk::shift ? shifted(actions, bound)
                                      : environment_.constrain(std::move(choice), bound);
}

double Search::reward(const Choice& choice, double bound) {
  const search::Evaluation& e = environment_.evaluate(choice);
  double reward = options_.reward == Reward::changes ? -e.counts.changes() : e.reward();
  if (options_.lambda > 0) reward -= options_.lambda * std::max(0.0, e.seconds / bound - 1);
  return reward;
}

void Search::learn(const Choice& choice, double reward) {
  const std::vector<double> actions = realised(choice);
  std::vector<State> states;
  for (std::size_t i = 0; i < choice.size(); ++i) {
    states.push_back(state_of(environment_, i, i ? actions[i - 1] : 0));
  }
  agent_.finish_episode(states, actions, reward);
}

/// Whether a simulation of `a` promises more than one of `b`: as search::Incumbent judges, by forecast.
bool Search::better(const Choice& a, const Choice& b, double allowed) const {
  const double changes_a = forecast_->changes(a), changes_b = forecast_->changes(b);
  const bool keeps_a = changes_a <= allowed, keeps_b = changes_b <= allowed;
  if (keeps_a != keeps_b) return keeps_a;
  return keeps_a ? environment_.seconds(a) < environment_.seconds(b) : changes_a < changes_b;
}

/// The best plan of a number of imagined episodes, of those that were not simulated and, with a bound on the
/// loss, are faster than the best one that was.
Choice Search::imagine() {
  // Without a bound on the loss the fewest changes are wanted.
  const double allowed = budget_.max_loss ? state_.aim * allowed_changes_ : -1;
  const double fastest = environment_.seconds(environment_.exact_choice());
  const double limit = budget_.max_loss && kept_ ? contest_.best_seconds() : 2 * fastest;
  std::optional<Choice> best;
  double reached =
      std::min(limit, fastest);  // by the fastest plan of this round that is forecast to keep its bound
  double step = kFirstStep;
  const auto consider = [&](const Choice& choice) {
    if (entered_.contains(choice) || environment_.seconds(choice) >= limit) return;
    if (budget_.max_seconds && environment_.seconds(choice) > *budget_.max_seconds) return;
    if (!best || better(choice, *best, allowed)) best = choice;
  };
  for (int k = 0; k < options_.rollouts; ++k) {
    double bound = budget_.max_seconds.value_or(fastest);
    if (budget_.max_loss) bound = std::min(bound, floor_ + (reached - floor_) * (1 - step));
    const Choice choice = propose(std::max(bound, floor_));
    const double changes = forecast_->changes(choice);
    const bool kept = changes <= allowed;
    if (kept) reached = std::min(reached, environment_.seconds(choice));
    step = std::clamp(step * (kept ? kGrow : kShrink), kSmallestStep, kLargestStep);
    consider(choice);
    learn(choice, -changes);
  }
  if (best && options_.refine && budget_.max_loss)
    consider(search::refined(environment_, *forecast_, *best, allowed));
  return best ? *best : propose(bound());
}

Choice Search::run() {
  if (imagines(environment_, options_)) {
    if (budget_.max_loss) allowed_changes_ = environment_.allowed_changes(*budget_.max_loss);
    if (leads()) forecast_.emplace(environment_);
  }
  resume();
  if (state_.entered.empty()) {
    const Choice exact = environment_.exact_choice();
    enter(budget_.max_seconds ? environment_.constrain(exact, *budget_.max_seconds) : exact);
  }
  while (contest_.open() && !finished()) {
    const double limit = bound();
    const Choice choice = shared(!leads() ? Choice() : forecast_ ? imagine() : propose(limit));
    const bool kept = enter(choice);
    state_.step = std::clamp(state_.step * (kept ? kGrow : kShrink), kSmallestStep, kLargestStep);
    state_.aim *= kept ? kAimGrow : kAimShrink;
    if (!leads()) continue;
    learn(choice, reward(choice, limit));
    if ((state_.entered.size() - 1) % kEpisodesAWrite == 0) write();
  }
  if (leads() && options_.writes && !options_.state.empty()) {
    std::error_code error;  // a file left behind is no harm
    std::filesystem::remove(options_.state, error);
  }
  return contest_.best();
}

void Search::write() const {
  if (!options_.writes || options_.state.empty()) return;
  ByteWriter out;
  state_.save(out);
  agent_.save(out);
  write_file(options_.state, out.bytes());
}

void Search::resume() {
  SearchState before = state_;
  if (leads() && options_.resume && !options_.state.empty() && std::filesystem::exists(options_.state)) {
    const Bytes bytes = read_file(options_.state, kMaxStateBytes);
    ByteReader in(bytes, options_.state.string());
    before.load(in, environment_);
    agent_.load(in);
    in.expect_end();
  }
  // The journal remembers what these answered, so that this takes no time.
  const std::int64_t count = shared(static_cast<std::int64_t>(before.entered.size()));
  for (std::int64_t k = 0; k < count; ++k) {
    enter(shared(leads() ? before.entered[static_cast<std::size_t>(k)] : Choice()));
  }
  state_.step = before.step;
  state_.aim = before.aim;
}

/// The features before scaling, in the order of State; without the action of the layer before.
std::array<double, kFeatures - 1> unscaled(const search::LayerFeatures& f) {
  const auto d = [](int value) { return static_cast<double>(value); };
  return {d(f.index),  d(f.c_in),   d(f.c_out), d(f.width), d(f.height),
          d(f.kernel), d(f.stride), f.log2_p,   f.log2_q,   f.log2_n};
}

}  // namespace

State state_of(const Environment& environment, std::size_t layer, double previous_action) {
  const auto own = unscaled(environment.features(layer));
  auto low = own, high = own;
  for (std::size_t i = 0; i < environment.layers(); ++i) {
    const auto other = unscaled(environment.features(i));
    for (std::size_t k = 0; k < other.size(); ++k) {
      low[k] = std::min(low[k], other[k]);
      high[k] = std::max(high[k], other[k]);
    }
  }
  State state{};
  for (std::size_t k = 0; k < own.size(); ++k) {
    if (high[k] > low[k]) state[k] = static_cast<float>((own[k] - low[k]) / (high[k] - low[k]));
  }
  state.back() = static_cast<float>(previous_action);
  return state;
}

Choice DdpgPolicy::search(Environment& environment, const search::Budget& budget, search::Trace& trace) {
  return Search(environment, budget, trace, options_).run();
}

}  // namespace ap::ddpg
