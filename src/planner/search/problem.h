// What every policy searches over: a network with its images, and the environment that offers each linear
// layer's error budgets, turns choices into plans and simulates them. All policies get the same environment,
// the same images and seeds, and the same number of simulations.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/cost/profile.h"
#include "analysis/simulation/simulate.h"
#include "layers/linear/coefficient/weight_privacy.h"
#include "nn/execute/integer_executor.h"
#include "plan/plan.h"
#include "planner/search/sharder.h"

namespace ap::search {

/// Quantised images, one after another, and their labels (or none).
struct Images {
  std::vector<std::int32_t> pixels;
  std::vector<int> labels;
  std::uint64_t first = 0;  ///< number of the first one: parts of one set draw different errors
};

struct ProblemOptions {
  double held_out = 0.5;                      ///< fraction of the images kept for the final validation
  std::vector<std::uint64_t> seeds = {1, 2};  ///< of errors, on the search part
  std::vector<std::uint64_t> held_out_seeds = {101, 102};  ///< on the held-out part
  std::optional<double> overflow_log2;                     ///< as plan::BudgetOptions
  std::string protocol = "auto";    ///< of activations: gc, ot, one-trip, or the fastest on this link
  double bytes_per_second = 125e6;  ///< of the link that latency is predicted for
  std::uint64_t privacy_inferences = noise::kDefaultInferences;  ///< plan::LayerOptions
  cost::Profile profile = cost::typical_profile();               ///< unit costs of that prediction
};

/// A fixed question, the same for all policies and all episodes.
struct Problem {
  const nn::QuantisedNetwork* network = nullptr;  ///< with weights; outlives the problem
  Images search, held_out;
  std::vector<nn::Interval> ranges;  ///< by node, for plaintext moduli
  std::vector<double> steps;         ///< plan::error_steps, by linear layer
  ProblemOptions options;
};

/// Splits the images (every k-th is held out), observes ranges on the search part.
/// @throws Error(input) if there are fewer than two images or options are out of range.
Problem make_problem(const nn::QuantisedNetwork& network, std::span<const std::int32_t> images,
                     std::span<const int> labels, const ProblemOptions& options = {});

/// Linear layer `index` as an agent sees it: the first 10 of the 11 features of AutoPrivacy's state
/// (NeurIPS 2020, section 3), unscaled. The parameters are those of the layer's most exact point; a fully
/// connected layer has kernel 1 and stride 0.
struct LayerFeatures {
  int index = 0, c_in = 0, c_out = 0, width = 0, height = 0, kernel = 0, stride = 0;
  double log2_p = 0, log2_q = 0, log2_n = 0;
};

/// One point of a layer's Pareto list.
struct Point {
  double action = 0;  ///< budget that this point realises, on the scale of actions: 0 most error, 1 least
  double error =
      0;  ///< root mean square error of the layer's accumulators, in LSBs (budgets that are rates: DER)
  double seconds = 0;  ///< predicted, both parties and link
  std::uint64_t bytes = 0;
};

/// An index into every layer's Pareto list, in the order of plan::linear_nodes.
using Choice = std::vector<int>;

/// Whole counts, so that sums over ranks are exact.
struct Counts {
  std::int64_t images = 0, seeds = 0;
  bool labelled = false;
  std::int64_t clear_right = 0;  ///< without errors (all of them, without labels)
  std::int64_t right = 0;        ///< over images and seeds; without labels: the clear best class
  std::int64_t squares = 0;      ///< sum over images of (seeds * clear right - right)^2
  std::int64_t wrapped = 0;      ///< (image, seed) pairs in which some accumulator left its modulus
  std::int64_t changed = 0;      ///< (image, seed) pairs in which the best class is not that without errors
  /// Fraction of pairs whose best class changes.
  double changes() const;
  /// Fraction of images lost to errors: top-1 without errors minus with; negative if errors happen to help.
  double loss() const;
  double loss_std_error() const;  ///< of loss(), over images
  double top1() const;            ///< with errors
  /// Upper limit of the loss with 95 % confidence: the paired differences of all images, by Wilson's score, so
  /// that no loss among few images does not pass for none.
  double loss_limit() const;
  /// Nearly all labels are right without errors, as on images that the network was trained on. Their margins
  /// are wider than those of new images, and what errors change there says less.
  bool memorised() const;
};

struct Evaluation {
  Choice choice;
  Counts counts;
  double seconds = 0;  ///< predicted, of the whole plan
  std::uint64_t bytes = 0;
  double loss() const { return counts.loss(); }
  double reward() const { return -(1 - counts.top1()); }  ///< -err, as the paper's
};

class Environment {
 public:
  /// `sharder` may be null (one rank); both outlive the environment.
  Environment(const Problem& problem, Sharder* sharder);
  virtual ~Environment() = default;
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const Problem& problem() const { return *problem_; }
  std::size_t layers() const { return points_.size(); }
  const LayerFeatures& features(std::size_t layer) const { return features_[layer]; }
  /// By rising error and falling seconds; the first is the most exact. Never empty. A point covers the linear
  /// layer and the activations behind it that no later layer feeds.
  std::span<const Point> points(std::size_t layer) const { return points_[layer]; }
  std::string layer_name(std::size_t layer) const;
  /// Errors grow with budgets; otherwise a budget is the rate at which replies are ruined.
  bool small_errors() const { return small_errors_; }
  /// Whether no layer has more than one point.
  bool single() const;

  /// The cheapest point whose error keeps the budget of `action` (0..1; 0 allows most error); the most exact
  /// one if none does.
  int point_for(std::size_t layer, double action) const;
  /// point_for of every layer.
  Choice uniform_choice(double action) const;
  Choice exact_choice() const { return Choice(layers(), 0); }
  Choice cheapest_choice() const;

