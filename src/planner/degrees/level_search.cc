#include "planner/degrees/level_search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "base/error.h"

namespace ap::degrees {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

// A step of one choice; the whole is what its predecessors say.
struct Entry {
  double seconds = 0, variance = 0;
  std::uint32_t before = 0;
  std::int16_t candidate = 0;
  std::int8_t level = 0, bootstrap = 0;
};

using Levels = std::vector<std::int8_t>;  // of the values that are still read, by rising node
using Front = std::vector<Entry>;

class Cells {
 public:
  Cells(std::span<const Choices> choices, std::size_t count) : count_(count) {
    double least = std::numeric_limits<double>::infinity(), most = 0;
    for (const Choices& c : choices) {
      const auto [low, high] = std::minmax_element(c.variances.begin(), c.variances.end());
      if (*low > 0) least = std::min(least, *low);
      most += *high;
    }
    low_ = std::log(std::isfinite(least) ? least : 1);
    width_ = most > 0 ? (std::log(most) - low_) / static_cast<double>(count) : 1;
    if (!(width_ > 0)) width_ = 1;
  }
  std::int64_t operator()(double variance) const {
    if (!(variance > 0)) return 0;
    return std::clamp<std::int64_t>(static_cast<std::int64_t>((std::log(variance) - low_) / width_), 0,
                                    static_cast<std::int64_t>(count_));
  }

 private:
  std::size_t count_;
  double low_ = 0, width_ = 1;
};

// By rising variance and falling seconds, the fastest of each cell.
void thin(Front& front, const Cells& cells) {
  std::ranges::sort(front, [](const Entry& a, const Entry& b) {
    return a.variance != b.variance ? a.variance < b.variance : a.seconds < b.seconds;
  });
  Front kept;
  for (const Entry& e : front) {
    if (!kept.empty() && e.seconds >= kept.back().seconds) continue;
    // The first stays: it is the least variance that there is.
    if (kept.size() > 1 && cells(e.variance) == cells(kept.back().variance)) {
      kept.back() = e;
    } else {
      kept.push_back(e);
    }
  }
  front = std::move(kept);
}

class Search {
 public:
  Search(const nn::Graph& graph, std::span<const Choices> choices, const HeCosts& costs,
         const SearchOptions& options)
      : graph_(graph),
        choices_(choices),
        costs_(costs),
        options_(options),
        cells_(choices, options.cells),
        last_(graph.nodes.size(), graph.nodes.size()) {
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      for (const int input : graph.nodes[i].inputs) last_[at(input)] = i;
    }
    for (int level = 0; level <= costs.max_level(); ++level) {
      Entry e;
      e.level = static_cast<std::int8_t>(level);
      states_[{e.level}].push_back(e);
    }
    live_ = {0};
    finish(0);
    for (std::size_t i = 1; i < graph.nodes.size(); ++i) step(i);
  }

  std::vector<FrontPoint> front() const {
    Front all;
    for (const auto& [levels, entries] : ends_) all.insert(all.end(), entries.begin(), entries.end());
    thin(all, cells_);
    std::vector<FrontPoint> result;
    for (const Entry& last : all) {
      FrontPoint p;
      p.seconds = last.seconds;
      p.variance = last.variance;
      p.bootstraps.resize(history_.size());
      p.levels.resize(history_.size());
      Entry e = last;
      for (std::size_t i = history_.size(); i-- > 0;) {
        p.bootstraps[i] = e.bootstrap;
        p.levels[i] = e.level;
        if (is_choice(i)) p.candidates.push_back(e.candidate);
        if (i > 0) e = history_[i - 1][e.before];
      }
      std::ranges::reverse(p.candidates);
      result.push_back(std::move(p));
    }
    return result;
  }

 private:
  bool is_choice(std::size_t i) const {
    return std::ranges::any_of(choices_, [&](const Choices& c) { return c.node == static_cast<int>(i); });
  }

  struct Option {
    int depth = 0;
    double variance = 0;
    std::vector<double> seconds;  // by level of the inputs, 0 where it is too low
  };
  std::vector<Option> options_of(std::size_t i) const {
    std::vector<Option> result;
    const int most = costs_.max_level();
    for (const Choices& c : choices_) {
      if (c.node != static_cast<int>(i)) continue;
      const double count = ciphertexts(graph_, c.node, costs_.slots());
      for (std::size_t k = 0; k < c.candidates.size(); ++k) {
        const plan::ApproximateActivation& a = c.candidates[k].activation;
        Option o{a.depth, c.variances[k], std::vector<double>(at(most) + 1)};
        for (int level = a.depth; level <= most; ++level)
          o.seconds[at(level)] = count * activation_seconds(costs_, a, level);
        result.push_back(std::move(o));
      }
      return result;
    }
    const int depth = plan::levels_of(graph_, static_cast<int>(i));
    Option o{depth, 0, std::vector<double>(at(most) + 1)};
    for (int level = depth; level <= most; ++level)
      o.seconds[at(level)] = costs_.node(graph_, static_cast<int>(i), level);
    result.push_back(std::move(o));
    return result;
  }

