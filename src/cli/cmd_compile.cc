// autoprivacy compile MODEL.onnx: chooses everything and writes the two packages.
#include <ctime>
#include <filesystem>
#include <sstream>

#include "analysis/prediction/predict.h"
#include "analysis/profile/profile_cache.h"
#include "app/audit.h"
#include "app/policies.h"
#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "cli/companion.h"
#include "cli/compile_options.h"
#include "cli/compile_output.h"
#include "cli/he_compile.h"
#include "cli/signing.h"
#include "nn/onnx/import.h"

namespace ap::cli {
namespace {

constexpr std::uint64_t kMaxLabelBytes = 1 << 20;
constexpr std::uint64_t kMaxProfileBytes = 1 << 20;
// Calibration images of policies that search, unless told: half of them to search with, half to validate.
constexpr std::size_t kSearchImages = 512;

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

void write_signature(const std::filesystem::path& path, ByteView file, const package::SecretKey& key) {
  const std::string comment =
      fmt::format("timestamp:{}\tfile:{}\thashed", std::time(nullptr), path.filename().string());
  const std::string text = package::sign(file, key, comment);
  write_file(package::signature_path(path), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()},
             Readers::everyone);
}

/// The unit costs and the setting of the predictions.
void set_prices(CompileArguments& options) {
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

/// One process, and no policy of the hybrid protocol.
void run_compile_he(CompileArguments options) {
  if (options.compile.policy == "exact") options.compile.policy = "uniform";
  std::optional<package::SecretKey> key;
  if (!options.sign.empty()) key = load_secret_key(options.sign, options.password_file);
  options.compile.labels = read_labels(options.labels);
  const package::Pair files = compile_he(options);
  const std::filesystem::path directory(options.out);
  if (!key) return;
  write_signature(directory / "server.apm", files.server, *key);
  write_signature(directory / "client.apm", files.client, *key);
}

void run_compile(CompileArguments options, const Extensions& extensions) {
  refuse_renamed(options);
  if (options.protocol == "he") return run_compile_he(std::move(options));
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
  constexpr std::size_t kFew = 16;
  if (compiled.accuracy.images < kFew) {
    say(fmt::format("warning: {} calibration images are few to tell how large values get; give some hundred",
                    compiled.accuracy.images));
  }
  if (options.json) {
    print(json_of(compiled, audit, options));
  } else {
    print(text_of(compiled, audit, options));
  }
}

}  // namespace

void add_compile(CLI::App& app, Action& action, const Extensions& extensions) {
  auto options = std::make_shared<CompileArguments>();
  CLI::App* command =
      app.add_subcommand("compile", "Choose all parameters of a network and write its two packages");
  add_compile_options(*command, options);
  command->callback([options, &action, &extensions] {
    action = [options, &extensions] { run_compile(*options, extensions); };
  });
}

}  // namespace ap::cli
