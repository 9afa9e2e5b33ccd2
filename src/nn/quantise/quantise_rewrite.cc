#include "nn/quantise/quantise_rewrite.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "nn/quantise/merge_layers.h"

namespace ap::nn {
namespace {

template <typename T>
bool is(const Node& node) {
  return std::holds_alternative<T>(node.op);
}

class Rewriter {
 public:
  explicit Rewriter(const Graph& graph) : name_(graph.name), nodes_(graph.nodes) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      order_.push_back(static_cast<double>(i));
      names_.insert(nodes_[i].name);
    }
    dead_.assign(nodes_.size(), false);
  }

  IntegerGraph run(bool merge) {
    check_pools();
    replace_affine();
    if (merge) merge_layers();
    move_clips_before_concats();
    insert_requantisations();
    IntegerGraph out;
    out.graph = sorted();
    nodes_ = out.graph.nodes;
    dead_.assign(nodes_.size(), false);
    find_levels(out.accumulator);
    pair_pools(out);
    return out;
  }

 private:
  Node& node(int i) { return nodes_[static_cast<std::size_t>(i)]; }
  const Node& input_of(const Node& n) { return node(n.inputs[0]); }
  int count() const { return static_cast<int>(nodes_.size()); }

  std::vector<int> consumers(int i) const {
    std::vector<int> out;
    for (int k = 0; k < count(); ++k) {
      const auto& inputs = nodes_[static_cast<std::size_t>(k)].inputs;
      if (!dead_[static_cast<std::size_t>(k)] && std::find(inputs.begin(), inputs.end(), i) != inputs.end()) {
        out.push_back(k);
      }
    }
    return out;
  }

  /// The node's only consumer if that is a T, else -1.
  template <typename T>
  int only_consumer(int i) {
    const auto all = consumers(i);
    return all.size() == 1 && is<T>(node(all[0])) ? all[0] : -1;
  }

  void redirect(int consumer, int from, int to) {
    std::replace(node(consumer).inputs.begin(), node(consumer).inputs.end(), from, to);
  }

  /// Adds a clip of node i that comes at `order` in the final graph.
  int add_clip(int i, ClipOp clip, const std::string& suffix, double order) {
    std::string name = node(i).name + suffix;
    while (!names_.insert(name).second) name += '\'';
    nodes_.push_back({name, clip, {i}, node(i).shape});
    order_.push_back(order);
    dead_.push_back(false);
    return count() - 1;
  }