  void step(std::size_t i) {
    const nn::Node& node = graph_.nodes[i];
    const std::vector<Option> options = options_of(i);
    const bool is_last = i + 1 == graph_.nodes.size();
    std::vector<double> boots(at(costs_.max_level()) + 1);
    for (int level = 1; level <= costs_.max_level(); ++level) {
      boots[at(level)] = ciphertexts(graph_, static_cast<int>(i), costs_.slots()) * costs_.bootstrap(level);
    }
    // Which of the live values are read, and which stay.
    std::vector<std::size_t> read, stay;
    for (std::size_t k = 0; k < live_.size(); ++k) {
      if (std::ranges::find(node.inputs, static_cast<int>(live_[k])) != node.inputs.end()) read.push_back(k);
      if (last_[live_[k]] > i) stay.push_back(k);
    }
    std::map<Levels, Front> computed;
    std::uint32_t base = 0;
    for (const auto& [levels, front] : states_) {
      int input = std::numeric_limits<int>::max();
      for (const std::size_t k : read) input = std::min(input, int{levels[k]});
      Levels after;
      for (const std::size_t k : stay) after.push_back(levels[k]);
      after.push_back(0);
      for (std::size_t o = 0; o < options.size(); ++o) {
        const int level = input - options[o].depth;
        if (level < 0) continue;
        const double seconds = options[o].seconds[at(input)];
        after.back() = static_cast<std::int8_t>(level);
        Front& to = computed[after];
        for (std::size_t e = 0; e < front.size(); ++e) {
          to.push_back({front[e].seconds + seconds, front[e].variance + options[o].variance,
                        base + static_cast<std::uint32_t>(e), static_cast<std::int16_t>(o),
                        static_cast<std::int8_t>(level), 0});
        }
      }
      base += static_cast<std::uint32_t>(front.size());
    }
    if (computed.empty()) {
      fail_input(
          "node {}: no choice of polynomials and bootstraps leaves it the levels that it takes; a bootstrap "
          "leaves at most {}",
          node.name, costs_.max_level());
    }
    std::map<Levels, Front> next;
    for (auto& [levels, front] : computed) {
      thin(front, cells_);
      Levels after = levels;
      for (int boot = is_last ? 0 : costs_.max_level(); boot > std::max<int>(levels.back(), 0); --boot) {
        after.back() = static_cast<std::int8_t>(boot);
        Front& to = next[after];
        for (Entry e : front) {
          e.seconds += boots[at(boot)];
          e.bootstrap = static_cast<std::int8_t>(boot);
          to.push_back(e);
        }
      }
      Front& as_it_is = next[levels];
      as_it_is.insert(as_it_is.end(), front.begin(), front.end());
    }
    std::vector<std::size_t> live;
    for (const std::size_t k : stay) live.push_back(live_[k]);
    live.push_back(i);
    live_ = std::move(live);
    states_ = std::move(next);
    finish(i);
  }

  // Thins, and writes down what later steps refer to.
  void finish(std::size_t i) {
    std::vector<std::pair<double, Levels>> fastest;
    for (auto& [levels, front] : states_) {
      thin(front, cells_);
      fastest.emplace_back(front.back().seconds, levels);
    }
    if (fastest.size() > options_.states) {
      std::ranges::sort(fastest);
      for (std::size_t k = options_.states; k < fastest.size(); ++k) states_.erase(fastest[k].second);
    }
    Front all;
    for (const auto& [levels, front] : states_) all.insert(all.end(), front.begin(), front.end());
    history_.push_back(std::move(all));
    if (i + 1 == graph_.nodes.size()) ends_ = states_;
  }

  const nn::Graph& graph_;
  std::span<const Choices> choices_;
  const HeCosts& costs_;
  SearchOptions options_;
  Cells cells_;
  std::vector<std::size_t> last_, live_;
  std::map<Levels, Front> states_, ends_;
  std::vector<Front> history_;
};

}  // namespace

std::vector<FrontPoint> search_levels(const nn::Graph& graph, std::span<const Choices> choices,
                                      const HeCosts& costs, const SearchOptions& options) {
  for (const Choices& c : choices) {
    AP_ASSERT(!c.candidates.empty() && c.candidates.size() == c.variances.size());
  }
  return Search(graph, choices, costs, options).front();
}

}  // namespace ap::degrees
