#include "cli/compile_options.h"

#include <algorithm>

#include "app/policies.h"
#include "base/error.h"

namespace ap::cli {
namespace {

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

}  // namespace

void refuse_renamed(const CompileArguments& options) {
  for (const std::string& option : options.renamed) {
    const auto* found = std::ranges::find(kRenamed, option, &Renamed::option);
    fail_input("{} is gone; use {}", option, found->now);
  }
}

void add_compile_options(CLI::App& command, const std::shared_ptr<CompileArguments>& options) {
  command.add_option("model", options->model, "ONNX file")->required()->type_name("MODEL.onnx");
  command.add_option("--output", options->output, "The output to end with, of a network with several")
      ->type_name("NAME");
  command
      .add_option("--calibrate", options->calibrate, "Typical images (not test images), e.g. cifar10:FILE")
      ->required()
      ->type_name("DATA");
  command
      .add_option(
          "--normalize", options->normalize,
          "input = (pixel / scale - mean) / std: \"scale=255 mean=a,b,c std=a,b,c\"; without it mean 0, std 1, and "
          "scale 255 of 8-bit pixels (1, that is none, of other numbers)")
      ->type_name("S");
  command.add_option("--out", options->out, "Directory of server.apm and client.apm")
      ->required()
      ->type_name("DIR");
  command
      .add_option(
          "--protocol", options->protocol,
          "hybrid: two parties compute every layer together. he: homomorphic encryption alone, one message up and one "
          "answer down, with polynomials for activations (policy uniform)")
      ->check(CLI::IsMember({"hybrid", "he"}))
      ->capture_default_str();
  command
      .add_option("--relu-bits", options->relu_bits,
                  "Protocol he: a ReLU's polynomial is within 2^-BITS of its range")
      ->check(CLI::Range(4, 14))
      ->capture_default_str()
      ->type_name("BITS");
  std::string offered = "How to choose parameters.";
  const app::Policies policies = app::standard_policies();
  for (const app::Policy& policy : policies.all())
    offered += fmt::format(" {}: {}.", policy.name, policy.summary);
  command.add_option("--policy", options->compile.policy, offered)->capture_default_str();
  for (const Renamed& renamed : kRenamed) {
    command
        .add_option_function<std::vector<std::string>>(renamed.option,
                                                       [options, &renamed](const std::vector<std::string>&) {
                                                         options->renamed.emplace_back(renamed.option);
                                                       })
        ->expected(0, 1)
        ->group("");
  }
  command
      .add_option("--activation", options->compile.activation,
                  "Protocol of the activations: gc, ot, one-trip, or auto (by the link, at run time)")
      ->capture_default_str();
  command
      .add_option("--reveal", options->compile.reveal,
                  "What the client learns: logits, or the label alone (the best class)")
      ->capture_default_str();
  command.add_option("--activation-bits", options->compile.activation_bits,
                     "Bits of an activation; chosen by simulation if left out");
  command
      .add_option("--min-agreement", options->min_agreement,
                  "Refuse if integers keep the float network's label on fewer calibration images")
      ->capture_default_str()
      ->type_name("PERCENT");
  command.add_flag("!--no-equalise", options->compile.equalise,
                   "Keep the weights of each layer as in the file, as train tune --plan needs them");
  command.add_flag("--flooding-by-rule", options->compile.flooding_by_rule,
                   "Policy darl: hide the weights by the published rule of thumb (4 N, 3 log q)");
  command
      .add_option("--der", options->compile.der_log2,
                  "Policy autoprivacy: log2 of each layer's decryption-error rate")
      ->capture_default_str();
  auto* inferences =
      command
          .add_option("--privacy-inferences", options->compile.privacy_inferences,
                      "How many inferences, of all clients together, must not give the weights away")
          ->check(CLI::Range(std::uint64_t{1}, noise::kMaxInferences))
          ->each([options](const std::string&) { options->inferences_given = true; })
          ->capture_default_str()
          ->type_name("T");
  command
      .add_flag(
          "--accept-weight-leakage", options->accept_weight_leakage,
          "Smaller parameters without noise of the server's own: a client that keeps its own random numbers "
          "computes the weights from some thousands of results")
      ->excludes(inferences);
  command.add_flag("--strict", options->compile.strict,
                   "Failure of at most 2^-128 per inference instead of 2^-40");
  command.add_option("--calibration-images,--first", options->selection.first, "Images to calibrate on")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N");
  command.add_option("--range", options->selection.range, "Calibrate on images A to B-1")->type_name("A:B");
  command.add_option("--labels", options->labels, "Text file with the name of each class on a line")
      ->type_name("FILE");
  auto* sign = command
                   .add_option("--sign", options->sign,
                               "Sign both packages with this key of `keygen` or minisign (PACKAGE.minisig)")
                   ->type_name("KEY");
  command
      .add_option("--password-file", options->password_file, "The key's password, instead of asking for it")
      ->needs(sign)
      ->type_name("FILE");
  command.add_flag("--uncompressed", options->uncompressed,
                   "Write client.apm with its body as it is, for clients built without Zstandard (browsers)");
  command.add_option("--seed", options->seed, "Seed of policies that draw at random; exact draws nothing")
      ->capture_default_str();
  command
      .add_option("--max-latency", options->max_latency,
                  "Policies that search: largest predicted latency per image, offline and online together")
      ->type_name("S");
  command
      .add_option("--simulations", options->compile.search.simulations,
                  "Policies that search: simulations of a plan that they may run")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command
      .add_option(
          "--budget", options->compile.budget,
          "Policies that search: budgets are standard deviations of small errors on packed coefficients "
          "(error-std), or rates of decryption errors on SIMD packing, as in AutoPrivacy (der)")
      ->capture_default_str();
  command
      .add_option(
          "--rollouts", options->compile.search.rollouts,
          "Policy ddpg: episodes on a model of the errors before each simulation; 0: every episode is "
          "simulated (pure DDPG, as AutoPrivacy was published)")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command.add_flag("--resume", options->compile.search.resume,
                   "Policies that search: go on from OUT/search.json of a stopped search");
  command
      .add_option("--max-accuracy-loss", options->max_accuracy_loss,
                  "Other policies than exact: largest simulated loss of top-1, in %; 0.2 if left out")
      ->type_name("PCT");
  command
      .add_option(
          "--profile", options->profile,
          "Unit costs of choices and predictions: typical, of this machine (measured once and cached), or a file of "
          "`profile`. Without, choices are by typical ones (the same package on every machine) and predictions by this "
          "machine's; with --max-latency choices are, too")
      ->type_name("typical|machine|FILE");
  auto* bandwidth =
      command
          .add_option("--bandwidth", options->bandwidth,
                      "Predict for two machines and a link of so many Mbit/s, not for infer --local")
          ->check(CLI::Range(0.001, 1e6))
          ->type_name("MBIT");
  command.add_option("--round-trip", options->round_trip, "Round trip of that link in ms; 0.5 if left out")
      ->check(CLI::Range(0.0, 60'000.0))
      ->needs(bandwidth)
      ->type_name("MS");
  command.add_flag("--json", options->json, "Print JSON");
  options->selection.add_framing(command);
  options->selection.default_first = 128;
  for (const char* name : {"--der", "--flooding-by-rule", "--seed", "--max-latency", "--simulations",
                           "--budget", "--rollouts", "--resume", "--max-accuracy-loss"}) {
    command.get_option(name)->group("Options of policies other than exact");
  }
  for (const char* name : {"--profile", "--bandwidth", "--round-trip"})
    command.get_option(name)->group("Options of predictions");
  for (const char* name : {"--sign", "--password-file", "--uncompressed"})
    command.get_option(name)->group("Options of the written packages");
}

}  // namespace ap::cli
