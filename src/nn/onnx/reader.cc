#include "nn/onnx/reader.h"

#include <cmath>
#include <cstring>
#include <unordered_set>

#include "nn/ir/graph.h"

namespace ap::nn {
namespace {

/// Names go to terminals and JSON: anything but printable ASCII becomes '?', and long ones are cut.
std::string printable(std::string name) {
  if (name.size() > 200) name.resize(200);
  for (char& c : name) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return name;
}

std::int64_t element_count(const onnx::TensorProto& tensor, const std::string& name) {
  std::int64_t count = 1;
  for (const std::int64_t d : tensor.dims()) {
    if (d < 0 || (d > 0 && count > kMaxTensorElements / d)) {
      fail_input("tensor {} has a dimension of {}; at most {} elements are allowed", name, d,
                 kMaxTensorElements);
    }
    count *= d;
  }
  return count;
}

/// Values of a tensor that lie in raw_data as `T`, or in a repeated field.
template <typename T, typename Out, typename Field>
std::vector<Out> values(const onnx::TensorProto& tensor, const Field& field, std::int64_t count,
                        const std::string& name) {
  const auto n = static_cast<std::size_t>(count);
  std::vector<Out> out;
  if (tensor.has_raw_data()) {
    const std::string& raw = tensor.raw_data();
    if (raw.size() != n * sizeof(T)) {
      fail_input("tensor {} has {} bytes of data, but its shape needs {}; the file is damaged", name,
                 raw.size(), n * sizeof(T));
    }
    out.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      T v;
      std::memcpy(&v, raw.data() + i * sizeof(T), sizeof(T));
      out[i] = static_cast<Out>(v);
    }
    return out;
  }
  if (static_cast<std::size_t>(field.size()) != n) {
    fail_input("tensor {} has {} values, but its shape needs {}; the file is damaged", name, field.size(), n);
  }
  out.reserve(n);
  for (const auto v : field) out.push_back(static_cast<Out>(v));
  return out;
}

void check_ranks_of_input(const onnx::ValueInfoProto& info, OnnxModel& model) {
  const auto& type = info.type().tensor_type();
  if (!info.type().has_tensor_type() || type.elem_type() != onnx::TensorProto::FLOAT) {
    fail_input("{}: input {} is not a float32 tensor; export the network with a float32 input", model.name,
               info.name());
  }
  const auto& dims = type.shape().dim();
  if (dims.size() < 2 || dims.size() > 4) {
    fail_input("{}: input {} has {} dimensions; 2 to 4 (batch, channels, height, width) are supported",
               model.name, info.name(), dims.size());
  }
  const std::int64_t batch = dims[0].has_dim_value() ? dims[0].dim_value() : 0;
  if (batch > 1) {
    fail_input("{}: input {} has batch dimension {}; export the network with batch 1 or a free batch",
               model.name, info.name(), batch);
  }
  std::int64_t count = 1;
  for (int i = 1; i < dims.size(); ++i) {
    const std::int64_t d = dims[i].has_dim_value() ? dims[i].dim_value() : 0;
    if (d < 1) {
      fail_input("{}: dimension {} of input {} is free; export the network with a fixed image size",
                 model.name, i, info.name());
    }
    if (d > kMaxTensorElements / count) {
      fail_input("{}: input {} has more than {} elements", model.name, info.name(), kMaxTensorElements);
    }
    count *= d;
    model.input_dims.push_back(d);
  }
}

void find_input_and_output(OnnxModel& model) {
  const onnx::GraphProto& graph = model.proto->graph();
  if (graph.output_size() != 1) {
    fail_input("{} has {} outputs; exactly one (the logits) is supported", model.name, graph.output_size());
  }
  model.output = graph.output(0).name();
  const onnx::ValueInfoProto* input = nullptr;
  for (const auto& info : graph.input()) {
    if (model.initializers.contains(info.name())) continue;  // old files list their weights as inputs too
    if (input) {
      fail_input("{} has more than one input ({}, {}); exactly one is supported", model.name, input->name(),
                 info.name());
    }
    input = &info;
  }
  if (!input) fail_input("{} has no input", model.name);
  model.input = input->name();
  check_ranks_of_input(*input, model);
}

/// Depth-first from the output, with an explicit stack: files can be deep, and cyclic.
void order_nodes(OnnxModel& model) {
  const auto& protos = model.proto->graph().node();
  std::unordered_map<std::string, int> producer;
  for (int i = 0; i < protos.size(); ++i) {
    for (const std::string& output : protos[i].output()) {
      if (output.empty()) continue;
      if (output == model.input || model.initializers.contains(output) ||
          !producer.emplace(output, i).second) {
        fail_input("{}: the tensor {} is defined twice", model.name, output);
      }
    }
  }
  enum class State : std::uint8_t { untouched, open, done };
  std::vector<State> state(static_cast<std::size_t>(protos.size()), State::untouched);
  struct Frame {
    int node;
    int next_input;
  };
  std::vector<Frame> stack;
  const auto visit = [&](const std::string& tensor, const std::string& reader) {
    if (tensor.empty() || tensor == model.input || model.initializers.contains(tensor)) return;
    const auto found = producer.find(tensor);
    if (found == producer.end()) {
      fail_input("{}: {} reads the tensor {}, which nothing defines", model.name, reader, tensor);
    }
    State& s = state[static_cast<std::size_t>(found->second)];
    if (s == State::open) {
      fail_input("{}: the tensor {} depends on itself (read by {})", model.name, tensor, reader);
    }
    if (s == State::untouched) {
      s = State::open;
      stack.push_back({found->second, 0});
    }
  };
  visit(model.output, "the output");
  while (!stack.empty()) {
    const int number = stack.back().node;
    const onnx::NodeProto& proto = protos[number];
    if (stack.back().next_input < proto.input_size()) {
      const int i = stack.back().next_input++;
      visit(proto.input(i), proto.name().empty() ? proto.op_type() : proto.name());
    } else {
      state[static_cast<std::size_t>(number)] = State::done;
      model.nodes.emplace_back(proto, number);
      stack.pop_back();
    }
  }
}

}  // namespace