  double fixed_seconds() const { return fixed_seconds_; }  ///< of what no choice changes
  double seconds(const Choice& choice) const;              ///< predicted, with activations
  std::uint64_t bytes(const Choice& choice) const;
  /// Corrects the seconds of points so that the most exact and the cheapest plan take what `latency` predicts of
  /// them as wholes: points are priced one by one. To be called before anything is simulated.
  void price_by(const std::function<double(const plan::Plan&)>& latency);
  /// Adds so many seconds to every plan.
  void raise_prices(double seconds);
  /// Walks towards cheaper points until the plan takes at most max_seconds: the costliest layer steps to its
  /// next cheaper point, again and again; AutoPrivacy's latency constraint.
  /// @throws Error(input) if even the floor takes longer, naming the layer that takes most there.
  Choice constrain(Choice choice, double max_seconds) const;

  /// The valid plan of a choice.
  virtual plan::Plan plan_of(const Choice& choice) const = 0;

  /// Simulates on the search part; remembers every answer. Random numbers are common to all choices.
  const Evaluation& evaluate(const Choice& choice);
  /// Simulates a choice on the held-out part.
  const Evaluation& validate(const Choice& choice);
  /// Simulations run so far on the search part (answers that were remembered do not count).
  std::size_t simulations() const { return simulations_; }

  /// The loss that a simulation makes likely. Errors change classes in proportion to their size, but nearly
  /// as many images become right as wrong: what is lost in balance is of second order, c changes^2, and far
  /// below the chance of a few hundred images (one of which is 0.2 %). So c is measured once, under errors so
  /// large that the loss stands out (plus its standard error), on both parts; changes are measured for every
  /// choice. Never less than the loss measured. Without labels, and on images that look memorised, every change
  /// counts as lost.
  double expected_loss(const Counts& counts);
  /// The changes at which the expected loss is max_loss.
  double allowed_changes(double max_loss);
  /// Both expected_loss and the loss measured are at most max_loss. Whether that shows the bound for new images
  /// is a matter of their number: Counts::loss_limit.
  bool keeps_loss(const Evaluation& evaluation, double max_loss);

  /// Everything remembered; what a stopped search starts from (planner/search/journal.h).
  using Memory = std::map<Choice, Evaluation>;
  const Memory& evaluations() const { return searched_; }
  const Memory& validations() const { return validated_; }
  std::optional<double> curvature() const { return curvature_; }  ///< c of expected_loss, if measured
  void remember(Memory evaluations, Memory validations, std::optional<double> curvature);
  /// Called after every simulation that was really run.
  void on_simulation(std::function<void()> hook) { hooks_.push_back(std::move(hook)); }

 protected:
  /// The errors to inject for a choice.
  virtual noise::ErrorModel error_model(const Choice& choice) const;
  std::vector<LayerFeatures> features_;
  std::vector<std::vector<Point>> points_;
  bool small_errors_ = true;  ///< errors grow with budgets; otherwise every change counts as lost
  double fixed_seconds_ = 0;  ///< of what no choice changes
  std::uint64_t fixed_bytes_ = 0;

 private:
  void calibrate();
  Counts run(const noise::ErrorModel& model, const Images& images, std::span<const std::uint64_t> seeds,
             std::vector<int>& clear);
  const Evaluation& simulated(const Choice& choice, const Images& images,
                              std::span<const std::uint64_t> seeds, std::vector<int>& clear, Memory& memory);
  const Problem* problem_;
  SingleRank single_;
  Sharder* sharder_;
  nn::IntegerExecutor executor_;
  std::vector<int> clear_search_, clear_held_out_;
  Memory searched_, validated_;
  std::size_t simulations_ = 0;
  std::optional<double> curvature_;  ///< c of expected_loss
  std::vector<std::function<void()>> hooks_;
};

/// What a search may use and must keep. At least one of the two bounds is set. With a bound on the loss the
/// cheapest plan is wanted, otherwise the one with the least loss; a bound on seconds holds in both cases.
struct Budget {
  std::optional<double> max_loss;     ///< of top-1, 0 to 1
  std::optional<double> max_seconds;  ///< predicted, per image
  int simulations = 60;               ///< on the search part
};

struct TraceEntry {
  int episode = 0;
  double reward = 0, seconds = 0;
  double loss = 0;           ///< measured
  double expected_loss = 0;  ///< Environment::expected_loss
};
using Trace = std::vector<TraceEntry>;

/// A way to choose. Deterministic: the same environment, budget and seed give the same answer, so a stopped
/// search is resumed by running it again with the evaluations remembered.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string name() const = 0;
  /// The best choice found; keeps budget.max_seconds always, budget.max_loss on the search part if the most
  /// exact choice does. Appends one entry an episode.
  virtual Choice search(Environment& environment, const Budget& budget, Trace& trace) = 0;
  /// A choice with less error, for when `choice` fails on the held-out part; `choice` itself if it has none.
  /// Unless a policy knows better, every layer's budget falls by half a bit.
  virtual Choice tightened(const Environment& environment, const Choice& choice);
};

struct Result {
  plan::Plan plan;
  Choice choice;
  Trace trace;
  Evaluation searched, held_out;  ///< of `choice`
  bool single = false;            ///< there was nothing to choose, and the policy did not run
  int tightened = 0;              ///< steps taken towards more exact points for the held-out part
  double seconds = 0;             ///< of everything
};

/// Runs the policy, then simulates its choice on the held-out part and tightens all budgets together until
/// the bound on the loss holds there too. Where every layer has a single point the policy does not run, and a
/// note of the plan says so.
/// @throws Error(input) if no choice keeps the budget, saying which bound and which layer stand in the way.
Result run_policy(Policy& policy, Environment& environment, const Budget& budget);

}  // namespace ap::search
