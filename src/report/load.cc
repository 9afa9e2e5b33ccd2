#include "report/load.h"

#include <filesystem>

#include "analysis/measurement/measure_noise.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json_reader.h"
#include "package/package.h"
#include "report/read_json.h"
#include "report/read_package.h"

namespace ap::report {
namespace {

namespace fs = std::filesystem;

// Of JSON files and of what they become.
constexpr std::uint64_t kMostJsonBytes = std::uint64_t{64} << 20, kMostTreeBytes = std::uint64_t{256} << 20;
// Blanks before the first bracket of a JSON file, and that bracket.
constexpr std::size_t kStartBytes = 4096;

struct Input {
  std::string name;  ///< of the network, or empty
  fs::path path;
};

Input input_of(const std::string& argument) {
  std::error_code ignored;
  const std::size_t equals = argument.find('=');
  if (equals == std::string::npos || equals == 0 || fs::exists(argument, ignored)) return {"", argument};
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

bool is_json(ByteView bytes) {
  for (const std::uint8_t byte : bytes) {
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') continue;
    return byte == '{' || byte == '[';
  }
  return false;
}

/// The directory that a file lies in, as a name.
std::string folder_of(const fs::path& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).parent_path().filename().string();
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : options_(options) {}

  void add(const Input& input) {
    std::error_code error;
    if (!fs::is_directory(input.path, error)) return add_file(input.path, input.name);
    const fs::path server = input.path / "server.apm", client = input.path / "client.apm",
                   search = input.path / "search.json", results = input.path / "results.json";
    bool any = false;
    const auto add_if = [&](const fs::path& path, const std::string& name) {
      if (!fs::is_regular_file(path, error)) return false;
      add_file(path, name);
      return any = true;
    };
    if (!add_if(server, input.name)) add_if(client, input.name);
    const std::string network = any && !data.plans.empty() ? data.plans.back().network : input.name;
    add_if(search, network);
    add_if(results, "");
    if (!any) {
      fail_input(
          "{} holds no server.apm, client.apm, search.json or results.json; give a directory that compile "
          "wrote, or a file",
          input.path.string());
    }
  }

  Data data;

 private:
  void add_file(const fs::path& path, const std::string& name) {
    const std::string source = path.string();
    if (is_json(read_start(path, kStartBytes))) {
      const Bytes bytes = read_file(path, kMostJsonBytes);
      const Json json =
          parse_json(bytes, source, {.max_bytes = kMostJsonBytes, .max_memory = kMostTreeBytes});
      return read_json(json, source, name.empty() ? folder_of(path) : name, data);
    }
    const package::Package package = package::load(path);
    PlanView view = view_of(package, source, folder_of(path));
    if (!name.empty()) view.network = name;
    if (options_.measure_noise && package.role == Party::server) {
      data.noise.push_back(analysis::measure_noise(package, source, view.network));
    }
    data.plans.push_back(std::move(view));
  }

  LoadOptions options_;
};

}  // namespace

Data load(const std::vector<std::string>& inputs, const LoadOptions& options) {
  if (inputs.empty()) {
    fail_input("report has no input; give compiled directories, server.apm, search.json or results.json");
  }
  Loader loader(options);
  for (const std::string& input : inputs) {
    loader.add(input_of(input));
    loader.data.sources.push_back(input);
  }
  match(loader.data);
  return std::move(loader.data);
}

}  // namespace ap::report
