#include "nn/onnx/reader.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "nn/ir/graph.h"
#include "nn/onnx/tail.h"

namespace ap::nn {
namespace {

constexpr std::size_t kMaxRank = 8;

/// What a file is that is no ONNX file, and what to do about it; empty if that cannot be told.
std::string other_kind(ByteView bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                              std::min<std::size_t>(bytes.size(), 1024));
  const auto begins = [&](std::string_view magic) { return text.starts_with(magic); };
  std::string lower(text.substr(0, 256));
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  lower.erase(0, std::min(lower.find_first_not_of(" \t\r\n\xef\xbb\xbf"), lower.size()));
  const std::string_view start(lower);
  if (bytes.empty()) return "it is empty";
  if (begins("version https://git-lfs")) {
    return "it is a Git LFS pointer, not the network itself; run \"git lfs pull\" in its repository, or download the "
           "file itself";
  }
  if (start.starts_with("<!doctype") || start.starts_with("<html") || start.starts_with("<?xml") ||
      start.starts_with("<head")) {
    return "it is a web page; download the file itself (on GitHub: the \"raw\" link)";
  }
  if (begins("PK\x03\x04")) {
    return "it is a ZIP archive, as PyTorch and Keras write them; unpack it, or export the network with "
           "torch.onnx.export or tf2onnx";
  }
  if (begins("\x89HDF")) return "it is an HDF5 file of Keras; export the network with tf2onnx";
  if (text.size() > 8 && text.substr(4, 4) == "TFL3")
    return "it is a TensorFlow Lite file; convert it with tf2onnx";
  if (begins("\x80\x02") || begins("\x80\x03") || begins("\x80\x04") || begins("\x80\x05")) {
    return "it is a Python pickle; export the network with torch.onnx.export or skl2onnx";
  }
  if (begins("\x1f\x8b") ||
      begins("\xfd"
             "7zXZ") ||
      begins("BZh") || begins("\x28\xb5\x2f\xfd")) {
    return "it is compressed; unpack it first";
  }
  if (start.starts_with("{") || start.starts_with("[")) return "it is JSON text";
  return "";
}

void read_input_type(const onnx::ValueInfoProto& info, OnnxModel& model) {
  const auto& type = info.type().tensor_type();
  model.input = info.name();
  model.input_type = type.elem_type();
  const bool is_number = is_integer_type(model.input_type) || model.input_type == onnx::TensorProto::FLOAT ||
                         model.input_type == onnx::TensorProto::DOUBLE ||
                         model.input_type == onnx::TensorProto::FLOAT16 ||
                         model.input_type == onnx::TensorProto::BFLOAT16;
  if (!info.type().has_tensor_type() || !is_number) {
    fail_input("{}: input {} is not a tensor of numbers; export the network with a float32 input", model.name,
               printable_name(info.name()));
  }
}

void read_input_shape(const onnx::ValueInfoProto& info, OnnxModel& model) {
  const auto& dims = info.type().tensor_type().shape().dim();
  const std::string name = printable_name(info.name());
  if (dims.empty() || dims.size() > static_cast<int>(kMaxRank)) {
    fail_input(
        "{}: input {} has {} dimensions; 1 to {} are supported, for images batch, channels, height, width",
        model.name, name, dims.size(), kMaxRank);
  }
  const auto fixed = [&](int i) {
    return dims[i].has_dim_value() && dims[i].dim_value() > 0 ? dims[i].dim_value() : 0;
  };
  model.has_batch = dims.size() > 1;
  std::int64_t count = 1;
  for (int i = 0; i < dims.size(); ++i) {
    std::int64_t d = fixed(i);
    if (i == 0 && model.has_batch) {
      model.batch = std::max<std::int64_t>(d, 1);
      d = 1;
    }
    if (dims[i].has_dim_value() && dims[i].dim_value() < -1) {
      fail_input("{}: dimension {} of input {} is {}", model.name, i, name, dims[i].dim_value());
    }
    if (d < 1) {
      fail_input("{}: dimension {} of input {} is free; export the network with a fixed image size",
                 model.name, i, name);
    }
    if (d > kMaxTensorElements / count) {
      fail_input("{}: input {} has more than {} elements", model.name, name, kMaxTensorElements);
    }
    count *= d;
    model.input_dims.push_back(d);
  }
}

/// The nodes of a file by the tensors that they define.
std::unordered_map<std::string, int> find_producers(const OnnxModel& model) {
  const auto& protos = model.proto->graph().node();
  std::unordered_set<std::string> given;
  for (const auto& info : model.proto->graph().input()) given.insert(info.name());
  std::unordered_map<std::string, int> producer;
  for (int i = 0; i < protos.size(); ++i) {
    for (const std::string& output : protos[i].output()) {
      if (output.empty()) continue;
      if (given.contains(output) || model.initializers.contains(output) ||
          !producer.emplace(output, i).second) {
        fail_input("{}: the tensor {} is defined twice", model.name, printable_name(output));
      }
    }
  }
  return producer;
}

void find_outputs(OnnxModel& model, const std::unordered_map<std::string, int>& producers,
                  const std::string& wanted) {
  const onnx::GraphProto& graph = model.proto->graph();
  if (graph.output_size() == 0) fail_input("{} has no outputs", model.name);
  std::vector<std::string> names;
  std::string offered;
  for (const auto& info : graph.output()) {
    names.push_back(info.name());
    offered += (offered.empty() ? "" : ", ") + printable_name(info.name());
  }
  if (!wanted.empty()) {
    // Any tensor will do, so that a network can be cut where its file has no output.
    if (std::find(names.begin(), names.end(), wanted) == names.end() && !producers.contains(wanted)) {
      fail_input("{} has no output {}; it has {}", model.name, printable_name(wanted), offered);
    }
    names = {wanted};
  }
  const Producer producer = [&](const std::string& tensor) -> const onnx::NodeProto* {
    const auto found = producers.find(tensor);
    return found == producers.end() ? nullptr : &graph.node(found->second);
  };
  for (const std::string& name : names) {
    const std::string source = skip_tail(name, producer, model.notes);
    const bool known = std::any_of(model.outputs.begin(), model.outputs.end(),
                                   [&](const OnnxOutput& o) { return o.source == source; });
    if (!known) model.outputs.push_back({name, source});
  }
}

/// Depth-first from the outputs, with an explicit stack: files can be deep, and cyclic.
class Sorter {
 public:
  Sorter(OnnxModel& model, const std::unordered_map<std::string, int>& producers)
      : model_(model), producers_(producers), protos_(model.proto->graph().node()) {
    for (const auto& info : model.proto->graph().input()) {
      // Old files list their weights as inputs too.
      if (!model.initializers.contains(info.name())) inputs_.emplace(info.name(), &info);
    }
    state_.assign(static_cast<std::size_t>(protos_.size()), State::untouched);
  }

