// autoprivacy infer DIR/client.apm: private classification of images by a server.
// It calls app/ directly, which tells it more than the public interface does: what each layer costs, the scores in
// accumulator units, and a server in a child process.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>

#include "analysis/profile/profile_cache.h"
#include "app/audit.h"
#include "app/client.h"
#include "app/connect.h"
#include "app/local_server.h"
#include "app/publisher.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "cli/common.h"
#include "cli/signing.h"
#include "cli/table.h"
#include "nn/data/accuracy.h"
#include "protocol/hybrid/client.h"

namespace ap::cli {
namespace {

struct Options {
  std::string package, server, local, data, check, trust, authorities, store;
  std::string certificate, key, token_file, publisher;
  std::size_t prepare_only = 0;
  Selection selection;
  std::size_t top = 3;
  double deadline_s = 60, connect_s = 10;
  bool json = false;
};

/// The token of --token-file or of the environment, or none. A command line would show it to every user of
/// the machine.
SecretVector<char> token_of(const Options& options) {
  if (!options.token_file.empty()) return app::read_token(options.token_file);
  const char* variable = std::getenv("AUTOPRIVACY_TOKEN");
  return variable ? SecretVector<char>(variable, variable + std::strlen(variable)) : SecretVector<char>();
}

app::ConnectOptions connect_options(const Options& options) {
  app::ConnectOptions connect;
  connect.url = options.server;
  connect.trust = options.trust;
  connect.authorities = options.authorities;
  connect.certificate = options.certificate;
  connect.key = options.key;
  if (options.local.empty()) connect.token = token_of(options);
  const auto milliseconds = [](double s) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(s * 1e3));
  };
  connect.wait = milliseconds(options.connect_s);
  connect.deadline = milliseconds(options.deadline_s);
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

/// Connects, to a server of our own if asked, and calls talk(channel, our store or none).
void with_server(const Options& options, const package::Package& package,
                 const std::function<void(net::Channel&, protocol::PreprocessingStore*)>& talk) {
  const auto store = options.store.empty() ? nullptr : app::open_client_store(options.store, package.id, say);
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
  const std::unique_ptr<net::Channel> channel = app::connect(connect);
  talk(*channel, store.get());
  channel->close();
}

Json cost_json(const protocol::Cost& cost, bool server_told) {
  return {{"seconds", cost.seconds},
          {"client_cpu_s", cost.client_cpu_s},
          {"server_cpu_s", server_told ? Json(cost.server_cpu_s) : Json(nullptr)},
          {"bytes_up", cost.bytes_up},
          {"bytes_down", cost.bytes_down}};
}

Json memory_json(std::uint64_t client, std::uint64_t server) {
  return {{"client", client}, {"server", server > 0 ? Json(server) : Json(nullptr)}};
}

struct Results {
  const package::Package& package;
  const nn::Dataset& data;
  const app::RunResult& run;
  std::optional<double> top1;
  std::optional<app::Agreement> agreement;
};

/// Told when the session is over, so that the server learns nothing from it.
void complain_of_no_class(std::span<const int> labels) {
  const auto count = std::count(labels.begin(), labels.end(), protocol::kNoClass);
  if (count == 0) return;
  say(fmt::format(
      "the server's answer is no class for {} of {} images: it does not follow the protocol, so trust "
      "none of its answers",
      count, labels.size()));
}

Json json_of(const Results& r) {
  const auto images = static_cast<double>(r.run.labels.size());
  const bool told = r.run.mean.server_told;
  Json layers = Json::array();
  for (const protocol::LayerCost& layer : r.run.mean.layers) {
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"engine", layer.protocol},
                      {"offline", cost_json(layer.offline, told)},
                      {"online", cost_json(layer.online, told)}});
  }
  Json labels = Json::array(), names = Json::array();
  for (const int c : r.run.labels) {
    const bool none = c == protocol::kNoClass;
    labels.push_back(none ? Json(nullptr) : Json(c));
    names.push_back(none ? Json(nullptr) : Json(app::class_name(r.package, c)));
  }
  Json json = {{"images", r.run.labels.size()},
               {"top1", r.top1 ? Json(*r.top1) : Json(nullptr)},
               {"agree_clear", nullptr},
               {"max_abs_logit_error", nullptr},
               {"labels", std::move(labels)}};
  if (r.agreement) {
    json["agree_clear"] = static_cast<double>(r.agreement->same_class) / images;
    if (r.agreement->max_logit_error) json["max_abs_logit_error"] = *r.agreement->max_logit_error;
  }
  if (!r.package.labels.empty()) json["label_names"] = std::move(names);
  json["from_store"] = r.run.mean.from_store;
  json["offline"] = cost_json(r.run.mean.offline, told);
  json["online"] = cost_json(r.run.mean.online, told);
  json["layers"] = std::move(layers);
  json["peak_rss_bytes"] = memory_json(r.run.client_peak_rss, r.run.mean.server_peak_rss);
  return json;
}

