#include "train/quadratic.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "analysis/noise/counter_random.h"
#include "base/error.h"
#include "nn/quantise/quantise_statistics.h"

namespace ap::train {
namespace {

constexpr std::size_t kFitImages = 64;
constexpr int kDraws = 1000;  // of candidate sets, as DELPHI's planner

/// The number of sets of k out of n, or `cap` if that is smaller.
std::int64_t sets(int n, int k, std::int64_t cap) {
  std::int64_t count = 1;
  for (int i = 0; i < k; ++i) {
    count = count * (n - i) / (i + 1);
    if (count >= cap) return cap;
  }
  return count;
}

/// The set after this one in lexicographic order; false after the last.
bool next_set(std::vector<int>& set, int n) {
  const int k = static_cast<int>(set.size());
  for (int i = k - 1; i >= 0; --i) {
    int& v = set[static_cast<std::size_t>(i)];
    if (v >= n - k + i) continue;
    ++v;
    for (int j = i + 1; j < k; ++j) set[static_cast<std::size_t>(j)] = v + j - i;
    return true;
  }
  return false;
}

/// By node: what takes the place of each activation.
std::vector<nn::QuadraticOp> quadratics_for(const nn::Graph& graph, const std::vector<int>& nodes,
                                            const Samples& train, bool fitted) {
  std::vector<nn::QuadraticOp> out(graph.nodes.size(), kDelphiQuadratic);
  if (!fitted) return out;
  const Samples some = subset(train, kFitImages);
  std::vector<nn::Tensor> images;
  for (std::size_t i = 0; i < some.size(); ++i) images.push_back(image(some, i));
  const std::vector<nn::NodeStatistics> seen = nn::observe(graph, images);
  for (const int i : nodes) {
    const nn::Node& node = graph.nodes[static_cast<std::size_t>(i)];
    out[static_cast<std::size_t>(i)] =
        fit_quadratic(std::get<nn::ClipOp>(node.op), seen[static_cast<std::size_t>(node.inputs[0])].samples);
  }
  return out;
}

}  // namespace

nn::QuadraticOp fit_quadratic(const nn::ClipOp& clip, std::span<const float> samples) {
  // Normal equations in x / size, so that they are well conditioned.
  double square = 0;
  for (const float x : samples) square += double{x} * x;
  const double size = std::sqrt(square / std::max<double>(1, static_cast<double>(samples.size())));
  Eigen::Matrix3d matrix = Eigen::Matrix3d::Zero();
  Eigen::Vector3d right = Eigen::Vector3d::Zero();
  for (const float x : samples) {
    const double t = size > 0 ? x / size : 0;
    const Eigen::Vector3d powers(1, t, t * t);
    matrix += powers * powers.transpose();
    right += powers * std::clamp(x, clip.low, clip.high);
  }
  const Eigen::FullPivLU<Eigen::Matrix3d> solver(matrix);
  if (!solver.isInvertible())
    fail_input("an activation met fewer than three different arguments; give more images");
  const Eigen::Vector3d c = solver.solve(right);
  return {static_cast<float>(c[0]), static_cast<float>(c[1] / size),
          static_cast<float>(c[2] / (size * size))};
}

std::vector<int> activations(const nn::Graph& graph) {
  std::vector<int> out;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto* clip = std::get_if<nn::ClipOp>(&graph.nodes[i].op);
    if (clip && clip->low == 0) out.push_back(static_cast<int>(i));
  }
  return out;
}

std::vector<std::vector<int>> candidate_sets(int n, int k, int keep_first, int keep_last, int count,
                                             std::uint64_t seed) {
  if (k < 1 || k > n) fail_input("{} activations cannot become quadratic: the network has {}", k, n);
  AP_ASSERT(count >= 1 && keep_first >= 0 && keep_last >= 0);
  if (n - keep_first - keep_last < k) keep_first = keep_last = 0;
  const int eligible = n - keep_first - keep_last;
  std::vector<int> first(static_cast<std::size_t>(k));
  std::iota(first.begin(), first.end(), 0);
  std::vector<std::vector<int>> out;
  if (sets(eligible, k, count + std::int64_t{1}) <= count) {
    do out.push_back(first);
    while (next_set(first, eligible));
  } else {
    std::set<std::vector<int>> met;
    for (int draw = 0; draw < kDraws && static_cast<int>(out.size()) < count; ++draw) {
      const std::uint64_t key = noise::counter_key(seed, static_cast<std::uint64_t>(draw), 4, 0);
      std::vector<int> all(static_cast<std::size_t>(eligible));
      std::iota(all.begin(), all.end(), 0);
      for (std::size_t i = 0; i < static_cast<std::size_t>(k); ++i) {
        std::swap(all[i], all[i + noise::counter_bits(key, i) % (all.size() - i)]);
      }
      all.resize(static_cast<std::size_t>(k));
      std::ranges::sort(all);
      if (met.insert(all).second) out.push_back(all);
    }
  }
  for (auto& set : out) {
    for (int& v : set) v += keep_first;
  }
  return out;
}

QuadraticResult choose_quadratics(const nn::Graph& graph, const Samples& train, const Samples& validation,
                                  const QuadraticOptions& options, const TrainOptions& train_options,
                                  const std::function<void(const Candidate&)>& on_candidate) {
  if (options.population < 1 || options.search_epochs < 1) {
    fail_input("a search for quadratics needs at least one candidate and one epoch, not {} and {}",
               options.population, options.search_epochs);
  }
  if (validation.size() == 0) fail_input("a search for quadratics needs validation images");
  const std::vector<int> all = activations(graph);
  const auto candidates =
      candidate_sets(static_cast<int>(all.size()), options.replace, options.keep_first, options.keep_last,
                     std::min(options.population, options.search_epochs), train_options.seed);
  const Samples images = subset(train, options.search_images);
  const std::vector<nn::QuadraticOp> quadratics = quadratics_for(graph, all, images, options.fitted);
  TrainOptions each = train_options;
  each.epochs = options.search_epochs / static_cast<int>(candidates.size());
  QuadraticResult result;
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    FloatOptions blend;
    blend.blend_share = options.blend_share;
    blend.replaced.resize(graph.nodes.size());
    Candidate candidate;
    for (const int i : candidates[c]) {
      candidate.nodes.push_back(all[static_cast<std::size_t>(i)]);
      blend.replaced[static_cast<std::size_t>(candidate.nodes.back())] =
          quadratics[static_cast<std::size_t>(candidate.nodes.back())];
    }
    try {
      FloatResult tuned = train_float(graph, images, each, blend, fmt::format("candidate{}", c + 1));
      if (tuned.report.stopped) {
        result.stopped = true;
        return result;
      }
      candidate.accuracy = float_accuracy(tuned.graph, validation);
      if (result.graph.nodes.empty() || candidate.accuracy > result.candidates[result.best].accuracy) {
        result.best = c;
        result.graph = std::move(tuned.graph);
      }
    } catch (const Diverged&) {
      // This candidate loses; others may do better.
    }
    result.candidates.push_back(std::move(candidate));
    if (on_candidate) on_candidate(result.candidates.back());
  }
  if (result.graph.nodes.empty()) {
    fail_input("training diverged for all {} sets of {} quadratics; lower the learning rate (now {})",
               candidates.size(), options.replace, train_options.rate);
  }
  return result;
}

}  // namespace ap::train
