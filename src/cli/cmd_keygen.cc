// autoprivacy keygen --out NAME: a key pair to sign packages with.
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "cli/common.h"
#include "cli/signing.h"

namespace ap::cli {
namespace {

struct Options {
  std::string out, password_file;
  bool no_password = false, json = false;
};

ByteView bytes_of(const auto& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void keygen(const Options& options) {
  const std::string secret_file = options.out + ".key", public_file = options.out + ".pub";
  for (const std::string& file : {secret_file, public_file}) {
    std::error_code ignored;
    // A key that is lost cannot be made again.
    if (std::filesystem::exists(file, ignored)) fail_input("{} is there already; choose another name", file);
  }
  SecretVector<char> password;
  if (!options.no_password) {
    password = read_password(options.password_file, "for " + secret_file, true);
    if (password.empty()) fail_input("the password is empty; --no-password makes a key without one");
  }
  const package::SecretKey key = package::make_key();
  const package::PublicKey shared = key.public_key();
  write_file(secret_file, bytes_of(package::to_text(key, {password.data(), password.size()})));
  write_file(public_file, bytes_of(package::to_text(shared)), Readers::everyone);
  if (options.json) {
    print(Json{
        {"secret_key", secret_file}, {"public_key", public_file}, {"publisher", package::to_line(shared)}});
  } else {
    print(fmt::format("{} signs (keep it), {} or {} checks (give it to clients over a channel they trust)\n",
                      secret_file, public_file, package::to_line(shared)));
  }
}

}  // namespace

void add_keygen(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("keygen", "Make a key pair to sign packages with, in minisign's format");
  command->add_option("--out", options->out, "Writes NAME.key and NAME.pub")->required()->type_name("NAME");
  auto* password_file =
      command->add_option("--password-file", options->password_file, "Its password, instead of asking for it")
          ->type_name("FILE");
  command->add_flag("--no-password", options->no_password, "Who reads NAME.key can sign")
      ->excludes(password_file);
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, &action] { action = [options] { keygen(*options); }; });
}

}  // namespace ap::cli