std::string text_of(const Results& r, std::size_t top) {
  using enum Table::Align;
  const bool labelled = r.data.has_labels();
  std::vector<Table::Column> columns = {{"image"}};
  if (labelled) columns.push_back({"true label", left});
  const auto classes = static_cast<std::size_t>(r.package.network.output_shape().size());
  const bool labels_alone = r.run.logits.empty();
  const std::size_t shown = labels_alone ? 1 : std::min(top, classes);
  for (std::size_t k = 0; k < shown; ++k)
    columns.push_back({k == 0 ? "best" : fmt::format("#{}", k + 1), left});
  Table table(columns);
  const double scale = r.package.network.nodes.back().scale;
  for (std::size_t i = 0; i < r.run.labels.size(); ++i) {
    std::vector<std::string> cells = {fmt::format("{}", r.data.first + static_cast<std::int64_t>(i))};
    if (labelled) cells.push_back(app::class_name(r.package, r.data.labels[i]));
    if (labels_alone) {
      cells.push_back(app::class_name(r.package, r.run.labels[i]));
      table.row(std::move(cells));
      continue;
    }
    for (const std::size_t c : app::top_classes(r.run.logits[i], shown)) {
      cells.push_back(fmt::format("{} ({:.2f})", app::class_name(r.package, static_cast<int>(c)),
                                  static_cast<double>(r.run.logits[i][c]) * scale));
    }
    table.row(std::move(cells));
  }
  std::string out = table.text() + "\n";
  Table costs({{"per image", left}, {"wall"}, {"client CPU"}, {"server CPU"}, {"sent"}, {"received"}});
  const auto cost_row = [&](const char* name, const protocol::Cost& c) {
    costs.row({name, format_seconds(c.seconds), format_seconds(c.client_cpu_s),
               r.run.mean.server_told ? format_seconds(c.server_cpu_s) : "-",
               format_bytes(static_cast<double>(c.bytes_up)),
               format_bytes(static_cast<double>(c.bytes_down))});
  };
  protocol::Cost total = r.run.mean.offline;
  total += r.run.mean.online;
  const bool all_stored = r.run.mean.from_store == r.run.labels.size();
  cost_row(all_stored ? "offline (from store)" : "offline", r.run.mean.offline);
  cost_row("online", r.run.mean.online);
  cost_row("total", total);
  out += costs.text();
  out += fmt::format(
      "\npeak memory: client {}, server {}\n", format_bytes(static_cast<double>(r.run.client_peak_rss)),
      r.run.mean.server_peak_rss > 0 ? format_bytes(static_cast<double>(r.run.mean.server_peak_rss))
                                     : "not told");
  if (r.run.mean.from_store > 0) {
    out += fmt::format("prepared ahead, from the store: {} of {} inferences\n", r.run.mean.from_store,
                       r.run.labels.size());
  }
  if (r.top1) out += fmt::format("correct: {:.1f} % of {} images\n", 100 * *r.top1, r.run.labels.size());
  if (r.agreement) {
    out += fmt::format("same label as the clear network: {} of {}", r.agreement->same_class,
                       r.run.labels.size());
    if (r.agreement->max_logit_error) {
      out += fmt::format("; largest logit difference: {} accumulator units", *r.agreement->max_logit_error);
    }
    out += "\n";
  }
  return out;
}

void prepare_ahead(const Options& options, const package::Package& package) {
  app::PrepareResult result;
  with_server(options, package, [&](net::Channel& channel, protocol::PreprocessingStore* store) {
    result = app::prepare_only(package, channel, *store, options.prepare_only, terminal_progress());
  });
  if (options.json) {
    print(Json{{"prepared", result.stored},
               {"available", result.available},
               {"offline", cost_json(result.mean.offline, result.mean.server_told)},
               {"peak_rss_bytes", memory_json(result.client_peak_rss, result.mean.server_peak_rss)}});
    return;
  }
  const protocol::Cost& cost = result.mean.offline;
  print(fmt::format("prepared {} inferences, {} now in {}; each took {} and {} sent, {} received\n",
                    result.stored, result.available, options.store, format_seconds(cost.seconds),
                    format_bytes(static_cast<double>(cost.bytes_up)),
                    format_bytes(static_cast<double>(cost.bytes_down))));
}

void infer(const Options& options) {
  if (options.server.empty() == options.local.empty()) {
    fail_input("give either --server URL or --local DIR/server.apm");
  }
  if (options.data.empty() && options.prepare_only == 0) {
    fail_input("give --data with the images, or --prepare-only N to prepare inferences for later");
  }
  const auto publisher = app::publisher_from(options.publisher);
  const package::Package package =
      package::load(options.package, Party::client, publisher ? &*publisher : nullptr);
  app::require_security(app::audit(package));
  if (options.prepare_only > 0) {
    prepare_ahead(options, package);
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
  nn::Dataset data = options.selection.load(options.data, package.network.input_shape());
  const std::vector<app::Image> images = app::preprocess(package, data);
  wipe(data.bytes.data(), data.bytes.size());
  app::RunResult result;
  with_server(options, package, [&](net::Channel& channel, protocol::PreprocessingStore* store) {
    result =
        app::run_images(package, channel, images, {cost::cached_profile(), store, say}, terminal_progress());
  });
  complain_of_no_class(result.labels);

  Results results{package, data, result, {}, {}};
  if (data.has_labels()) results.top1 = nn::top1(result.labels, data.labels);
  if (clear) {
    results.agreement = result.logits.empty()
                            ? app::compare_with_clear(clear->network, images, std::span(result.labels))
                            : app::compare_with_clear(clear->network, images, std::span(result.logits));
  }
  if (options.json) {
    print(json_of(results));
  } else {
    print(text_of(results, options.top));
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
  command
      ->add_option("--prepare-only", options->prepare_only,
                   "Prepare this many inferences, store them and end")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(store)
      ->excludes(data)
      ->type_name("N");
  options->selection.add_options(*command);
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
  command->add_option("--connect-deadline", options->connect_s, "Longest wait for a connection, in seconds")
      ->check(CLI::Range(0.1, 3'600.0))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { infer(*options); }; });
}

}  // namespace ap::cli
