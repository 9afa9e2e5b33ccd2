// When a tensor of shares has been read for the last time, so that its memory can go: a network of ImageNet scale has
// tens of millions of values, of which few are needed at a time.
#pragma once

#include <vector>

#include "protocol/hybrid/model.h"

namespace ap::protocol {

class ShareUses {
 public:
  /// The server's online phase, which computes the nodes in their order.
  static ShareUses of_evaluation(const Model& model);
  /// The client's preparation of activations, each of which reads its input, a second factor and its own mask. The image's
  /// mask and the result stay.
  static ShareUses of_preparation(const Model& model);

  /// A node, or an activation's preparation, has read these for once; frees those that are not read again.
  void read(int tensor, std::vector<Share>& shares);
  /// Frees what nobody will read.
  void drop_unread(std::vector<Share>& shares) const;

 private:
  std::vector<int> left_;  ///< reads to come, by tensor
};

}  // namespace ap::protocol
