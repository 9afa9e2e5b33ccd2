#include "app/web_pages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <array>

#include "app/local_server.h"
#include "base/error.h"
#include "base/files.h"
#include "crypto/sha256.h"

namespace ap::app {
namespace {

constexpr std::size_t kMaxFiles = 256;
constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 20;
constexpr const char* kPackageType = "application/octet-stream";

constexpr std::pair<std::string_view, const char*> kTypes[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".wasm", "application/wasm"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
};

/// Nothing comes from elsewhere and nothing runs or looks different by what is written in the page itself; WebAssembly may
/// be compiled. The two policies named cross-origin give the page's workers memory that they share, and keep other sites
/// from opening it beside themselves.
constexpr std::pair<const char*, const char*> kHeaders[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
     "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Embedder-Policy", "require-corp"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"Cache-Control", "no-cache"},
    {"Vary", "Accept-Encoding"},
};

Bytes gzipped(ByteView content) {
  constexpr int kWindowWithGzipHead = 15 + 16, kMemory = 9;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kWindowWithGzipHead, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    fail(ErrorCode::internal, "zlib cannot be started");
  Bytes out(deflateBound(&stream, static_cast<uLong>(content.size())));
  stream.next_in = const_cast<Bytef*>(content.data());  // zlib reads it only
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) fail(ErrorCode::internal, "zlib cannot compress {} bytes", content.size());
  return out;
}

const char* type_of(const std::filesystem::path& file) {
  const auto* const found =
      std::ranges::find(kTypes, file.extension().string(), [](const auto& type) { return type.first; });
  return found == std::end(kTypes) ? nullptr : found->second;
}

net::Page with_headers(unsigned status) {
  net::Page page;
  page.status = status;
  for (const auto& [name, value] : kHeaders) page.headers.emplace_back(name, value);
  return page;
}

net::Page sentence(unsigned status, std::string_view text) {
  net::Page page = with_headers(status);
  page.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  page.body = std::make_shared<const Bytes>(text.begin(), text.end());
  return page;
}

/// Whether a list of encodings (RFC 9110, section 12.5.3) has gzip and does not forbid it.
bool takes_gzip(std::string_view encodings) {
  const std::size_t at = encodings.find("gzip");
  if (at == encodings.npos) return false;
  std::string_view rest = encodings.substr(at + 4);
  rest = rest.substr(0, rest.find(','));
  return rest.find("q=0") == rest.npos || rest.find("q=0.") != rest.npos;
}

WebPages::File file_of(const std::string& type, Bytes content) {
  WebPages::File file;
  file.type = type;
  const auto digest = crypto::sha256(content);
  file.tag = fmt::format("\"{:02x}\"", fmt::join(digest.begin(), digest.begin() + 16, ""));
  Bytes packed = gzipped(content);
  if (packed.size() < content.size()) file.packed = std::make_shared<const Bytes>(std::move(packed));
  file.plain = std::make_shared<const Bytes>(std::move(content));
  return file;
}

}  // namespace

WebPages::WebPages(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error))
    fail_input("there is no folder {} with a page to serve", folder.string());
  std::uint64_t total = 0;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().string().starts_with('.')) {
      if (at->is_directory(error)) at.disable_recursion_pending();
      continue;
    }
    const char* const type = type_of(at->path());
    if (!type || at->is_symlink(error) || !at->is_regular_file(error)) continue;
    Bytes content = read_file(at->path(), kMaxBytes);
    total += content.size();
    if (files_.size() >= kMaxFiles || total > kMaxBytes) {
      fail_input(
          "{} has more than {} files or {} MiB, which is no page to serve; give the folder of the page alone",
          folder.string(), kMaxFiles, kMaxBytes >> 20);
    }
    files_[fmt::format("/{}", at->path().lexically_relative(folder).generic_string())] =
        file_of(type, std::move(content));
  }
  if (error) fail_input("cannot read {}: {}", folder.string(), error.message());
  const auto index = files_.find("/index.html");
  if (index == files_.end()) fail_input("{} has no index.html", folder.string());
  files_["/"] = index->second;
}

WebPages::File WebPages::package_file(const package::Package& server) {
  return file_of(kPackageType, client_package_of(server));
}

void WebPages::add_package(const std::string& name, File package) {
  files_[fmt::format("/{}", name)] = std::move(package);
}

net::Page WebPages::answer(const net::PageRequest& request) const {
  if (request.method != "GET" && request.method != "HEAD") {
    net::Page page = sentence(405, "Only GET and HEAD are answered here.\n");
    page.headers.emplace_back("Allow", "GET, HEAD");
    return page;
  }
  const auto found = files_.find(request.target.substr(0, request.target.find('?')));
  if (found == files_.end()) return sentence(404, "There is no such page here.\n");
  const File& file = found->second;
  const bool known = request.known.find(file.tag) != std::string_view::npos;
  net::Page page = with_headers(known ? 304 : 200);
  page.headers.emplace_back("ETag", "W/" + file.tag);  // weak: the same of both encodings
  if (known) return page;
  page.headers.emplace_back("Content-Type", file.type);
  page.body = file.plain;
  if (file.packed && takes_gzip(request.encodings)) {
    page.headers.emplace_back("Content-Encoding", "gzip");
    page.body = file.packed;
  }
  page.only_head = request.method == "HEAD";
  return page;
}

Bytes client_package_of(const package::Package& server) {
  package::Package stripped = server;
  for (nn::QNode& node : stripped.network.nodes) {
    if (auto* linear = std::get_if<nn::QLinear>(&node.op)) {
      linear->weights.clear();
      linear->bias.clear();
    }
  }
  const package::Pair pair = package::make_packages(stripped);
  if (pair.id != server.id) {
    fail(ErrorCode::internal, "the client's package made of package {} has the id {}",
         package::to_hex(server.id), package::to_hex(pair.id));
  }
  return package::without_compression(pair.client, "client.apm");
}

std::filesystem::path default_web_folder() {
  const std::filesystem::path here = this_program().parent_path();
  for (const auto& folder : {here / "../share/autoprivacy/web", here / "../wasm/web"}) {
    std::error_code error;
    if (std::filesystem::is_regular_file(folder / "index.html", error))
      return std::filesystem::canonical(folder);
  }
  fail_input(
      "the page for browsers is not built: neither {0}/../share/autoprivacy/web nor {0}/../wasm/web has it; build it with "
      "`cmake --preset wasm && cmake --build --preset wasm --target web` or give --web its folder",
      here.string());
}

}  // namespace ap::app
