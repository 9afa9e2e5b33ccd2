// autoprivacy report ... -o report.html: draws plans, searches and measurements as one HTML file.
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/files.h"
#include "cli/common.h"
#include "cli/table.h"
#include "report/load.h"
#include "report/page.h"

namespace ap::cli {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string out = "report.html";
  report::LoadOptions load;
  bool no_noise = false, json = false;
};

void run_report(const Options& options) {
  report::LoadOptions load = options.load;
  load.measure_noise = !options.no_noise;
  const report::Data data = report::load(options.inputs, load);
  const std::string command =
      fmt::format("autoprivacy report {} -o {}", fmt::join(options.inputs, " "), options.out);
  const std::string html = report::page(data, command);
  write_file(options.out, ByteView(reinterpret_cast<const std::uint8_t*>(html.data()), html.size()),
             Readers::everyone);
  if (options.json) {
    print(Json{{"out", options.out},
               {"bytes", html.size()},
               {"networks", report::networks_of(data)},
               {"plans", data.plans.size()},
               {"rows", data.rows.size()},
               {"searches", data.searches.size()},
               {"noise_checks", data.noise.size()}});
  } else {
    print(fmt::format("written: {} ({}): {} plans, {} measured rows, {} searches\n", options.out,
                      format_bytes(static_cast<double>(html.size())), data.plans.size(), data.rows.size(),
                      data.searches.size()));
  }
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "Draw plans, searches and measurements as one HTML file");
  command
      ->add_option(
          "inputs", options->inputs,
          "Compiled directories, server.apm, search.json, results.json of bench/results, output of compile "
          "--json; NAME=PATH names the network")
      ->type_name("[NAME=]PATH");
  command->add_option("-o,--out", options->out, "The HTML file")->capture_default_str()->type_name("FILE");
  command->add_flag("--no-noise", options->no_noise,
                    "Do not measure the noise of real ciphertexts (seconds a package)");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { run_report(*options); }; });
}

}  // namespace ap::cli
