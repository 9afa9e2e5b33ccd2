// What all environments share: choices, bounds, simulations remembered (planner/search/problem.h).
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/parallel.h"
#include "nn/data/accuracy.h"
#include "planner/search/problem.h"
#include "planner/spaces/assemble.h"

namespace ap::search {
namespace {

// The action that allows errors of one step.
constexpr double kUnitAction = 1 / 7.0;
// Changes at which the loss is measured: enough for it to stand out, not so many that they no longer grow in
// proportion to errors; and simulations until they are found.
constexpr double kFewestChanges = 0.08, kMostChanges = 0.25;
constexpr int kCalibrations = 6;
// Quantile of the normal distribution: one-sided confidence of 95 %.
constexpr double kConfidence = 1.645;
// Share of right labels, and images, from which on images are taken for memorised.
constexpr double kMemorised = 0.985;
constexpr std::int64_t kMemorisedImages = 50;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// What one image did under all seeds.
struct Outcome {
  bool right_clear = false;
  int right = 0, wrapped = 0, changed = 0;
};

}  // namespace

double Counts::loss() const {
  if (images == 0) return 0;
  const auto runs = static_cast<double>(images * seeds);
  return static_cast<double>(clear_right * seeds - right) / runs;
}

double Counts::changes() const {
  return images == 0 ? 0 : static_cast<double>(changed) / static_cast<double>(images * seeds);
}

double Counts::loss_std_error() const {
  if (images == 0) return 0;
  const auto total = static_cast<double>(images), each = static_cast<double>(seeds);
  const double mean_square = static_cast<double>(squares) / (total * each * each);
  return std::sqrt(std::max(mean_square - loss() * loss(), 0.0) / total);
}

double Counts::loss_limit() const {
  if (images == 0) return 1;
  const double shift = kConfidence * kConfidence / (2 * static_cast<double>(images));
  return std::min(1.0, loss() + shift + std::hypot(kConfidence * loss_std_error(), shift));
}

bool Counts::memorised() const {
  return labelled && images >= kMemorisedImages &&
         static_cast<double>(clear_right) >= kMemorised * static_cast<double>(images);
}

double Counts::top1() const {
  return images == 0 ? 0 : static_cast<double>(right) / static_cast<double>(images * seeds);
}

Environment::Environment(const Problem& problem, Sharder* sharder)
    : problem_(&problem), sharder_(sharder ? sharder : &single_), executor_(*problem.network) {}

std::string Environment::layer_name(std::size_t layer) const {
  const std::vector<int> nodes = plan::linear_nodes(*problem_->network);
  return problem_->network->nodes[at(nodes.at(layer))].name;
}

bool Environment::single() const {
  return std::ranges::all_of(points_, [](const std::vector<Point>& list) { return list.size() == 1; });
}

int Environment::point_for(std::size_t layer, double action) const {
  const std::vector<Point>& list = points_[layer];
  int found = 0;
  for (std::size_t k = 1; k < list.size(); ++k) {
    // A budget on the grid is kept by the point made for it, whatever rounding did to either.
    if (list[k].action >= action - 1e-9) found = static_cast<int>(k);
  }
  return found;
}

Choice Environment::uniform_choice(double action) const {
  Choice choice;
  for (std::size_t i = 0; i < layers(); ++i) choice.push_back(point_for(i, action));
  return choice;
}

Choice Environment::cheapest_choice() const {
  Choice choice;
  for (const std::vector<Point>& list : points_) choice.push_back(static_cast<int>(list.size()) - 1);
  return choice;
}

double Environment::seconds(const Choice& choice) const {
  AP_ASSERT(choice.size() == layers());
  double sum = fixed_seconds_;
  for (std::size_t i = 0; i < choice.size(); ++i) sum += points_[i][at(choice[i])].seconds;
  return sum;
}

std::uint64_t Environment::bytes(const Choice& choice) const {
  AP_ASSERT(choice.size() == layers());
  std::uint64_t sum = fixed_bytes_;
  for (std::size_t i = 0; i < choice.size(); ++i) sum += points_[i][at(choice[i])].bytes;
  return sum;
}

void Environment::price_by(const std::function<double(const plan::Plan&)>& latency) {
  const Choice exact = exact_choice(), cheapest = cheapest_choice();
  const double dear = seconds(exact), cheap = seconds(cheapest);
  const double whole = latency(plan_of(exact));
  double factor = whole / dear;
  if (dear > cheap) {
    const double slope = (whole - latency(plan_of(cheapest))) / (dear - cheap);
    // What no choice changes cannot take less than nothing.
    if (slope > 0 && slope * (dear - fixed_seconds_) <= whole) factor = slope;
  }
  for (std::vector<Point>& list : points_) {
    for (Point& point : list) point.seconds *= factor;
  }
  fixed_seconds_ += whole - seconds(exact);
}

void Environment::raise_prices(double more) {
  fixed_seconds_ += more;
  for (Memory* memory : {&searched_, &validated_}) {
    for (auto& [choice, evaluation] : *memory) evaluation.seconds += more;
  }
}

Choice Environment::constrain(Choice choice, double max_seconds) const {
  double total = seconds(choice);
  while (total > max_seconds) {
    std::size_t costliest = layers();
    double most = -1;
    for (std::size_t i = 0; i < layers(); ++i) {
      const double each = points_[i][at(choice[i])].seconds;
      if (at(choice[i]) + 1 < points_[i].size() && each > most) most = each, costliest = i;
    }
    if (costliest == layers()) {
      for (std::size_t i = 0; i < layers(); ++i) {
        const double each = points_[i].back().seconds;
        if (each > most) most = each, costliest = i;
      }
      fail_input(
          "no plan takes at most {:.4g} s per image: the fastest parameters of all layers "
          "together are predicted to take {:.4g} s, of which layer {} takes most, {:.4g} "
          "s{}; allow more time or quantise with fewer bits",
          max_seconds, total, layer_name(costliest), most,
          fixed_seconds_ > most ? fmt::format(" (and what no budget changes, {:.4g} s)", fixed_seconds_)
                                : "");
    }
    ++choice[costliest];
    total = seconds(choice);
  }
  return choice;
}

noise::ErrorModel Environment::error_model(const Choice& choice) const {
  return plan::error_model(*problem_->network, plan_of(choice));
}

const Evaluation& Environment::evaluate(const Choice& choice) {
  return simulated(choice, problem_->search, problem_->options.seeds, clear_search_, searched_);
}

const Evaluation& Environment::validate(const Choice& choice) {
  return simulated(choice, problem_->held_out, problem_->options.held_out_seeds, clear_held_out_, validated_);
}

void Environment::calibrate() {
  // From one step of error upwards until the loss stands out, or downwards until changes still grow in
  // proportion to errors.
  const noise::ErrorModel unit = error_model(uniform_choice(kUnitAction));
  double scale = 1;
  std::optional<bool> grew;
  for (int k = 0; k < kCalibrations; ++k) {
    noise::ErrorModel model = unit;
    for (noise::LinearError& linear : model.linears) {
      for (float& error_std : linear.error_std) error_std *= static_cast<float>(scale);
    }
    const Counts a = run(model, problem_->search, problem_->options.seeds, clear_search_);
    const Counts b =
        run(model, problem_->held_out, {problem_->options.held_out_seeds.data(), 1}, clear_held_out_);
    const double total = static_cast<double>(a.images + b.images);
    const double share = static_cast<double>(a.images) / total;
    // No change at all: one more would have been possible.
    const double changes = std::max(share * a.changes() + (1 - share) * b.changes(), 1 / total);
    const double loss = share * a.loss() + (1 - share) * b.loss();
    const double error = std::hypot(share * a.loss_std_error(), (1 - share) * b.loss_std_error());
    curvature_ = (std::max(loss, 0.0) + std::max(error, 1 / total)) / (changes * changes);
    const bool grow = changes < kFewestChanges;
    if ((!grow && changes <= kMostChanges) || (grew && *grew != grow)) return;
    grew = grow;
    scale *= grow ? 2 : 0.5;
  }
}

double Environment::expected_loss(const Counts& counts) {
  const double changes = counts.changes();
  if (!counts.labelled || !small_errors_ || counts.memorised()) return changes;
  if (!curvature_) calibrate();
  return std::max(std::min(*curvature_ * changes * changes, changes), counts.loss());
}

double Environment::allowed_changes(double max_loss) {
  if (problem_->search.labels.empty() || !small_errors_) return max_loss;
  if (!curvature_) calibrate();
  return std::max(std::sqrt(max_loss / *curvature_), max_loss);
}

bool Environment::keeps_loss(const Evaluation& evaluation, double max_loss) {
  const Counts& counts = evaluation.counts;
  return std::max(expected_loss(counts), counts.labelled ? counts.loss() : 0.0) <= max_loss;
}

void Environment::remember(Memory evaluations, Memory validations, std::optional<double> curvature) {
  if (curvature) curvature_ = curvature;
  searched_.merge(evaluations);
  validated_.merge(validations);
}

const Evaluation& Environment::simulated(const Choice& choice, const Images& images,
                                         std::span<const std::uint64_t> seeds, std::vector<int>& clear,
                                         Memory& memory) {
  AP_ASSERT(choice.size() == layers());
  if (const auto known = memory.find(choice); known != memory.end()) return known->second;
  Evaluation evaluation{choice, run(error_model(choice), images, seeds, clear), seconds(choice),
                        bytes(choice)};
  const Evaluation& kept = memory.emplace(choice, std::move(evaluation)).first->second;
  if (&memory == &searched_) ++simulations_;
  for (const auto& hook : hooks_) hook();
  return kept;
}

Counts Environment::run(const noise::ErrorModel& model, const Images& images,
                        std::span<const std::uint64_t> seeds, std::vector<int>& clear) {
  const auto pixels = static_cast<std::size_t>(problem_->network->input_shape().size());
  const std::size_t count = images.pixels.size() / pixels;
  // This rank's images: every size()-th.
  const auto rank = static_cast<std::size_t>(sharder_->rank()),
             ranks = static_cast<std::size_t>(sharder_->size());
  const std::size_t mine = count > rank ? (count - rank + ranks - 1) / ranks : 0;
  const auto image = [&](std::size_t i) {
    return std::span(images.pixels).subspan((rank + i * ranks) * pixels, pixels);
  };
  const auto best = [&](std::size_t i, const nn::IntegerHooks& hooks) {
    const std::vector<std::int32_t> logits = executor_.logits(image(i), hooks);
    return nn::argmax(std::span<const std::int32_t>(logits));
  };
  if (clear.empty() && mine > 0) {
    clear.resize(mine);
    parallel_for(mine, [&](std::size_t i) { clear[i] = best(i, {}); });
  }
  const bool labelled = !images.labels.empty();
  std::vector<Outcome> outcomes(mine);
  parallel_for(mine, [&](std::size_t i) {
    const std::size_t number = rank + i * ranks;
    const int wanted = labelled ? images.labels[number] : clear[i];
    Outcome& o = outcomes[i];
    o.right_clear = clear[i] == wanted;
    for (const std::uint64_t seed : seeds) {
      noise::Injection injection(model, seed, images.first + number);
      const int predicted = best(i, injection.hooks());
      o.right += predicted == wanted;
      o.changed += predicted != clear[i];
      o.wrapped += injection.wraps() > 0;
    }
  });
  const auto repeats = static_cast<std::int64_t>(seeds.size());
  std::int64_t sums[5] = {};
  for (const Outcome& o : outcomes) {
    const std::int64_t lost = (o.right_clear ? repeats : 0) - o.right;
    sums[0] += o.right_clear;
    sums[1] += o.right;
    sums[2] += lost * lost;
    sums[3] += o.wrapped;
    sums[4] += o.changed;
  }
  sharder_->sum(sums);
  return {static_cast<std::int64_t>(count), repeats, labelled, sums[0], sums[1], sums[2], sums[3], sums[4]};
}

}  // namespace ap::search
