// autoprivacy inspect MODEL.onnx: what is in a network, before anything is decided.
#include <algorithm>
#include <limits>

#include "app/expressible.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/progress.h"
#include "cli/common.h"
#include "cli/he_infer.h"
#include "cli/package_summary.h"
#include "cli/table.h"
#include "nn/execute/float_executor.h"
#include "nn/onnx/import.h"
#include "nn/onnx/operators.h"
#include "package/envelope.h"

namespace ap::cli {
namespace {

struct Options {
  std::string model, output, calibrate, normalize;
  Selection selection;
  bool json = false;
  bool operators = false;
};

struct Figures {
  std::uint64_t parameters = 0, macs = 0, activations = 0;
  Figures& operator+=(const Figures& other) {
    parameters += other.parameters;
    macs += other.macs;
    activations += other.activations;
    return *this;
  }
};

/// Parameters, multiplications of one image, and elements that pass through a ReLU or clip.
Figures figures_of(const nn::Node& node) {
  Figures f;
  const auto elements = static_cast<std::uint64_t>(node.shape.size());
  if (const auto* conv = std::get_if<nn::ConvOp>(&node.op)) {
    f.parameters = conv->weights.size() + conv->bias.size();
    const auto channels = static_cast<std::uint64_t>(node.shape.c);
    f.macs = conv->weights.size() / channels * elements;
  } else if (const auto* fc = std::get_if<nn::FullyConnectedOp>(&node.op)) {
    f.parameters = fc->weights.size() + fc->bias.size();
    f.macs = fc->weights.size();
  } else if (const auto* affine = std::get_if<nn::AffineOp>(&node.op)) {
    f.parameters = affine->scale.size() + affine->shift.size();
    f.macs = elements;
  } else if (std::holds_alternative<nn::ClipOp>(node.op)) {
    f.activations = elements;
  }
  return f;
}

struct ValueRange {
  float low = std::numeric_limits<float>::infinity(), high = -std::numeric_limits<float>::infinity();
};

std::vector<ValueRange> observe(const nn::Graph& graph, const nn::Dataset& data,
                                const nn::Normalization& normalization) {
  std::vector<ValueRange> ranges(graph.nodes.size());
  Progress bar("value ranges", data.size());
  for (std::size_t i = 0; i < data.size(); ++i, bar.advance()) {
    const std::vector<nn::Tensor> values = nn::run(graph, data.input(i, normalization));
    for (std::size_t n = 0; n < values.size(); ++n) {
      const auto [low, high] = std::minmax_element(values[n].data.begin(), values[n].data.end());
      ranges[n].low = std::min(ranges[n].low, *low);
      ranges[n].high = std::max(ranges[n].high, *high);
    }
  }
  return ranges;
}

Json json_of(const nn::Graph& graph, const std::vector<ValueRange>& ranges, const Figures& total) {
  Json layers = Json::array();
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const nn::Node& node = graph.nodes[i];
    const Figures f = figures_of(node);
    Json layer = {{"name", node.name},
                  {"op", nn::op_name(node.op)},
                  {"shape", {node.shape.c, node.shape.h, node.shape.w}},
                  {"parameters", f.parameters},
                  {"macs", f.macs},
                  {"activations", f.activations}};
    if (!ranges.empty()) layer["range"] = {ranges[i].low, ranges[i].high};
    layers.push_back(std::move(layer));
  }
  const nn::Shape &in = graph.input_shape(), &out = graph.output_shape();
  return {{"name", graph.name},
          {"input", {in.c, in.h, in.w}},
          {"output", {out.c, out.h, out.w}},
          {"parameters", total.parameters},
          {"macs", total.macs},
          {"activations", total.activations},
          {"notes", graph.notes},
          {"layers", std::move(layers)}};
}

std::string text_of(const nn::Graph& graph, const std::vector<ValueRange>& ranges, const Figures& total) {
  using enum Table::Align;
  std::vector<Table::Column> columns = {{"layer", left}, {"operation", left}, {"output"}, {"parameters"},
                                        {"MACs"},        {"ReLU elements"}};
  if (!ranges.empty()) columns.push_back({"lowest"}), columns.push_back({"highest"});
  Table table(columns);
  const auto count = [](std::uint64_t n) { return n ? format_count(n) : std::string(); };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const nn::Node& node = graph.nodes[i];
    const Figures f = figures_of(node);
    std::vector<std::string> cells = {node.name,           nn::op_name(node.op), nn::to_string(node.shape),
                                      count(f.parameters), count(f.macs),        count(f.activations)};
    if (!ranges.empty()) {
      cells.push_back(fmt::format("{:.3f}", ranges[i].low));
      cells.push_back(fmt::format("{:.3f}", ranges[i].high));
    }
    table.row(std::move(cells));
  }
  std::string out = fmt::format(
      "{}: {} in, {} out\n\n{}\n{} parameters, {} multiplications and {} ReLU elements per image\n",
      printable(graph.name), nn::to_string(graph.input_shape()), nn::to_string(graph.output_shape()),
      table.text(), format_count(total.parameters), format_count(total.macs),
      format_count(total.activations));
  for (const std::string& note : graph.notes) out += "note: " + printable(note) + "\n";
  return out;
}

void inspect(const Options& options) {
  if (options.operators) return print(nn::operators_markdown());
  if (options.model.empty()) fail_input("inspect needs a MODEL.onnx, or --operators alone");
  if (package::kind_of(options.model) == package::Kind::he) return inspect_he(options.model, options.json);
  if (is_package(options.model)) return inspect_package(options.model, options.json);
  const nn::Graph graph = nn::import_onnx(options.model, options.output);
  app::check_expressible(graph);
  std::vector<ValueRange> ranges;
  if (!options.calibrate.empty()) {
    const auto normalization = nn::Normalization::parse(options.normalize);
    normalization.check(graph.input_shape().c);
    const nn::Dataset data = options.selection.load(options.calibrate, ends_of(graph));
    if (const std::string note = scale_note(normalization, data); !note.empty()) say("note: " + note);
    ranges = observe(graph, data, normalization);
  }
  Figures total;
  for (const nn::Node& node : graph.nodes) total += figures_of(node);
  if (options.json) {
    print(json_of(graph, ranges, total));
  } else {
    print(text_of(graph, ranges, total));
  }
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "inspect", "Show layers, shapes, sizes and value ranges of an ONNX network, or what a package holds");
  command->add_option("model", options->model, "ONNX file, or a package")
      ->type_name("MODEL.onnx|PACKAGE.apm");
  command->add_option("--output", options->output, "The output to end with, of a network with several")
      ->type_name("NAME");
  command->add_flag("--operators", options->operators,
                    "Print which operators are supported, with their limits");
  command->add_option("--calibrate", options->calibrate, "Images to observe value ranges on, e.g. mnist:DIR")
      ->type_name("DATA");
  command->add_option("--normalize", options->normalize, "As in compile: \"scale=255 mean=a,b,c std=a,b,c\"")
      ->type_name("S");
  options->selection.default_first = 128;
  options->selection.add_options(*command);
  options->selection.add_framing(*command);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { inspect(*options); }; });
}

}  // namespace ap::cli
