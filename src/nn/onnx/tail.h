// What stands behind the logits in an ONNX file: operators that keep the order of the classes (Softmax, Sigmoid, ArgMax)
// and views of their results. The networks that are run privately end with the logits.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "nn/onnx/proto.h"

namespace ap::nn {

/// The node that defines a tensor, or nullptr.
using Producer = std::function<const onnx::NodeProto*(const std::string&)>;

/// The tensor that `output` is made from by operators that keep the order of values, or `output` itself. For each
/// operator left out a note is added, unless it is there already.
std::string skip_tail(const std::string& output, const Producer& producer, std::vector<std::string>& notes);

}  // namespace ap::nn
