// What --help shows, and what is said to somebody who called a command wrongly.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace ap::cli {

/// Options as a person reads them: "--queue N (0 to 10000; 32 if left out)", and descriptions in lines of at most 100 columns.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
  std::string make_option_desc(const CLI::Option* option) const override;
};

/// The words of a command line as the parser takes them: "help" is "--help", "help serve" is "serve --help".
std::vector<std::string> words_of(int argc, const char* const* argv);

/// The names of all commands.
std::vector<std::string> commands_of(const CLI::App& app);

/// What is wrong with the words, in one sentence without a full stop. An option that does not exist goes before all else.
std::string sentence_of(const CLI::App& app, const CLI::ParseError& error);

}  // namespace ap::cli
