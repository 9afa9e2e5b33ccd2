#include "app/expressible.h"

#include <algorithm>

#include "base/error.h"
#include "layers/activation/activation_spec.h"
#include "nn/quantise/quantise_rewrite.h"

namespace ap::app {
namespace {

// The limits of nn::validate(QuantisedNetwork), which packages are held to.
constexpr std::size_t kMaxNodes = 10'000;
constexpr int kMaxExtent = 1 << 16;
constexpr int kMaxKernel = 64;
constexpr int kMaxSumWindow = 1 << 12;

class Checker {
 public:
  explicit Checker(const nn::Graph& graph) : graph_(graph) {}

  void run() {
    if (graph_.nodes.size() > kMaxNodes) {
      fail_input("network {} has {} nodes after its rewriting; the limit is {}", graph_.name,
                 graph_.nodes.size(), kMaxNodes);
    }
    for (const nn::Node& node : graph_.nodes) {
      node_ = &node;
      limit("height", node.shape.h, kMaxExtent);
      limit("width", node.shape.w, kMaxExtent);
      std::visit([this](const auto& op) { check(op); }, node.op);
    }
  }

 private:
  void limit(const char* what, std::int64_t value, std::int64_t most) const {
    if (value <= most) return;
    fail_input("network {}: node {} ({}) has a {} of {}; the limit is {}", graph_.name, node_->name,
               nn::op_name(node_->op), what, value, most);
  }
  void check_activation() const {
    const auto most = static_cast<std::int64_t>(activation::kMaxActivationInputs);
    for (const int i : node_->inputs) {
      limit("number of values that pass an activation",
            graph_.nodes[static_cast<std::size_t>(i)].shape.size(), most);
    }
  }
  void check(const nn::ConvOp& op) const {
    limit("kernel", std::max(op.window.kernel_h, op.window.kernel_w), kMaxKernel);
    const nn::Padding& p = op.window.pad;
    if (std::max(p.top, p.bottom) >= op.window.kernel_h || std::max(p.left, p.right) >= op.window.kernel_w) {
      fail_input("network {}: node {} (conv) pads its input by as much as its {}x{} kernel covers",
                 graph_.name, node_->name, op.window.kernel_h, op.window.kernel_w);
    }
  }
  void check(const nn::AveragePoolOp& op) const {
    limit("window", std::max(op.window.kernel_h, op.window.kernel_w), kMaxSumWindow);
  }
  void check(const nn::MaxPoolOp& op) const {
    limit("window size", std::int64_t{op.window.kernel_h} * op.window.kernel_w,
          static_cast<std::int64_t>(activation::kMaxPoolSize));
    check_activation();
  }
  void check(const nn::ClipOp&) const { check_activation(); }
  void check(const nn::QuadraticOp&) const { check_activation(); }
  void check(const nn::SmoothOp&) const { check_activation(); }
  void check(const nn::ProductOp&) const { check_activation(); }
  template <typename Op>
  void check(const Op&) const {}

  const nn::Graph& graph_;
  const nn::Node* node_ = nullptr;
};

}  // namespace

void check_expressible(const nn::Graph& graph) { Checker(nn::to_integer_graph(graph).graph).run(); }

}  // namespace ap::app
