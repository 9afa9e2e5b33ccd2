#include "cli/he_compile.h"

#include <filesystem>

#include "app/compile.h"
#include "app/he/compile.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/progress.h"
#include "cli/table.h"
#include "nn/onnx/import.h"

namespace ap::cli {
namespace {

Json value(const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); }

Json json_of(const app::he::Compiled& c, const std::string& policy) {
  Json layers = Json::array();
  for (const app::he::LayerReport& l : c.layers) {
    layers.push_back({{"name", l.name},
                      {"op", l.op},
                      {"packing", "multiplexed"},
                      {"n", l.n},
                      {"log2_q", l.log2_qp},
                      {"level", l.level},
                      {"primes", l.primes},
                      {"degree", l.degree},
                      {"diagonals", l.diagonals},
                      {"rotations", l.rotations},
                      {"bootstrapped", l.bootstrapped},
                      {"predicted_s", l.predicted_s}});
  }
  return {
      {"protocol", "he"},
      {"policy", policy},
      {"layers", layers},
      {"min_lambda_bits", c.lambda_bits},
      {"levels", c.levels},
      {"bootstraps", c.bootstraps},
      {"keys_bytes", c.keys_wire},
      {"request_bytes", c.request_bytes},
      {"answer_bytes", c.answer_bytes},
      {"predicted",
       {{"offline_s", 0}, {"online_s", c.shared.predicted_s}, {"bytes", c.request_bytes + c.answer_bytes}}},
      {"memory", {{"server_bytes", c.weights_bytes}, {"session_bytes", c.session_bytes}}},
      {"accuracy", {{"float", value(c.in_float)}, {"clear", value(c.clear)}, {"keeps_float", c.keeps_float}}},
      {"circuit_privacy",
       {{"method", "noise on the answer"},
        {"inferences", c.shared.inferences},
        {"bound_bits_per_weight", c.shared.bits_per_weight}}},
      {"score_error", c.shared.score_error},
      {"notes", c.notes},
      {"search_s", c.seconds}};
}

std::string text_of(const app::he::Compiled& c, const CompileArguments& options) {
  using enum Table::Align;
  const std::vector<Table::Column> columns = {{"layer", left}, {"operation", left}, {"level"},
                                              {"primes"},      {"diagonals"},       {"rotations"},
                                              {"degree"},      {"predicted"}};
  Table table(columns);
  for (const app::he::LayerReport& l : c.layers) {
    table.row({printable(l.name), l.op + (l.bootstrapped ? ", bootstrapped" : ""), std::to_string(l.level),
               std::to_string(l.primes), l.diagonals ? std::to_string(l.diagonals) : "",
               l.rotations ? std::to_string(l.rotations) : "", l.degree ? std::to_string(l.degree) : "",
               format_seconds(l.predicted_s)});
  }
  std::string out = table.text();
  out += fmt::format(
      "\nring of degree {}, {} levels, {} bootstraps; every key has {:.1f} bits of security or more\n",
      c.shared.program.contexts.front().n, c.levels, c.bootstraps, c.lambda_bits);
  out += fmt::format(
      "keys {} once, an image {} up, its scores {} down\n", format_bytes(static_cast<double>(c.keys_wire)),
      format_bytes(static_cast<double>(c.request_bytes)), format_bytes(static_cast<double>(c.answer_bytes)));
  out += fmt::format("predicted {} an image on one core; server: {} of weights, {} a session\n",
                     format_seconds(c.shared.predicted_s), format_bytes(static_cast<double>(c.weights_bytes)),
                     format_bytes(static_cast<double>(c.session_bytes)));
  if (c.in_float)
    out += fmt::format("top-1 of {} calibration images: {:.2f} % in float, {:.2f} % by polynomials\n",
                       c.images, 100 * *c.in_float, 100 * *c.clear);
  out += fmt::format("polynomials keep the float network's label on {:.2f} % of them\n", 100 * c.keeps_float);
  out +=
      c.shared.inferences > 0
          ? fmt::format(
                "answers of {} inferences together tell at most {:.4f} bits a weight; scores are exact to {:.2g}\n",
                c.shared.inferences, c.shared.bits_per_weight, c.shared.score_error)
          : fmt::format(
                "nothing hides the weights from clients that keep their errors; scores are exact to {:.2g}\n",
                c.shared.score_error);
  for (const std::string& note : c.notes) out += "note: " + note + "\n";
  return out + fmt::format("wrote {0}/server.apm and {0}/client.apm\n", printable(options.out));
}

}  // namespace

package::Pair compile_he(const CompileArguments& options) {
  const nn::Graph graph = nn::import_onnx(options.model, options.output);
  for (const std::string& note : graph.notes) say("note: " + note);
  const auto normalization = nn::Normalization::parse(options.normalize);
  normalization.check(graph.input_shape().c);
  app::he::CompileOptions wanted;
  wanted.policy = options.compile.policy;
  wanted.relu_bits = options.relu_bits;
  wanted.min_agreement = options.min_agreement / 100;
  wanted.labels = options.compile.labels;
  wanted.framing = options.selection.framing();
  wanted.progress = terminal_progress();
  if (options.accept_weight_leakage) {
    wanted.privacy_inferences = 0;
  } else if (options.inferences_given) {
    wanted.privacy_inferences = options.compile.privacy_inferences;
  }
  Selection selection = options.selection;
  selection.default_first = 128;
  NetworkEnds ends = ends_of(graph);
  ends.classes = wanted.labels;
  const nn::Dataset calibration = selection.load(options.calibrate, ends);
  if (wanted.labels.empty() && calibration.has_labels()) wanted.labels = calibration.classes;
  if (const std::string note = scale_note(normalization, calibration); !note.empty()) say("note: " + note);
  app::make_directory(options.out);
  app::he::Compiled compiled = app::he::compile(graph, calibration, normalization, wanted);
  if (options.uncompressed)
    compiled.files.client = package::without_compression(compiled.files.client, "client.apm");
  app::write_packages(compiled.files, options.out);
  if (options.json) {
    print(json_of(compiled, wanted.policy));
  } else {
    print(text_of(compiled, options));
  }
  return compiled.files;
}

}  // namespace ap::cli
