#include "cli/compile_output.h"

#include <fmt/ranges.h>

#include <cmath>

#include "analysis/prediction/predict.h"
#include "app/compile_report.h"
#include "base/printable.h"
#include "base/progress.h"
#include "cli/package_summary.h"
#include "cli/table.h"

namespace ap::cli {
namespace {

Json layer_json(const app::LayerReport& layer) {
  Json json = {{"name", layer.name}, {"op", layer.op}};
  for (const char* key : {"packing", "n", "log2_q", "primes", "log2_p", "tau_lsb", "der_ciphertext",
                          "lambda_bits", "activation"}) {
    json[key] = nullptr;
  }
  if (layer.linear) {
    json["packing"] = layer.linear->packing;
    json["n"] = layer.linear->n;
    json["log2_q"] = layer.linear->log2_q;
    json["primes"] = layer.linear->primes;
    json["log2_p"] = layer.linear->log2_p;
    json["tau_lsb"] = layer.linear->error_std;
    json["der_ciphertext"] = finite(layer.linear->ciphertext_error_rate);
    json["lambda_bits"] = finite(layer.linear->lambda_bits);
  } else {
    json["activation"] = layer.activation;
  }
  json["predicted_s"] = layer.predicted_s;
  json["predicted_bytes"] = layer.predicted_bytes;
  return json;
}

/// Whether the bound holds for new images like these with 95 % confidence.
bool loss_shown(const app::Searched& s, const CompileArguments& options) {
  return !s.held_out.memorised() && s.held_out.loss_limit() <= options.compile.max_accuracy_loss;
}

Json search_json(const app::Searched& s, const CompileArguments& options) {
  return {{"simulations", s.simulations},
          {"resumed", s.resumed},
          {"tightened", s.tightened},
          {"expected_loss", s.expected_loss},
          {"loss", s.held_out.loss()},
          {"loss_std_error", s.held_out.loss_std_error()},
          {"changes", s.held_out.changes()},
          {"held_out_images", s.held_out.images},
          {"loss_limit", s.held_out.loss_limit()},
          {"loss_shown", loss_shown(s, options)},
          {"memorised", s.held_out.memorised()}};
}

}  // namespace

Json json_of(const app::Compiled& compiled, const app::Audit& audit, const CompileArguments& options) {
  const plan::Plan& plan = compiled.package.plan;
  Json layers = Json::array();
  for (const app::LayerReport& layer : app::layer_reports(compiled.package, audit))
    layers.push_back(layer_json(layer));
  const cost::Prediction& predicted = compiled.predicted;
  const auto value = [](const std::optional<double>& v) { return v ? Json(*v) : Json(nullptr); };
  return {{"policy", plan.policy},
          {"reveal", options.compile.reveal},
          {"package_id", package::to_hex(compiled.files.id)},
          {"out", options.out},
          {"layers", std::move(layers)},
          {"min_lambda_bits", finite(audit.min_lambda_bits)},
          {"failure_log2", finite(plan.failure_log2)},
          {"predicted",
           {{"offline_s", predicted.offline.seconds},
            {"online_s", predicted.online.seconds},
            {"latency_s", compiled.latency},
            {"bytes", std::llround(predicted.offline.bytes() + predicted.online.bytes())},
            {"offline", phase_json(predicted.offline)},
            {"online", phase_json(predicted.online)},
            {"session", phase_json(predicted.session)},
            {"images", protocol::kTypicalSession},
            {"profile", options.compile.shown_profile.value_or(options.compile.profile).machine},
            {"choices", options.compile.profile.machine}}},
          {"accuracy",
           {{"float", value(compiled.accuracy.in_float)},
            {"clear", value(compiled.accuracy.clear)},
            {"simulated", value(compiled.accuracy.simulated)},
            {"keeps_float", compiled.accuracy.keeps_float},
            {"images", compiled.accuracy.images},
            {"simulated_agreement", compiled.agreement}}},
          {"activation_bits", compiled.activation_bits},
          {"memory", memory_of_parties_json(app::memory_of(compiled.package))},
          {"normalization", compiled.package.normalization},
          {"framing", compiled.package.framing},
          {"labels", compiled.package.labels},
          {"weight_bits", compiled.weight_bits},
          {"least_precise_layer", compiled.least_precise},
          {"privacy_inferences", plan.privacy.inferences},
          {"notes", plan.notes},
          {"search_s", compiled.search_seconds},
          {"search", compiled.search ? search_json(*compiled.search, options) : Json(nullptr)},
          {"seconds", compiled.seconds}};
}

namespace {

/// What a client does with its pictures.
std::string inputs_text(const package::Package& package) {
  const auto n = nn::Normalization::parse(package.normalization);
  return fmt::format(
      "(pixel / {} - {}) / {}{}", n.scale ? fmt::format("{}", *n.scale) : "255, other numbers as they are,",
      fmt::join(n.mean, ","), fmt::join(n.std, ","),
      package.framing.empty() ? std::string() : fmt::format("; pictures: {}", package.framing));
}

}  // namespace

std::string text_of(const app::Compiled& compiled, const app::Audit& audit, const CompileArguments& options) {
  using enum Table::Align;
  const plan::Plan& plan = compiled.package.plan;
  Table table({{"layer", left},
               {"operation", left},
               {"N"},
               {"log2 q"},
               {"log2 p"},
               {"error (LSB)"},
               {"bits"},
               {"packing or protocol", left},
               {"bytes"}});
  for (const app::LayerReport& layer : app::layer_reports(compiled.package, audit)) {
    const std::string bytes = format_bytes(static_cast<double>(layer.predicted_bytes));
    if (layer.linear) {
      const app::LinearReport& l = *layer.linear;
      table.row({layer.name, layer.op, fmt::format("{}", l.n), fmt::format("{:.1f}", l.log2_q),
                 fmt::format("{}", l.log2_p), fmt::format("{:.3f}", l.error_std),
                 fmt::format("{:.1f}", l.lambda_bits), l.packing, bytes});
    } else {
      table.row({layer.name, layer.op, "", "", "", "", "", layer.activation, bytes});
    }
  }
  const cost::Prediction& predicted = compiled.predicted;
  std::string out = table.text();
  out += fmt::format("\nlowest security {:.1f} bits, {}\n", audit.min_lambda_bits,
                     plan.failure_log2 > kInexactFailureLog2
                         ? std::string("results with the small errors that the policy allows")
                         : fmt::format("failure at most 2^{:.1f} per inference", plan.failure_log2));
  out += plan.privacy.inferences > 0
             ? fmt::format("weights stay private for {} inferences of all clients together\n",
                           plan.privacy.inferences)
             : std::string("WARNING: clients can compute the weights from some thousands of results\n");
  for (const std::string& note : plan.notes) out += "note: " + printable(note) + "\n";
  if (plan.reveal == plan::Reveal::label) {
    out += fmt::format("clients learn the best class alone (argmax by protocol {})\n", plan.argmax_protocol);
  }
  out += fmt::format("predicted per image of a session of {}: offline {}, online {}, {} ({})\n",
                     protocol::kTypicalSession, format_seconds(predicted.offline.seconds),
                     format_seconds(predicted.online.seconds),
                     format_bytes(predicted.offline.bytes() + predicted.online.bytes()),
                     options.bandwidth ? "two machines" : "both parties on this machine");
  out += fmt::format(
      "activations of {} bits: private and clear labels agree on {:.1f} % of simulated inferences\n",
      compiled.activation_bits, 100 * compiled.agreement);
  out += fmt::format("integers keep the label of the float network on {:.1f} % of {} calibration images\n",
                     100 * compiled.accuracy.keeps_float, compiled.accuracy.images);
  if (!compiled.least_precise.empty()) {
    out += fmt::format("WARNING: integers lose labels of the float network; layer {} loses most\n",
                       printable(compiled.least_precise));
  }
  out += fmt::format("predicted latency, offline and online: {}\n", format_seconds(compiled.latency));
  out += fmt::format("chosen by the unit costs of {}, predicted by those of {}\n",
                     printable(options.compile.profile.machine),
                     printable(options.compile.shown_profile.value_or(options.compile.profile).machine));
  if (compiled.search) {
    const app::Searched& s = *compiled.search;
    out += fmt::format(
        "search: {} simulations in {}; on {} held-out images the errors change {:.2f} % of labels, which loses about "
        "{:.3f} % of accuracy ({:.2f} +- {:.2f} % measured)\n",
        s.simulations, format_seconds(compiled.search_seconds), s.held_out.images, 100 * s.held_out.changes(),
        100 * s.expected_loss, 100 * s.held_out.loss(), 100 * s.held_out.loss_std_error());
    if (options.compile.search.resume) {
      out += s.resumed > 0 ? fmt::format("{} simulations of an earlier search were taken over\n", s.resumed)
                           : std::string("there was no earlier search to go on from; this one began anew\n");
    }
    out += fmt::format(
        "a loss of at most {:.3g} % is {}: with 95 % confidence these images show at most {:.2f} %\n",
        100 * options.compile.max_accuracy_loss, loss_shown(s, options) ? "shown" : "not shown",
        100 * s.held_out.loss_limit());
    if (s.held_out.memorised()) {
      out += fmt::format(
          "WARNING: {:.1f} % of the calibration labels are right, as if the network had been trained on these images; "
          "it may lose more on others. Calibrate with images that it has not seen\n",
          100.0 * static_cast<double>(s.held_out.clear_right) / static_cast<double>(s.held_out.images));
    }
  }
  const app::Accuracy& accuracy = compiled.accuracy;
  if (accuracy.simulated) {
    out += fmt::format("accuracy with the errors of this plan, simulated: {:.1f} %\n",
                       100 * *accuracy.simulated);
  }
  if (accuracy.in_float && accuracy.clear) {
    out += fmt::format("accuracy on {} calibration images: float {:.1f} %, integers {:.1f} %\n",
                       accuracy.images, 100 * *accuracy.in_float, 100 * *accuracy.clear);
  }
  out += "memory: " + memory_of_parties_text(app::memory_of(compiled.package));
  out += "inputs: " + inputs_text(compiled.package) + "\n";
  out += fmt::format(
      "package {}\nwritten in {}: {}/server.apm (keep it), {}/client.apm (give it to clients)\n",
      package::to_hex(compiled.files.id), format_seconds(compiled.seconds), options.out, options.out);
  return out;
}

}  // namespace ap::cli