  int add_requantisation(int i, double order) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return add_clip(i, {-kInfinity, kInfinity}, "/requantise", order);
  }

  void check_pools() {
    for (const Node& n : nodes_) {
      const auto* pool = std::get_if<AveragePoolOp>(&n.op);
      if (pool && !pool->count_include_pad && pool->window.pad != Padding{}) {
        fail_input(
            "node '{}' (average_pool): it leaves its padding out of the count, so that the divisor varies; "
            "export the model with count_include_pad=1 or without padding",
            n.name);
      }
    }
  }

  void replace_affine() {
    for (Node& n : nodes_) {
      const auto* affine = std::get_if<AffineOp>(&n.op);
      if (!affine) continue;
      const int channels = n.shape.c;
      n.op = ConvOp{Window{}, channels, affine->scale, affine->shift};
    }
  }

  /// Layer after layer becomes one layer, where nothing else reads the first.
  void merge_layers() {
    for (int i = 0; i < count(); ++i) {
      if (!is<ConvOp>(node(i)) && !is<FullyConnectedOp>(node(i))) continue;
      const int first = node(i).inputs[0];
      if (!is<ConvOp>(node(first)) || consumers(first).size() != 1) continue;
      const int source = node(first).inputs[0];
      std::optional<Op> op =
          merged(std::get<ConvOp>(node(first).op), node(source).shape, node(first), node(i));
      if (!op) continue;
      node(i).op = std::move(*op);
      node(i).inputs[0] = source;
      dead_[static_cast<std::size_t>(first)] = true;
    }
  }

  /// Clip(Concat(a, b)) = Concat(Clip(a), Clip(b)): the same number of activations, and the concatenation
  /// then joins small values of one scale instead of accumulators.
  void move_clips_before_concats() {
    std::vector<bool> accumulator;
    find_levels(accumulator);
    for (int c = 0; c < static_cast<int>(accumulator.size()); ++c) {
      if (!is<ConcatOp>(node(c))) continue;
      const std::vector<int> inputs = node(c).inputs;
      const bool needed = std::any_of(inputs.begin(), inputs.end(),
                                      [&](int i) { return accumulator[static_cast<std::size_t>(i)]; });
      const int clip = only_consumer<ClipOp>(c);
      if (!needed || clip < 0) continue;
      const ClipOp op = std::get<ClipOp>(node(clip).op);
      const std::set<int> distinct(inputs.begin(), inputs.end());
      for (int i : distinct) {
        const int moved = add_clip(i, op, "/" + node(clip).name, order_[static_cast<std::size_t>(c)] - 0.25);
        redirect(c, i, moved);
      }
      for (int k : consumers(clip)) redirect(k, clip, c);
      dead_[static_cast<std::size_t>(clip)] = true;
    }
  }

  /// Whether node i holds accumulators, given its inputs' levels.
  bool is_accumulator(int i, const std::vector<bool>& level) {
    const Node& n = node(i);
    if (is<ConvOp>(n) || is<FullyConnectedOp>(n) || is<AddOp>(n)) return true;
    if (is<InputOp>(n) || is<ClipOp>(n) || is<QuadraticOp>(n)) return false;
    if (is<SmoothOp>(n) || is<ProductOp>(n)) return false;
    // A max-pool of accumulators keeps them only on the way into the clip that absorbs it.
    if (is<MaxPoolOp>(n) && only_consumer<ClipOp>(i) < 0) return false;
    return std::any_of(n.inputs.begin(), n.inputs.end(),
                       [&](int k) { return level[static_cast<std::size_t>(k)]; });
  }

  void find_levels(std::vector<bool>& level) {
    level.assign(nodes_.size(), false);
    for (int i = 0; i < count(); ++i) level[static_cast<std::size_t>(i)] = is_accumulator(i, level);
  }

  void insert_requantisations() {
    std::vector<std::pair<double, int>> visit;
    for (int i = 0; i < count(); ++i) {
      if (!dead_[static_cast<std::size_t>(i)]) visit.push_back({order_[static_cast<std::size_t>(i)], i});
    }
    std::stable_sort(visit.begin(), visit.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<bool> level(nodes_.size(), false);
    for (const auto& [order, i] : visit) {
      if (is<ConcatOp>(node(i))) unify_concat_inputs(i, order, level);
      level.resize(nodes_.size(), false);
      const bool raw_pool = is<MaxPoolOp>(node(i)) && level[static_cast<std::size_t>(node(i).inputs[0])] &&
                            only_consumer<ClipOp>(i) < 0;
      level[static_cast<std::size_t>(i)] = raw_pool || is_accumulator(i, level);
      if (!level[static_cast<std::size_t>(i)]) continue;
      const std::vector<int> users = consumers(i);
      const bool needed = raw_pool || (is<AddOp>(node(i)) && adds_shared(i, level) && is_averaged(i)) ||
                          std::any_of(users.begin(), users.end(), [&](int k) {
                            return is<ConvOp>(node(k)) || is<FullyConnectedOp>(node(k)) ||
                                   is<ConcatOp>(node(k)) || is<ProductOp>(node(k));
                          });
      if (!needed) continue;
      const int small = add_requantisation(i, order + 0.5);
      level.push_back(false);
      // The other consumers take the small values too: an Add then sees 8 bits instead of a growing sum.
      for (int k : users) {
        const bool takes_accumulators = is<ClipOp>(node(k)) || is<QuadraticOp>(node(k)) ||
                                        is<SmoothOp>(node(k)) ||
                                        (is<MaxPoolOp>(node(k)) && only_consumer<ClipOp>(k) >= 0);
        if (raw_pool || !takes_accumulators) redirect(k, i, small);
      }
    }
  }

  /// Whether node i is averaged over windows before anything else is done to it.
  bool is_averaged(int i) {
    for (const int k : consumers(i)) {
      const auto* pool = std::get_if<AveragePoolOp>(&node(k).op);
      if (pool && !(pool->window == Window{})) return true;
      if ((pool || is<GatherOp>(node(k))) && is_averaged(k)) return true;
    }
    return false;
  }

  /// Whether the sum takes accumulators that others read too, whose scale it cannot choose: it is then much finer than
  /// its result needs, and sums over windows of it would exceed 32 bits.
  bool adds_shared(int i, const std::vector<bool>& level) {
    return std::any_of(node(i).inputs.begin(), node(i).inputs.end(), [&](int k) {
      while (node(k).inputs.size() == 1 && (is<AveragePoolOp>(node(k)) || is<GatherOp>(node(k)))) {
        if (!level[static_cast<std::size_t>(k)]) return false;
        k = node(k).inputs[0];
      }
      return level[static_cast<std::size_t>(k)] && consumers(k).size() > 1;
    });
  }

  /// A sum-pool's scale is a fraction of its input's, which no other input of the concatenation could share.
  void unify_concat_inputs(int c, double order, const std::vector<bool>& level) {
    const std::vector<int> inputs = node(c).inputs;
    for (int i : std::set<int>(inputs.begin(), inputs.end())) {
      int source = i;
      while (is<GatherOp>(node(source))) source = node(source).inputs[0];
      if (is<AveragePoolOp>(node(source)) && !level[static_cast<std::size_t>(source)]) {
        const int small = add_requantisation(i, order - 0.25);
        redirect(c, i, small);
      }
    }
  }

  Graph sorted() {
    std::vector<int> kept;
    for (int i = 0; i < count(); ++i) {
      if (!dead_[static_cast<std::size_t>(i)]) kept.push_back(i);
    }
    std::stable_sort(kept.begin(), kept.end(), [this](int a, int b) {
      return order_[static_cast<std::size_t>(a)] < order_[static_cast<std::size_t>(b)];
    });
    std::vector<int> position(nodes_.size(), -1);
    Graph out{};
    out.name = name_;
    for (int i : kept) {
      position[static_cast<std::size_t>(i)] = static_cast<int>(out.nodes.size());
      Node n = std::move(node(i));
      for (int& k : n.inputs) k = position[static_cast<std::size_t>(k)];
      out.nodes.push_back(std::move(n));
    }
    return out;
  }

  void pair_pools(IntegerGraph& out) {
    out.pool.assign(nodes_.size(), -1);
    out.pooled_by.assign(nodes_.size(), -1);
    auto join = [&](int clip, int pool) {
      if (out.pool[static_cast<std::size_t>(clip)] >= 0 || out.pooled_by[static_cast<std::size_t>(pool)] >= 0)
        return;
      out.pool[static_cast<std::size_t>(clip)] = pool;
      out.pooled_by[static_cast<std::size_t>(pool)] = clip;
    };
    for (int i = 0; i < count(); ++i) {
      if (is<MaxPoolOp>(node(i)) && only_consumer<ClipOp>(i) >= 0) join(only_consumer<ClipOp>(i), i);
    }
    for (int i = 0; i < count(); ++i) {
      if (is<ClipOp>(node(i)) && only_consumer<MaxPoolOp>(i) >= 0) join(i, only_consumer<MaxPoolOp>(i));
    }
  }

  std::string name_;
  std::vector<Node> nodes_;
  std::vector<double> order_;  ///< place of each node in the result
  std::vector<bool> dead_;
  std::set<std::string> names_;
};

}  // namespace

double pool_divisor(const AveragePoolOp& op) {
  return static_cast<double>(std::int64_t{op.window.kernel_h} * op.window.kernel_w) / double{op.factor};
}

IntegerGraph to_integer_graph(const Graph& graph, bool merge) { return Rewriter(graph).run(merge); }

}  // namespace ap::nn
