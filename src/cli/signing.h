// Keys that packages are signed and checked with, as the commands take them: files, a password without echo.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "package/minisign.h"

namespace ap::cli {

inline constexpr const char* kPasswordVariable = "AUTOPRIVACY_KEY_PASSWORD";

/// From the file if there is one, else from the environment (kPasswordVariable), else typed at the terminal
/// without echo; `twice` asks again and wants the same. `what` says what the password is for.
/// @throws Error(input) if there is no terminal either, Error(security) if others may read the file.
SecretVector<char> read_password(const std::string& file, const std::string& what, bool twice);

/// A secret key, with its password if it needs one.
/// @throws Error(input) if it cannot be read or opened, Error(security) if others may read it.
package::SecretKey load_secret_key(const std::string& path, const std::string& password_file);

/// The option --publisher, for app::publisher_from.
void add_publisher(CLI::App& command, std::string& text);

}  // namespace ap::cli
