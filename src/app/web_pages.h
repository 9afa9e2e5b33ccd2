// The page that a server serves to browsers (docs/browser.md): the files of one folder, read once, and the packages of
// clients, all under headers that let the page do what it needs and no more.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/websocket/page.h"
#include "package/package.h"

namespace ap::app {

class WebPages {
 public:
  /// Reads every file below `folder` that has a known ending (.html, .css, .js, .wasm, .svg, .png, .json), at most 256 of
  /// at most 64 MiB together. Hidden files and links are left out.
  /// @throws Error(input) if there is no such folder, it has no index.html, or more than that.
  explicit WebPages(const std::filesystem::path& folder);

  /// What is sent of one file; copies share its bytes.
  struct File {
    std::string type, tag;
    std::shared_ptr<const Bytes> plain, packed;  ///< packed: by gzip; none if that is no shorter
  };
  /// The client's package of a network, without compression of its own.
  /// @throws Error(internal) if the server's package does not say the same in public as its client's.
  static File package_file(const package::Package& server);
  /// Serves such a file at /NAME.
  void add_package(const std::string& name, File package);

  /// Answers GET and HEAD: 200, 304 if the client has it, 404, 405.
  net::Page answer(const net::PageRequest& request) const;

 private:
  std::map<std::string, File, std::less<>> files_;  ///< by path, "/" first
};

/// The client's package that belongs to a server's, uncompressed, for clients without Zstandard.
Bytes client_package_of(const package::Package& server);

/// Where `--web default` finds the page: beside the program as it was installed, or as it was built.
/// @throws Error(input) that says how to build it, if it is in neither place.
std::filesystem::path default_web_folder();

}  // namespace ap::app
