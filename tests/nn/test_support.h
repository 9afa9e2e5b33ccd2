// What the tests of this module share.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"
#include "nn/execute/float_executor.h"
#include "nn/onnx/import.h"
#include "tests/nn/onnx/onnx_builder.h"
#include "tests/support/paths.h"

namespace ap::nn {

/// The folder with the data sets and trained networks; tests that need a file there skip when it is absent.
inline std::filesystem::path data_folder() { return tests::shared_data(); }

#define AP_SKIP_WITHOUT(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "missing file: " << (path).string()

inline Graph import(OnnxBuilder& builder, const std::string& output) {
  return import_onnx_bytes(builder.bytes(output), "test");
}

inline Tensor random_image(const Shape& shape, std::mt19937& random) {
  return {shape, random_floats(static_cast<std::size_t>(shape.size()), random)};
}

/// The network's output for one image.
inline Tensor output_of(const Graph& graph, const Tensor& image) { return run(graph, image).back(); }

inline void expect_near(const std::vector<float>& got, const std::vector<float>& wanted,
                        double tolerance = 1e-5) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], wanted[i], tolerance * std::max(1.0, std::abs(static_cast<double>(wanted[i]))))
        << "at " << i;
  }
}

/// The message of the Error that `action` throws; fails the test if it throws none, or not one about the
/// input.
template <typename Action>
std::string error_of(Action action) {
  try {
    action();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::input) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

inline void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const auto& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
}

inline std::vector<std::string> op_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.emplace_back(op_name(node.op));
  return names;
}

}  // namespace ap::nn