Constant read_tensor(const onnx::TensorProto& tensor, const std::string& given_name) {
  const std::string name = printable(given_name);
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL || tensor.external_data_size() > 0) {
    fail_input("tensor {} lies in another file; save the network with its weights inside the .onnx file",
               name);
  }
  if (tensor.has_segment()) fail_input("tensor {} is stored in segments, which is not supported", name);
  Constant out;
  out.name = name;
  const std::int64_t count = element_count(tensor, name);
  out.dims.assign(tensor.dims().begin(), tensor.dims().end());
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      out.floats = values<float, float>(tensor, tensor.float_data(), count, name);
      break;
    case onnx::TensorProto::DOUBLE:
      out.floats = values<double, float>(tensor, tensor.double_data(), count, name);
      break;
    case onnx::TensorProto::INT64:
      out.integers = values<std::int64_t, std::int64_t>(tensor, tensor.int64_data(), count, name);
      out.is_integer = true;
      break;
    case onnx::TensorProto::INT32:
      out.integers = values<std::int32_t, std::int64_t>(tensor, tensor.int32_data(), count, name);
      out.is_integer = true;
      break;
    case onnx::TensorProto::BOOL:
      out.integers = values<std::uint8_t, std::int64_t>(tensor, tensor.int32_data(), count, name);
      out.is_integer = true;
      break;
    default:
      fail_input("tensor {} has ONNX data type {}; only float32, float64, int32, int64 are supported", name,
                 tensor.data_type());
  }
  for (std::size_t i = 0; i < out.floats.size(); ++i) {
    if (!std::isfinite(out.floats[i])) {
      fail_input("tensor {} holds {} at position {}; weights must be finite numbers", name, out.floats[i], i);
    }
  }
  return out;
}

OnnxNode::OnnxNode(const onnx::NodeProto& proto, int number) : proto_(&proto) {
  const std::string& domain = proto.domain();
  op_ = printable(domain.empty() || domain == "ai.onnx" ? proto.op_type() : domain + "." + proto.op_type());
  name_ = proto.name().empty() ? fmt::format("{}_{}", op_, number) : printable(proto.name());
}

const std::string& OnnxNode::input(std::size_t i) const {
  static const std::string kNone;
  return i < input_count() ? proto_->input(static_cast<int>(i)) : kNone;
}

const onnx::AttributeProto* OnnxNode::find(const char* attribute) const {
  for (const auto& a : proto_->attribute()) {
    if (a.name() == attribute) return &a;
  }
  return nullptr;
}

const onnx::AttributeProto* OnnxNode::find(const char* attribute,
                                           onnx::AttributeProto::AttributeType type) const {
  const onnx::AttributeProto* a = find(attribute);
  // Very old files leave the type out.
  if (a && a->type() != type && a->type() != onnx::AttributeProto::UNDEFINED) {
    fail_input("node {} ({}): attribute {} has the wrong type", name_, op_, attribute);
  }
  return a;
}

std::int64_t OnnxNode::integer(const char* attribute, std::int64_t fallback) const {
  const auto* a = find(attribute, onnx::AttributeProto::INT);
  return a ? a->i() : fallback;
}

double OnnxNode::number(const char* attribute, double fallback) const {
  const auto* a = find(attribute, onnx::AttributeProto::FLOAT);
  if (a && !std::isfinite(a->f())) {
    fail_input("node {} ({}): attribute {} is {}, not a finite number", name_, op_, attribute, a->f());
  }
  return a ? static_cast<double>(a->f()) : fallback;
}

std::string OnnxNode::text(const char* attribute, const std::string& fallback) const {
  const auto* a = find(attribute, onnx::AttributeProto::STRING);
  return a ? a->s() : fallback;
}

std::optional<std::vector<std::int64_t>> OnnxNode::integers(const char* attribute) const {
  const auto* a = find(attribute, onnx::AttributeProto::INTS);
  if (!a) return std::nullopt;
  return std::vector<std::int64_t>(a->ints().begin(), a->ints().end());
}

OnnxModel read_model(ByteView bytes, const std::string& name) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
  if (bytes.size() > kMaxBytes) fail_input("{} has {} bytes, more than {}", name, bytes.size(), kMaxBytes);
  OnnxModel model;
  model.name = name;
  model.proto = std::make_unique<onnx::ModelProto>();
  if (!model.proto->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      !model.proto->has_graph()) {
    fail_input("{} is not an ONNX file, or it is damaged", name);
  }
  const onnx::GraphProto& graph = model.proto->graph();
  if (graph.node_size() > kMaxNodes) {
    fail_input("{} has {} nodes; at most {} are supported", name, graph.node_size(), kMaxNodes);
  }
  if (graph.sparse_initializer_size() > 0) {
    fail_input("{} has sparse weights; save it with dense ones", name);
  }
  for (const auto& tensor : graph.initializer()) {
    if (!model.initializers.emplace(tensor.name(), &tensor).second) {
      fail_input("{}: the tensor {} is defined twice", name, tensor.name());
    }
  }
  find_input_and_output(model);
  order_nodes(model);
  return model;
}

}  // namespace ap::nn
