// Writes the trained network as ONNX (opset 13, float32, free batch dimension).
#pragma once

#include <array>
#include <filesystem>
#include <string>

#include "network.h"

namespace ap::train {

/// Input "image" [N, 1, 28, 28], output "logits" [N, 10]. The same weights always give the same bytes.
/// @throws Error(input) if the file cannot be written.
void write_onnx(const std::filesystem::path& path, const std::array<FoldedConvolution, 3>& convolutions,
                const torch::Tensor& classifier_weights, const torch::Tensor& classifier_bias,
                const std::string& description);

}  // namespace ap::train
