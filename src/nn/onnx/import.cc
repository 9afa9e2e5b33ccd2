#include "nn/onnx/import.h"

#include "base/files.h"
#include "nn/onnx/graph_passes.h"
#include "nn/onnx/lowering.h"
#include "nn/onnx/reader.h"

namespace ap::nn {

Graph import_onnx_bytes(ByteView bytes, const std::string& name, const ImportOptions& options) {
  const OnnxModel model = read_model(bytes, name, options.folder, options.output);
  OnnxLowering::Result lowered = OnnxLowering(model).run();
  simplify(lowered.graph, lowered.output);
  validate(lowered.graph);
  return std::move(lowered.graph);
}

Graph import_onnx(const std::filesystem::path& path, const std::string& output) {
  const Bytes bytes = read_file(path, std::uint64_t{1} << 30);
  const std::filesystem::path folder = path.parent_path();
  Graph graph = import_onnx_bytes(bytes, path.filename().string(),
                                  {output, folder.empty() ? std::filesystem::path(".") : folder});
  graph.name = path.stem().string();
  return graph;
}

}  // namespace ap::nn
