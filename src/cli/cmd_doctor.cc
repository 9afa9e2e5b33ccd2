// autoprivacy doctor: what is wrong with this machine, package or connection, and what to do about it.
#include "app/doctor.h"
#include "base/printable.h"
#include "cli/common.h"
#include "cli/doctor.h"

namespace ap::cli {
namespace {

using Level = app::Finding::Level;

struct Options {
  app::DoctorOptions look;
  std::string token_file;
  bool json = false;
};

const char* name_of(Level level) {
  return level == Level::good ? "good" : level == Level::warning ? "warning" : "problem";
}

/// The status of the first problem, as the command that meets it would end; 0 if there is none.
int doctor(Options options) {
  if (!options.token_file.empty()) options.look.connect.token = app::read_token(options.token_file);
  const std::vector<app::Finding> findings = app::diagnose(options.look);
  int status = 0;
  Json list = Json::array();
  std::string text;
  std::size_t troubles = 0;
  for (const app::Finding& f : findings) {
    if (status == 0) status = f.exit_status;
    troubles += f.level == Level::good ? 0 : 1;
    list.push_back({{"check", f.check},
                    {"level", name_of(f.level)},
                    {"finding", f.sentence},
                    {"next", f.next.empty() ? Json(nullptr) : Json(f.next)},
                    {"exit_status", f.exit_status}});
    text += fmt::format("{:<8} {:<12} {}\n", name_of(f.level), f.check, printable(f.sentence));
    if (!f.next.empty()) text += fmt::format("{:<21} next: {}\n", "", printable(f.next));
  }
  if (options.json) {
    print(Json{{"findings", std::move(list)}, {"exit_status", status}});
  } else {
    print(text + fmt::format("{} checks, {} to look at\n", findings.size(), troubles));
  }
  return status;
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("doctor", "Look for what is wrong with this machine, a package or a connection");
  command->add_option("package", options->look.package, "client.apm or server.apm")->type_name("PACKAGE");
  command
      ->add_option("--server", options->look.connect.url, "Reach this server, and greet it with the package")
      ->type_name("URL");
  auto* trust =
      command->add_option("--trust", options->look.connect.trust, "As of infer")->type_name("FILE|HEX");
  command->add_option("--ca", options->look.connect.authorities, "As of infer")
      ->excludes(trust)
      ->type_name("FILE");
  command->add_option("--token-file", options->token_file, "As of infer")->type_name("FILE");
  command->add_option("--store", options->look.store, "Directory of prepared inferences")->type_name("DIR");
  command->add_option("--clients", options->look.clients, "File of clients, as of serve")->type_name("FILE");
  command->add_option("--tls-cert", options->look.tls_certificate, "As of serve")->type_name("FILE");
  command->add_option("--tls-key", options->look.tls_key, "As of serve")->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] {
    action = [options] {
      if (const int status = doctor(*options); status != 0) throw ToldFailure{status};
    };
  });
}

}  // namespace ap::cli