  void run() {
    for (const OnnxOutput& output : model_.outputs) {
      visit(output.source, "the output");
      while (!stack_.empty()) step();
    }
  }

  /// The inputs that the outputs depend on.
  const std::vector<const onnx::ValueInfoProto*>& read() const { return read_; }

 private:
  enum class State : std::uint8_t { untouched, open, done };
  struct Frame {
    int node;
    int next_input;
  };

  void step() {
    const int number = stack_.back().node;
    const onnx::NodeProto& proto = protos_[number];
    if (stack_.back().next_input < proto.input_size()) {
      const int i = stack_.back().next_input++;
      visit(proto.input(i), proto.name().empty() ? proto.op_type() : proto.name());
    } else {
      state_[static_cast<std::size_t>(number)] = State::done;
      model_.nodes.emplace_back(proto, number);
      stack_.pop_back();
    }
  }

  void visit(const std::string& tensor, const std::string& reader) {
    if (tensor.empty() || model_.initializers.contains(tensor)) return;
    if (const auto input = inputs_.find(tensor); input != inputs_.end()) {
      if (std::find(read_.begin(), read_.end(), input->second) == read_.end()) read_.push_back(input->second);
      return;
    }
    const auto found = producers_.find(tensor);
    if (found == producers_.end()) {
      fail_input("{}: {} reads the tensor {}, which nothing defines", model_.name, printable_name(reader),
                 printable_name(tensor));
    }
    State& s = state_[static_cast<std::size_t>(found->second)];
    if (s == State::open) {
      fail_input("{}: the tensor {} depends on itself (read by {})", model_.name, printable_name(tensor),
                 printable_name(reader));
    }
    if (s == State::untouched) {
      s = State::open;
      stack_.push_back({found->second, 0});
    }
  }

