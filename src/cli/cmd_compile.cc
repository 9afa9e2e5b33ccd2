// autoprivacy compile MODEL.onnx: chooses everything and writes the two packages.
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <optional>
#include <sstream>

#include "analysis/prediction/predict.h"
#include "analysis/profile/profile_cache.h"
#include "app/audit.h"
#include "app/compile.h"
#include "app/compile_report.h"
#include "app/policies.h"
#include "base/error.h"
#include "base/files.h"
#include "base/printable.h"
#include "base/progress.h"
#include "cli/common.h"
#include "cli/companion.h"
#include "cli/package_summary.h"
#include "cli/signing.h"
#include "cli/table.h"
#include "nn/onnx/import.h"

namespace ap::cli {
namespace {

constexpr std::uint64_t kMaxLabelBytes = 1 << 20;
constexpr std::uint64_t kMaxProfileBytes = 1 << 20;
// Calibration images of policies that search, unless told: half of them to search with, half to validate.
constexpr std::size_t kSearchImages = 512;

struct Options {
  std::string model, calibrate, normalize, output, out, labels, profile, sign, password_file;
  Selection selection;
  std::uint64_t seed = 1;
  double min_agreement = 90;  ///< %
  std::optional<double> max_latency, max_accuracy_loss, bandwidth, round_trip;
  std::vector<std::string> renamed;  ///< options of earlier versions that were given
  app::CompileOptions compile;
  bool json = false;
  bool uncompressed = false;
  bool accept_weight_leakage = false;
};

/// One line a class.
std::vector<std::string> read_labels(const std::string& path) {
  std::vector<std::string> labels;
  if (path.empty()) return labels;
  const Bytes bytes = read_file(path, kMaxLabelBytes);
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) labels.push_back(line);
  }
  if (labels.empty()) fail_input("{} holds no class names; write one on each line", path);
  return labels;
}

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
bool loss_shown(const app::Searched& s, const Options& options) {
  return !s.held_out.memorised() && s.held_out.loss_limit() <= options.compile.max_accuracy_loss;
}

