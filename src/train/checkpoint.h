// The state of a training on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace ap::train {

struct Checkpoint {
  std::uint64_t fingerprint = 0;  ///< of what is trained, on what and how
  std::int64_t steps = 0;         ///< done
  double loss_sum = 0;            ///< of the steps of the running epoch
  std::vector<double> losses;     ///< of the epochs that are over
  std::vector<std::vector<float>> tensors;
};

/// Written aside and renamed: a crash leaves the old checkpoint or the new one.
void save(const Checkpoint& checkpoint, const std::filesystem::path& path);
/// @throws Error(input) if the file is damaged, of another version, or not of the training with this
/// fingerprint, whose tensors have these sizes.
Checkpoint load(const std::filesystem::path& path, std::uint64_t fingerprint,
                const std::vector<std::size_t>& sizes);

}  // namespace ap::train