  OnnxModel& model_;
  const std::unordered_map<std::string, int>& producers_;
  const google::protobuf::RepeatedPtrField<onnx::NodeProto>& protos_;
  std::unordered_map<std::string, const onnx::ValueInfoProto*> inputs_;
  std::vector<const onnx::ValueInfoProto*> read_;
  std::vector<State> state_;
  std::vector<Frame> stack_;
};

void sort_nodes(OnnxModel& model, const std::string& wanted) {
  const auto producers = find_producers(model);
  find_outputs(model, producers, wanted);
  Sorter sorter(model, producers);
  sorter.run();
  const auto& inputs = sorter.read();
  if (inputs.empty()) fail_input("{}: the output does not depend on an input", model.name);
  if (inputs.size() > 1) {
    fail_input(
        "{} has more than one input that is read ({}, {}); exactly one is supported: fix the other in the "
        "exported network",
        model.name, printable_name(inputs[0]->name()), printable_name(inputs[1]->name()));
  }
  read_input_type(*inputs[0], model);
  read_input_shape(*inputs[0], model);
}

}  // namespace

OnnxNode::OnnxNode(const onnx::NodeProto& proto, int number) : proto_(&proto) {
  const std::string& domain = proto.domain();
  op_ = printable_name(domain.empty() || domain == "ai.onnx" ? proto.op_type()
                                                             : domain + "." + proto.op_type());
  name_ = proto.name().empty() ? fmt::format("{}_{}", op_, number) : printable_name(proto.name());
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

std::optional<std::vector<double>> OnnxNode::numbers(const char* attribute) const {
  const auto* a = find(attribute, onnx::AttributeProto::FLOATS);
  if (!a) return std::nullopt;
  for (const float v : a->floats()) {
    if (!std::isfinite(v)) fail_input("node {} ({}): attribute {} holds {}", name_, op_, attribute, v);
  }
  return std::vector<double>(a->floats().begin(), a->floats().end());
}

OnnxModel read_model(ByteView bytes, const std::string& name, const std::filesystem::path& folder,
                     const std::string& output) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
  if (bytes.size() > kMaxBytes) fail_input("{} has {} bytes, more than {}", name, bytes.size(), kMaxBytes);
  OnnxModel model;
  model.name = name;
  model.folder = folder;
  model.proto = std::make_unique<onnx::ModelProto>();
  if (!model.proto->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
      !model.proto->has_graph()) {
    const std::string kind = other_kind(bytes);
    if (!kind.empty()) fail_input("{} is not an ONNX file: {}", name, kind);
    fail_input("{} is not an ONNX file, or it is damaged; if it was downloaded or copied, compare its size",
               name);
  }
  for (const auto& set : model.proto->opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") model.opset = static_cast<int>(set.version());
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
      fail_input("{}: the tensor {} is defined twice", name, printable_name(tensor.name()));
    }
  }
  sort_nodes(model, output);
  return model;
}

}  // namespace ap::nn