Json search_json(const app::Searched& s, const Options& options) {
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

Json json_of(const app::Compiled& compiled, const app::Audit& audit, const Options& options) {
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

/// What a client does with its pictures.
std::string inputs_text(const package::Package& package) {
  const auto n = nn::Normalization::parse(package.normalization);
  return fmt::format(
      "(pixel / {} - {}) / {}{}", n.scale ? fmt::format("{}", *n.scale) : "255, other numbers as they are,",
      fmt::join(n.mean, ","), fmt::join(n.std, ","),
      package.framing.empty() ? std::string() : fmt::format("; pictures: {}", package.framing));
}

std::string text_of(const app::Compiled& compiled, const app::Audit& audit, const Options& options) {
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
  out += fmt::format("\nlowest security {:.1f} bits, failure at most 2^{:.1f} per inference\n",
                     audit.min_lambda_bits, plan.failure_log2);
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

/// Words of earlier versions.
struct Renamed {
  const char* option;
  const char* now;
};
constexpr Renamed kRenamed[] = {
    {"--mode",
     "--budget error-std (small errors, on coefficient packing) or --budget der (rates of decryption errors, "
     "on SIMD packing)"},
    {"--as-published", "--flooding-by-rule"},
    {"--imagined", "--rollouts"},
};

void refuse_renamed(const Options& options) {
  for (const std::string& option : options.renamed) {
    const auto* found = std::ranges::find(kRenamed, option, &Renamed::option);
    fail_input("{} is gone; use {}", option, found->now);
  }
}

void write_signature(const std::filesystem::path& path, ByteView file, const package::SecretKey& key) {
  const std::string comment =
      fmt::format("timestamp:{}\tfile:{}\thashed", std::time(nullptr), path.filename().string());
  const std::string text = package::sign(file, key, comment);
  write_file(package::signature_path(path), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
             Readers::everyone);
}

/// The unit costs and the setting of the predictions.
void set_prices(Options& options) {
  cost::Profile& profile = options.compile.profile;
  if (options.profile == "machine") {
    // All processes of a search must see the same prices.
    profile = launched_by_mpi() ? cost::typical_profile() : cost::machine_profile(true);
  } else if (options.profile.empty()) {
    // What it costs here is what a person wants to know; what is chosen must be the same on every machine. A bound on
    // the latency is one on this machine's.
    if (!launched_by_mpi()) {
      const cost::Profile here = cost::machine_profile(true);
      (options.max_latency ? profile : options.compile.shown_profile.emplace()) = here;
    }
  } else if (options.profile != "typical") {
    const Bytes bytes = read_file(options.profile, kMaxProfileBytes);
    profile = cost::parse_profile(std::string(bytes.begin(), bytes.end()));
  }
  if (!options.bandwidth) return;
  constexpr double kMegabit = 125e3;  // bytes
  options.compile.setting = {profile.cores, false, *options.bandwidth * kMegabit,
                             options.round_trip.value_or(0.5) / 1e3};
}

void run_compile(Options options, const Extensions& extensions) {
  refuse_renamed(options);
  const app::Policies policies = app::standard_policies();
  const app::Policy& policy = policies.find(options.compile.policy);
  if (!extensions.companion) {
    if (policy.kind == app::Policy::Kind::learning) hand_over("policy " + policy.name);
    if (launched_by_mpi()) hand_over("a search under mpirun");
  }
  const auto loss = options.max_accuracy_loss;  // in %
  app::set_bounds(options.compile, loss ? std::optional(*loss / 100) : std::nullopt, options.max_latency);
  std::optional<package::SecretKey> key;  // asked for now, because the rest can take long
  if (!options.sign.empty() && extensions.rank() == 0)
    key = load_secret_key(options.sign, options.password_file);
  options.compile.labels = read_labels(options.labels);
  const nn::Graph graph = nn::import_onnx(options.model, options.output);
  if (extensions.rank() == 0) {
    for (const std::string& note : graph.notes) say("note: " + note);
  }
  const auto normalization = nn::Normalization::parse(options.normalize);
  normalization.check(graph.input_shape().c);
  if (policy.searches()) options.selection.default_first = kSearchImages;
  options.selection.quiet = extensions.rank() != 0;
  options.compile.framing = options.selection.framing();
  NetworkEnds ends = ends_of(graph);
  ends.classes = options.compile.labels;
  const nn::Dataset calibration = options.selection.load(options.calibrate, ends);
  if (options.compile.labels.empty() && calibration.has_labels())
    options.compile.labels = calibration.classes;
  const std::string scale = scale_note(normalization, calibration);
  if (extensions.rank() == 0 && !scale.empty()) say("note: " + scale);
  app::make_directory(options.out);
  set_prices(options);
  app::CompileOptions wanted = options.compile;
  wanted.min_agreement = options.min_agreement / 100;
  wanted.progress = terminal_progress();
  if (options.accept_weight_leakage) wanted.privacy_inferences = 0;
  wanted.search.seed = options.seed;
  wanted.search.further = extensions.policies;
  wanted.search.sharder = extensions.sharder;
  wanted.search.journal = std::filesystem::path(options.out) / "search.json";
  app::Compiled compiled = app::compile(graph, calibration, normalization, wanted);
  if (extensions.rank() != 0) return;  // all ranks have the same result, and one of them tells
  const std::filesystem::path directory(options.out);
  if (options.uncompressed) {
    compiled.files.client = package::without_compression(compiled.files.client, "client.apm");
  }
  app::write_packages(compiled.files, directory);
  if (key) {
    write_signature(directory / "server.apm", compiled.files.server, *key);
    write_signature(directory / "client.apm", compiled.files.client, *key);
  }
  const app::Audit audit = app::audit(compiled.package);
  constexpr double kPoor = 0.6;
  if (options.normalize.empty() && compiled.accuracy.in_float && *compiled.accuracy.in_float < kPoor) {
    say(fmt::format(
        "warning: the network is right on {:.1f} % of the calibration images before anything is done to it; "
        "--normalize may be missing (scale, mean and std of its training)",
        100 * *compiled.accuracy.in_float));
  }
  if (options.json) {
    print(json_of(compiled, audit, options));
  } else {
    print(text_of(compiled, audit, options));
  }
}

}  // namespace

void add_compile(CLI::App& app, Action& action, const Extensions& extensions) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("compile", "Choose all parameters of a network and write its two packages");
  command->add_option("model", options->model, "ONNX file")->required()->type_name("MODEL.onnx");
  command->add_option("--output", options->output, "The output to end with, of a network with several")
      ->type_name("NAME");
  command
      ->add_option("--calibrate", options->calibrate, "Typical images (not test images), e.g. cifar10:FILE")
      ->required()
      ->type_name("DATA");
  command
      ->add_option(
          "--normalize", options->normalize,
          "input = (pixel / scale - mean) / std: \"scale=255 mean=a,b,c std=a,b,c\"; without it mean 0, std 1, and "
          "scale 255 of 8-bit pixels (1, that is none, of other numbers)")
      ->type_name("S");
  command->add_option("--out", options->out, "Directory of server.apm and client.apm")
      ->required()
      ->type_name("DIR");
  std::string offered = "How to choose parameters.";
  const app::Policies policies = app::standard_policies();
  for (const app::Policy& policy : policies.all())
    offered += fmt::format(" {}: {}.", policy.name, policy.summary);
  command->add_option("--policy", options->compile.policy, offered)->capture_default_str();
  for (const Renamed& renamed : kRenamed) {
    command
        ->add_option_function<std::vector<std::string>>(renamed.option,
                                                        [options, &renamed](const std::vector<std::string>&) {
                                                          options->renamed.emplace_back(renamed.option);
                                                        })
        ->expected(0, 1)
        ->group("");
  }
  command
      ->add_option("--activation", options->compile.activation,
                   "Protocol of the activations: gc, ot, one-trip, or auto (by the link, at run time)")
      ->capture_default_str();
  command
      ->add_option("--reveal", options->compile.reveal,
                   "What the client learns: logits, or the label alone (the best class)")
      ->capture_default_str();
  command->add_option("--activation-bits", options->compile.activation_bits,
                      "Bits of an activation; chosen by simulation if left out");
  command
      ->add_option("--min-agreement", options->min_agreement,
                   "Refuse if integers keep the float network's label on fewer calibration images")
      ->capture_default_str()
      ->type_name("PERCENT");
  command->add_flag("!--no-equalise", options->compile.equalise,
                    "Keep the weights of each layer as in the file, as train tune --plan needs them");
  command->add_flag("--flooding-by-rule", options->compile.flooding_by_rule,
                    "Policy darl: hide the weights by the published rule of thumb (4 N, 3 log q)");
  command
      ->add_option("--der", options->compile.der_log2,
                   "Policy autoprivacy: log2 of each layer's decryption-error rate")
      ->capture_default_str();
  auto* inferences =
      command
          ->add_option("--privacy-inferences", options->compile.privacy_inferences,
                       "How many inferences, of all clients together, must not give the weights away")
          ->check(CLI::Range(std::uint64_t{1}, noise::kMaxInferences))
          ->capture_default_str()
          ->type_name("T");
  command
      ->add_flag(
          "--accept-weight-leakage", options->accept_weight_leakage,
          "Smaller parameters without noise of the server's own: a client that keeps its own random numbers "
          "computes the weights from some thousands of results")
      ->excludes(inferences);
  command->add_flag("--strict", options->compile.strict,
                    "Failure of at most 2^-128 per inference instead of 2^-40");
  command->add_option("--calibration-images,--first", options->selection.first, "Images to calibrate on")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  command->add_option("--range", options->selection.range, "Calibrate on images A to B-1")->type_name("A:B");
  command->add_option("--labels", options->labels, "Text file with the name of each class on a line")
      ->type_name("FILE");
  auto* sign = command
                   ->add_option("--sign", options->sign,
                                "Sign both packages with this key of `keygen` or minisign (PACKAGE.minisig)")
                   ->type_name("KEY");
  command
      ->add_option("--password-file", options->password_file, "The key's password, instead of asking for it")
      ->needs(sign)
      ->type_name("FILE");
  command->add_flag(
      "--uncompressed", options->uncompressed,
      "Write client.apm with its body as it is, for clients built without Zstandard (browsers)");
  command->add_option("--seed", options->seed, "Seed of policies that draw at random; exact draws nothing")
      ->capture_default_str();
  command
      ->add_option("--max-latency", options->max_latency,
                   "Policies that search: largest predicted latency per image, offline and online together")
      ->type_name("S");
  command
      ->add_option("--simulations", options->compile.search.simulations,
                   "Policies that search: simulations of a plan that they may run")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      ->add_option(
          "--budget", options->compile.budget,
          "Policies that search: budgets are standard deviations of small errors on packed coefficients "
          "(error-std), or rates of decryption errors on SIMD packing, as in AutoPrivacy (der)")
      ->capture_default_str();
  command
      ->add_option(
          "--rollouts", options->compile.search.rollouts,
          "Policy ddpg: episodes on a model of the errors before each simulation; 0: every episode is "
          "simulated (pure DDPG, as AutoPrivacy was published)")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->add_flag("--resume", options->compile.search.resume,
                    "Policies that search: go on from OUT/search.json of a stopped search");
  command
      ->add_option("--max-accuracy-loss", options->max_accuracy_loss,
                   "Other policies than exact: largest simulated loss of top-1, in %; 0.2 if left out")
      ->type_name("PCT");
  command
      ->add_option(
          "--profile", options->profile,
          "Unit costs of choices and predictions: typical, of this machine (measured once and cached), or a file of "
          "`profile`. Without, choices are by typical ones (the same package on every machine) and predictions by this "
          "machine's; with --max-latency choices are, too")
      ->type_name("typical|machine|FILE");
  auto* bandwidth =
      command
          ->add_option("--bandwidth", options->bandwidth,
                       "Predict for two machines and a link of so many Mbit/s, not for infer --local")
          ->check(CLI::Range(0.001, 1e6))
          ->type_name("MBIT");
  command->add_option("--round-trip", options->round_trip, "Round trip of that link in ms; 0.5 if left out")
      ->check(CLI::Range(0.0, 60'000.0))
      ->needs(bandwidth)
      ->type_name("MS");
  command->add_flag("--json", options->json, "Print JSON");
  options->selection.add_framing(*command);
  options->selection.default_first = 128;
  command->callback([options, &action, &extensions] {
    action = [options, &extensions] { run_compile(*options, extensions); };
  });
}

}  // namespace ap::cli
