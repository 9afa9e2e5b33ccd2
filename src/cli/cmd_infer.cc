// autoprivacy infer DIR/client.apm: private classification of images by a server.
// It calls app/ directly, which tells it more than the public interface does: what each layer costs, the scores in
// accumulator units, and a server in a child process.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <optional>
#include <thread>

#include "analysis/profile/profile_cache.h"
#include "app/audit.h"
#include "app/client.h"
#include "app/connect.h"
#include "app/local_server.h"
#include "app/prepare_ahead.h"
#include "app/publisher.h"
#include "base/error.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/printable.h"
#include "base/progress.h"
#include "cli/common.h"
#include "cli/doctor.h"
#include "cli/he_infer.h"
#include "cli/infer_report.h"
#include "cli/signing.h"
#include "cli/table.h"
#include "nn/data/accuracy.h"
#include "nn/data/labels.h"
#include "package/envelope.h"
#include "protocol/hybrid/client.h"

namespace ap::cli {
namespace {

struct Options {
  std::string package, server, local, data, check, trust, authorities, store;
  std::string certificate, key, token_file, publisher, csv, profile = "typical";
  std::size_t prepare_only = 0, prepare_ahead = 0;
  Selection selection;
  std::size_t top = 3;
  double deadline_s = 60, connect_s = 10, wait_s = 300, store_mb = 0;
  bool json = false;
};

/// The token of --token-file or of the environment, or none. A command line would show it to every user of
/// the machine.
SecretVector<char> token_of(const Options& options) {
  if (!options.token_file.empty()) return app::read_token(options.token_file);
  const char* variable = std::getenv("AUTOPRIVACY_TOKEN");
  return variable ? SecretVector<char>(variable, variable + std::strlen(variable)) : SecretVector<char>();
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

app::ConnectOptions connect_options(const Options& options) {
  app::ConnectOptions connect;
  connect.url = options.server;
  connect.trust = options.trust;
  connect.authorities = options.authorities;
  connect.certificate = options.certificate;
  connect.key = options.key;
  if (options.local.empty()) connect.token = token_of(options);
  connect.wait = milliseconds(options.connect_s);
  connect.deadline = milliseconds(options.deadline_s);
  connect.may_queue = options.wait_s > 0;
  return connect;
}

/// Options of the server in a child process. It and this client are one user's, and it has no other client.
std::vector<std::string> local_options(const Options& options) {
  std::vector<std::string> local = {"--share-statistics", "process"};
  if (!options.store.empty()) {
    local.insert(local.end(), {"--store", (std::filesystem::path(options.store) / "server").string(),
                               "--store-limit", "1000000", "--store-client-limit", "1000000", "--store-days",
                               fmt::format("{}", protocol::StoreOptions().max_days)});
  }
  return local;
}

/// What the choice of protocols is made by: the same for classifying and preparing, and on every machine unless told.
cost::Profile profile_of(const Options& options) {
  if (options.profile == "typical") return cost::typical_profile();
  const Bytes bytes = read_file(options.profile, std::uint64_t{1} << 20);
  return cost::parse_profile(std::string(bytes.begin(), bytes.end()));
}

std::unique_ptr<protocol::PreprocessingStore> open_store(const Options& options,
                                                         const package::PackageId& id) {
  return app::open_client_store(options.store, id, say, static_cast<std::uint64_t>(options.store_mb * 1e6));
}

/// Says what changes while a client waits, and nothing twice in a row.
std::function<void(const protocol::Waiting&)> say_waiting() {
  return [last = std::string()](const protocol::Waiting& waiting) mutable {
    std::string sentence = app::sentence_of(waiting);
    if (sentence != last) say(sentence);
    last = std::move(sentence);
  };
}

/// Connects, to a server of our own if asked, and calls talk(channel, options with our store or none). Waits for a place as
/// long as --wait says.
void with_server(const Options& options, const package::PackageId& id,
                 const std::function<void(net::Channel&, const app::SessionOptions&)>& talk) {
  const auto store = options.store.empty() ? nullptr : open_store(options, id);
  app::ConnectOptions connect = connect_options(options);
  std::optional<app::LocalServer> local;
  if (!options.local.empty()) {
    local.emplace(app::this_program(), options.local, local_options(options));
    connect.url = local->url();
    connect.trust = local->ready().fingerprint;
    connect.authorities.clear();
    connect.certificate.clear();
    connect.key.clear();
  }
  app::SessionOptions session{profile_of(options), store.get(), say};
  session.on_wait = say_waiting();
  app::while_busy(
      milliseconds(options.wait_s),
      [&](std::chrono::milliseconds left) {
        session.patience = left;
        const std::unique_ptr<net::Channel> channel = app::connect(connect);
        talk(*channel, session);
        channel->close();
      },
      session.on_wait);
}

/// The answers to pictures unlike those that the network was calibrated with are not to be trusted.
void complain_of_saturation(const InferResults& r) {
  constexpr double kMuch = 0.01;
  const auto images =
      static_cast<std::size_t>(std::ranges::count_if(r.saturated, [](std::size_t n) { return n > 0; }));
  const auto values = static_cast<double>(r.saturated.size()) * static_cast<double>(r.data.shape.size());
  if (static_cast<double>(r.saturated_values()) <= kMuch * values) return;
  say(fmt::format(
      "warning: {:.1f} % of the values of the images ({} of {} images) lie outside the range that the network was "
      "calibrated for and were cut to its ends; is it the kind of data of --calibrate, with the same scale?",
      100 * static_cast<double>(r.saturated_values()) / values, images, r.saturated.size()));
}

/// Told when the session is over, so that the server learns nothing from it.
void complain_of_no_class(std::span<const int> labels) {
  const auto count = std::count(labels.begin(), labels.end(), protocol::kNoClass);
  if (count == 0) return;
  say(fmt::format(
      "the server's answer is no class for {} of {} images: it does not follow the protocol, so trust "
      "none of its answers",
      count, labels.size()));
}

void prepare_some(const Options& options, const package::Package& package) {
  app::PrepareResult result;
  with_server(options, package.id, [&](net::Channel& channel, const app::SessionOptions& session) {
    app::SessionOptions without_store = session;
    without_store.store = nullptr;
    result = app::prepare_only(package, channel, *session.store, options.prepare_only,
                               std::move(without_store), terminal_progress());
  });
  if (options.json) {
    print(Json{{"prepared", result.stored},
               {"available", result.available},
               {"activation_choice", result.choice},
               {"offline", cost_json(result.mean.offline, result.mean.server_told)},
               {"peak_rss_bytes", memory_json(result.client_peak_rss, result.mean.server_peak_rss)}});
    return;
  }
  const protocol::Cost& cost = result.mean.offline;
  print(fmt::format("prepared {} inferences, {} now in {}; each took {} and {} sent, {} received\n",
                    result.stored, result.available, options.store, format_seconds(cost.seconds),
                    format_bytes(static_cast<double>(cost.bytes_up)),
                    format_bytes(static_cast<double>(cost.bytes_down))) +
        printable(result.choice) + "\n");
}

/// Keeps the store filled until a signal comes, at a low priority: whatever else runs here goes first.
void keep_prepared(const Options& options, const package::Package& package) {
  constexpr int kLow = 10;
  const auto store = open_store(options, package.id);
  [[maybe_unused]] const int priority = ::nice(kLow);
  block_end_signals();
  app::AheadOptions ahead;
  ahead.connect = connect_options(options);
  ahead.profile = profile_of(options);
  ahead.count = options.prepare_ahead;
  ahead.notice = [](const std::string& sentence) { say(sentence + "; trying again later"); };
  app::PrepareAhead preparing(package, *store, std::move(ahead));
  std::exception_ptr failure;
  std::thread worker([&] {
    try {
      preparing.run();
    } catch (...) {
      failure = std::current_exception();
      ::kill(::getpid(), SIGTERM);
    }
  });
  wait_for_signal();
  preparing.stop();
  worker.join();
  if (failure) std::rethrow_exception(failure);
  const std::size_t available = store->ids().size();
  if (options.json) {
    print(Json{{"prepared", preparing.prepared()}, {"available", available}});
  } else {
    print(fmt::format("prepared {} inferences, {} now in {}\n", preparing.prepared(), available,
                      printable(options.store)));
  }
}

/// Leaves what belongs to the first images, which have answers.
void keep_first(std::size_t count, nn::Dataset& data, std::vector<app::Image>& images,
                std::vector<std::size_t>& saturated) {
  images.resize(count);
  saturated.resize(count);
  if (data.has_labels()) data.labels.resize(count);
  if (!data.names.empty()) data.names.resize(count);
}

/// A network that runs by homomorphic encryption alone: nothing is prepared ahead of images but keys.
void infer_alone(const Options& options, const he_only::Package& package) {
  if (options.data.empty() || !options.store.empty()) {
    fail_input(
        "{} runs by homomorphic encryption alone, which prepares nothing ahead: give --data, and no --store or --prepare",
        options.package);
  }
  HeInferArguments arguments{package,       options.data, options.selection,
                             options.check, options.top,  options.json};
  infer_he(arguments,
           [&](const std::function<void(net::Channel&, const protocol::he::ClientOptions&)>& talk) {
             with_server(options, package.id, [&](net::Channel& channel, const app::SessionOptions& session) {
               talk(channel, {session.patience, session.on_wait, {}});
             });
           });
}

void infer(const Options& options) {
  if (options.server.empty() == options.local.empty()) {
    fail_input("give either --server URL or --local DIR/server.apm");
  }
  if (options.data.empty() && options.prepare_only == 0 && options.prepare_ahead == 0) {
    fail_input(
        "give --data with the images, or --prepare-only N or --prepare-ahead N to prepare inferences for later");
  }
  const auto publisher = app::publisher_from(options.publisher);
  if (package::kind_of(options.package) == package::Kind::he) {
    return infer_alone(options,
                       he_only::load(options.package, Party::client, publisher ? &*publisher : nullptr));
  }
  const package::Package package =
      package::load(options.package, Party::client, publisher ? &*publisher : nullptr);
  app::require_security(app::audit(package));
  if (options.prepare_only > 0) {
    prepare_some(options, package);
    return;
  }
  if (options.prepare_ahead > 0) {
    keep_prepared(options, package);
    return;
  }
  std::optional<package::Package> clear;
  if (!options.check.empty()) {
    clear = package::load(options.check, Party::server);
    if (clear->id != package.id) {
      fail_input("{} belongs to another compilation than {}; compile the network again", options.check,
                 options.package);
    }
  }
  nn::Dataset data = options.selection.load(options.data, ends_of(package));
  if (const auto note = scale_note(nn::Normalization::parse(package.normalization), data); !note.empty())
    say("note: " + note);
  std::vector<app::Image> images = app::preprocess(package, data);
  std::vector<std::size_t> saturated = app::saturated(package, data);
  wipe(data.bytes.data(), data.bytes.size());
  wipe(data.floats.data(), data.floats.size() * sizeof(float));
  app::RunResult result;
  with_server(options, package.id, [&](net::Channel& channel, const app::SessionOptions& session) {
    result = app::run_until_lost(package, channel, images, session, terminal_progress());
  });
  const std::size_t asked = images.size();
  if (result.lost) keep_first(result.labels.size(), data, images, saturated);
  complain_of_no_class(result.labels);

  InferResults results{package, data, result, saturated, asked, {}, {}};
  complain_of_saturation(results);
  if (data.has_labels()) results.top1 = nn::top1(result.labels, data.labels);
  if (clear) {
    results.agreement = result.logits.empty()
                            ? app::compare_with_clear(clear->network, images, std::span(result.labels))
                            : app::compare_with_clear(clear->network, images, std::span(result.logits));
  }
  if (!options.csv.empty()) {
    const std::string csv = csv_of(results);
    write_file(options.csv, {reinterpret_cast<const std::uint8_t*>(csv.data()), csv.size()});
  }
  if (options.json) {
    print(json_of(results));
  } else {
    print(text_of(results, options.top));
  }
  if (result.lost) {
    say(sentence_of(results));
    throw ToldFailure{result.lost->exit_status()};
  }
}

}  // namespace

void add_infer(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("infer", "Classify images privately");
  command->add_option("package", options->package, "The client's package")
      ->required()
      ->type_name("client.apm");
  auto* server =
      command->add_option("--server", options->server, "wss://HOST:PORT of a server")->type_name("URL");
  command->add_option("--local", options->local, "Start a server for this package as a child process")
      ->excludes(server)
      ->type_name("server.apm");
  auto* data =
      command
          ->add_option("--data", options->data,
                       "Images: cifar10:FILE, cifar100:FILE, mnist:DIR, images:DIR, npy:X.npy[,Y.npy]")
          ->type_name("DATA");
  auto* store = command
                    ->add_option("--store", options->store,
                                 "Directory of inferences prepared ahead with this server; with --local the "
                                 "server's is DIR/server")
                    ->type_name("DIR");
  auto* prepare_only = command
                           ->add_option("--prepare-only", options->prepare_only,
                                        "Prepare this many inferences, store them and end")
                           ->check(CLI::Range(1, 1'000'000))
                           ->needs(store)
                           ->excludes(data)
                           ->type_name("N");
  command
      ->add_option(
          "--prepare-ahead", options->prepare_ahead,
          "Keep this many inferences in the store until interrupted, at a low priority and in places that no "
          "other client needs")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(store)
      ->needs(server)
      ->excludes(data)
      ->excludes(prepare_only)
      ->type_name("N");
  command->add_option("--store-size", options->store_mb, "MB that the directory may hold; without it, 64 GiB")
      ->check(CLI::Range(0.001, 1e9))
      ->needs(store)
      ->type_name("MB");
  options->selection.add_options(*command);
  options->selection.add_framing(*command);
  add_publisher(*command, options->publisher);
  command->add_option("--check", options->check, "Compare with the clear network of this package")
      ->type_name("server.apm");
  auto* trust = command
                    ->add_option("--trust", options->trust,
                                 "Accept exactly one certificate: a PEM file or a SHA-256 fingerprint")
                    ->type_name("FILE|HEX");
  command
      ->add_option("--ca", options->authorities,
                   "Accept certificates signed by an authority in this PEM file")
      ->excludes(trust)
      ->type_name("FILE");
  command
      ->add_option("--token-file", options->token_file,
                   "The token that the server's operator gave; the variable AUTOPRIVACY_TOKEN does as well")
      ->type_name("FILE");
  command->add_option("--cert", options->certificate, "PEM certificate that this client proves itself with")
      ->type_name("FILE");
  command->add_option("--key", options->key, "PEM private key of that certificate")->type_name("FILE");
  command->add_option("--top", options->top, "Labels shown for each image")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--deadline", options->deadline_s, "Longest wait for the server, in seconds")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  command
      ->add_option("--wait", options->wait_s,
                   "Longest wait in the server's queue, in seconds, when all its places are taken; 0: none")
      ->check(CLI::Range(0.0, 86'400.0))
      ->capture_default_str()
      ->type_name("S");
  command->add_option("--connect-deadline", options->connect_s, "Longest wait for a connection, in seconds")
      ->check(CLI::Range(0.1, 3'600.0))
      ->capture_default_str();
  command
      ->add_option(
          "--profile", options->profile,
          "Unit costs by which activations choose their protocol where the package leaves it open: typical, or a "
          "file of `profile --json`")
      ->capture_default_str()
      ->type_name("typical|FILE");
  command->add_option("--csv", options->csv, "Write the answers to this file too, a line for each image")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { infer(*options); }; });
}

}  // namespace ap::cli
