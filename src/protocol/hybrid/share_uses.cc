#include "protocol/hybrid/share_uses.h"

#include "base/error.h"

namespace ap::protocol {

ShareUses ShareUses::of_evaluation(const Model& model) {
  ShareUses uses;
  uses.left_.assign(model.tensors(), 0);
  for (const nn::QNode& node : model.network().nodes) {
    for (const int input : node.inputs) ++uses.left_[static_cast<std::size_t>(input)];
  }
  if (model.reveals_label()) ++uses.left_[model.tensors() - 2];
  ++uses.left_.back();
  return uses;
}

ShareUses ShareUses::of_preparation(const Model& model) {
  ShareUses uses;
  uses.left_.assign(model.tensors(), 0);
  for (const ActivationLayer& layer : model.activations()) {
    ++uses.left_[static_cast<std::size_t>(layer.input)];
    if (layer.second_input >= 0) ++uses.left_[static_cast<std::size_t>(layer.second_input)];
    ++uses.left_[static_cast<std::size_t>(layer.node)];
  }
  ++uses.left_.front();
  ++uses.left_.back();
  return uses;
}

void ShareUses::read(int tensor, std::vector<Share>& shares) {
  const auto at = static_cast<std::size_t>(tensor);
  AP_ASSERT(left_[at] > 0);
  if (--left_[at] == 0) Share().swap(shares[at]);
}

void ShareUses::drop_unread(std::vector<Share>& shares) const {
  for (std::size_t at = 0; at < shares.size(); ++at) {
    if (left_[at] == 0) Share().swap(shares[at]);
  }
}

}  // namespace ap::protocol
