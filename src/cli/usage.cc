#include "cli/usage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "cli/suggestions.h"

namespace ap::cli {
namespace {

constexpr std::size_t kDescriptionColumns = 70;  // beside the 30 that names have

/// "N" and "0 to 10000" of the parser's "N:INT in [0 - 10000]".
std::pair<std::string, std::string> value_and_range(const std::string& type) {
  const std::size_t colon = type.find(':');
  std::string value = type.substr(0, colon);
  if (value == "INT" || value == "UINT") value = "N";
  if (value == "FLOAT") value = "NUMBER";
  if (colon == std::string::npos) return {value, ""};
  const std::size_t open = type.find(" in [", colon), between = type.find(" - ", colon);
  if (open == std::string::npos || between == std::string::npos || type.back() != ']')
    return {value, type.substr(colon + 1)};
  const std::size_t begin = open + 5;
  return {value,
          type.substr(begin, between - begin) + " to " + type.substr(between + 3, type.size() - between - 4)};
}

std::string names_of(const std::set<CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options) names.push_back(option->get_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool positional) const {
  const std::string name = CLI::Formatter::make_option_name(option, positional);
  return name.substr(0, name.find('{'));  // flags carry what they set
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  std::string out;
  std::vector<std::string> notes;
  if (option->get_type_size() != 0) {
    const auto [value, range] = value_and_range(option->get_type_name());
    if (!value.empty()) out += " " + value;
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) out += " ...";
    if (option->get_required()) notes.push_back("required");
    if (!range.empty()) notes.push_back(range);
    if (!option->get_default_str().empty()) notes.push_back(option->get_default_str() + " if left out");
  }
  if (!option->get_needs().empty()) notes.push_back("with " + names_of(option->get_needs()));
  if (!option->get_excludes().empty()) notes.push_back("not with " + names_of(option->get_excludes()));
  if (!notes.empty()) out += fmt::format(" ({})", fmt::join(notes, "; "));
  return out;
}

std::string HelpFormatter::make_option_desc(const CLI::Option* option) const {
  std::istringstream words(option->get_description());
  std::string out, word;
  std::size_t column = 0;
  while (words >> word) {
    const bool wrap = column > 0 && column + 1 + word.size() > kDescriptionColumns;
    if (column > 0) out += wrap ? '\n' : ' ';
    column = (wrap || column == 0 ? 0 : column + 1) + word.size();
    out += word;
  }
  return out;
}

std::vector<std::string> words_of(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.resize(std::min<std::size_t>(words.size(), 1));
    words.emplace_back("--help");
  }
  return words;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

std::string sentence_of(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<CLI::App*> chosen = app.get_subcommands();
  if (chosen.empty()) return error.what();
  const std::vector<std::string> left = app.remaining(true);
  const auto option =
      std::ranges::find_if(left, [](const std::string& word) { return word.starts_with('-'); });
  if (option == left.end()) return error.what();
  std::vector<std::string> names;
  for (const CLI::Option* known : chosen.front()->get_options()) {
    for (const std::string& name : known->get_lnames()) names.push_back("--" + name);
  }
  const std::string word = option->substr(0, option->find('='));
  return fmt::format("there is no option {} of {}{}", word, chosen.front()->get_name(),
                     did_you_mean(word, names));
}

}  // namespace ap::cli
