#include "app/compile.h"

#include <autoprivacy/compile.h>

#include "app/api/convert.h"
#include "app/api/translate.h"
#include "app/compile_report.h"
#include "nn/onnx/import.h"

namespace autoprivacy {

using ap::app::translated;

namespace {

ap::app::CompileOptions options_of(const CompileOptions& options) {
  ap::app::CompileOptions wanted;
  wanted.policy = options.policy;
  wanted.activation = options.activation;
  wanted.reveal = options.reveal;
  wanted.activation_bits = options.activation_bits;
  wanted.privacy_inferences = options.privacy_inferences;
  wanted.strict = options.strict;
  wanted.labels = options.labels;
  wanted.framing = ap::nn::Framing::parse(options.framing);
  wanted.progress = ap::app::sink_of(options.progress);
  wanted.profile = ap::app::profile_of(options.unit_costs);
  wanted.search.seed = options.seed;
  wanted.search.simulations = options.simulations;
  if (options.link) {
    wanted.setting = {wanted.profile.cores, false, options.link->bits_per_second / 8,
                      options.link->round_trip_seconds};
  }
  ap::app::set_bounds(wanted, options.max_accuracy_loss, options.max_seconds);
  return wanted;
}

PredictedCost cost_of(const ap::cost::PhaseCost& cost) {
  return {cost.seconds, cost.client_cpu_s, cost.server_cpu_s, cost.bytes_up, cost.bytes_down};
}

Layer layer_of(const ap::app::LayerReport& report) {
  Layer layer;
  layer.name = report.name;
  layer.operation = report.op;
  layer.activation = report.activation;
  layer.predicted_seconds = report.predicted_s;
  layer.predicted_bytes = report.predicted_bytes;
  if (report.linear) {
    const ap::app::LinearReport& l = *report.linear;
    layer.linear = LinearParameters{
        l.packing, l.n, l.log2_q, l.primes, l.log2_p, l.error_std, l.ciphertext_error_rate, l.lambda_bits};
  }
  return layer;
}

Compiled compile_graph(const ap::nn::Graph& graph, const Images& calibration,
                       const std::string& normalization, const CompileOptions& options) {
  const ap::app::CompileOptions wanted = options_of(options);
  const ap::app::Compiled compiled =
      ap::app::compile(graph, ap::app::dataset_of(calibration, graph.input_shape()),
                       ap::nn::Normalization::parse(normalization), wanted);
  const ap::app::Audit audit = ap::app::audit(compiled.package);
  const ap::plan::Plan& plan = compiled.package.plan;
  Compiled result;
  result.policy = options.policy;
  result.package_id = ap::package::to_hex(compiled.files.id);
  for (const ap::app::LayerReport& layer : ap::app::layer_reports(compiled.package, audit))
    result.layers.push_back(layer_of(layer));
  result.min_lambda_bits = audit.min_lambda_bits;
  result.failure_log2 = plan.failure_log2;
  result.activation_bits = compiled.activation_bits;
  result.offline = cost_of(compiled.predicted.offline);
  result.online = cost_of(compiled.predicted.online);
  result.latency_seconds = compiled.latency;
  result.accuracy = {compiled.accuracy.in_float, compiled.accuracy.clear, compiled.accuracy.simulated,
                     compiled.agreement};
  result.notes = graph.notes;
  result.notes.insert(result.notes.end(), plan.notes.begin(), plan.notes.end());
  result.search_seconds = compiled.search_seconds;
  result.seconds = compiled.seconds;
  result.server_package.assign(compiled.files.server.begin(), compiled.files.server.end());
  result.client_package.assign(compiled.files.client.begin(), compiled.files.client.end());
  return result;
}

}  // namespace

void Compiled::write(const std::filesystem::path& directory) const {
  translated([&] {
    ap::app::make_directory(directory);
    ap::app::write_packages(
        {{server_package.begin(), server_package.end()}, {client_package.begin(), client_package.end()}, {}},
        directory);
  });
}

Compiled compile(const std::filesystem::path& model, const Images& calibration,
                 const std::string& normalization, const CompileOptions& options) {
  return translated(
      [&] { return compile_graph(ap::nn::import_onnx(model), calibration, normalization, options); });
}

Compiled compile(std::span<const std::uint8_t> model, const std::string& name, const Images& calibration,
                 const std::string& normalization, const CompileOptions& options) {
  return translated([&] {
    return compile_graph(ap::nn::import_onnx_bytes(model, name), calibration, normalization, options);
  });
}

}  // namespace autoprivacy
