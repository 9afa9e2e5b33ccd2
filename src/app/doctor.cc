#include "app/doctor.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>

#include "app/audit.h"
#include "app/client.h"
#include "app/clients.h"
#include "app/memory.h"
#include "app/server.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/files.h"
#include "base/parallel.h"
#include "base/system_limits.h"
#include "protocol/hybrid/messages.h"

namespace ap::app {
namespace {

using Level = Finding::Level;

constexpr double kMegabyte = 1e6;
// A server with the default number of sessions, and some to spare.
constexpr std::size_t kFewDescriptors = 128;
// 2025-01-01; no version of this program is older.
constexpr std::int64_t kEarliest = 1'735'689'600;

class Examination {
 public:
  explicit Examination(const DoctorOptions& options) : options_(options) {}
  std::vector<Finding> run();

 private:
  void good(const char* check, std::string sentence) {
    findings_.push_back({check, Level::good, std::move(sentence), {}, 0});
  }
  void warn(const char* check, std::string sentence, std::string next) {
    findings_.push_back({check, Level::warning, std::move(sentence), std::move(next), 0});
  }
  void trouble(const char* check, std::string sentence, std::string next, ErrorCode code) {
    findings_.push_back(
        {check, Level::problem, std::move(sentence), std::move(next), static_cast<int>(code)});
  }
  /// Runs one check; what it throws is a problem, whose sentence names the next step itself.
  void check(const char* name, const char* next, const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      trouble(name, error.what(), next, error.code());
    } catch (const std::exception& error) {
      trouble(name, error.what(), "report this sentence", ErrorCode::internal);
    }
  }
  void clock();
  void machine();
  void memory();
  void package();
  void server_files();
  void store();
  void server();

  const DoctorOptions& options_;
  std::optional<package::Package> package_;
  std::vector<Finding> findings_;
};

void Examination::clock() {
  using namespace std::chrono;
  const auto now = system_clock::now();
  if (duration_cast<seconds>(now.time_since_epoch()).count() < kEarliest) {
    return trouble(
        "clock", "the clock says a time before this program was written, so certificates seem not valid yet",
        "set it, for example with `timedatectl set-ntp true`", ErrorCode::security);
  }
  std::error_code error;
  const auto written = std::filesystem::last_write_time(options_.package, error);
  if (!options_.package.empty() && !error &&
      written > std::filesystem::file_time_type::clock::now() + hours(24)) {
    return warn("clock", "the package is from the future, by this machine's clock",
                "compare `date -u` with another clock");
  }
  good("clock", "the clock says a plausible time");
}

void Examination::machine() {
  good("versions", fmt::format("protocol version {}", protocol::kProtocolVersion));
  const CpuFeatures& f = cpu();
  const char* capped = std::getenv("AUTOPRIVACY_CPU");
  const char* best = f.ifma ? "AVX-512 IFMA" : f.avx512 ? "AVX-512" : f.avx2 ? "AVX2" : "none";
  if (capped && *capped) {
    warn("vectors", fmt::format("AUTOPRIVACY_CPU={} caps the vector instructions; in use: {}", capped, best),
         "unset it unless that is meant");
  } else if (!f.avx2 || !f.aes) {
    warn("vectors",
         fmt::format("this processor has no {}: inferences take several times as long",
                     f.avx2 ? "AES" : "AVX2"),
         "use a machine of the last ten years, or let the virtual machine show its host's processor");
  } else {
    good("vectors", fmt::format("vector instructions in use: {}", best));
  }
  const std::size_t cores = std::thread::hardware_concurrency(), used = thread_count();
  if (used < cores) {
    warn("cores", fmt::format("{} of {} cores are used", used, cores),
         "unset AUTOPRIVACY_THREADS unless that is meant");
  } else {
    good("cores", fmt::format("{} cores", used));
  }
  const Descriptors d = descriptors();
  if (d.limit < kFewDescriptors) {
    warn("descriptors", fmt::format("only {} files may be open; a server takes fewer sessions then", d.limit),
         "raise the limit: `ulimit -n 1024`, or LimitNOFILE= of the service");
  } else {
    good("descriptors", fmt::format("{} files may be open", d.limit));
  }
}

void Examination::package() {
  if (options_.package.empty()) return;
  check("package", "copy it again, or compile the network again", [&] {
    package_ = package::load(options_.package);
    require_security(audit(*package_));
    const bool serves = package_->role == Party::server;
    if (serves && others_may_read(options_.package)) {
      return warn(
          "package",
          fmt::format("{} holds the weights and may be read by other users", options_.package.string()),
          "`chmod 600` makes it yours alone");
    }
    good("package", fmt::format("the {}'s package {} has at least 128 bits of security",
                                serves ? "server" : "client", package::to_hex(package_->id).substr(0, 16)));
  });
}

void Examination::memory() {
  const std::optional<std::uint64_t> left = available_memory();
  if (!left) return warn("memory", "how much memory is left cannot be read", "see /proc/meminfo");
  const auto megabytes = [](std::uint64_t bytes) { return static_cast<double>(bytes) / kMegabyte; };
  if (!package_) return good("memory", fmt::format("{:.0f} MB of memory are left", megabytes(*left)));
  const Memory needs = memory_of(*package_);
  const bool serves = package_->role == Party::server;
  const std::uint64_t least = serves ? needs.server + needs.session : needs.client;
  const std::string what =
      serves ? fmt::format("a server with one session takes up to {:.0f} MB, each further session {:.0f}",
                           megabytes(least), megabytes(needs.session))
             : fmt::format("a client takes up to {:.0f} MB", megabytes(least));
  if (*left < least) {
    return trouble("memory", fmt::format("{:.0f} MB of memory are left, but {}", megabytes(*left), what),
                   "close other programs or use a machine with more memory", ErrorCode::input);
  }
  good("memory", fmt::format("{:.0f} MB of memory are left; {}", megabytes(*left), what));
}

void Examination::server_files() {
  if (!options_.clients.empty()) {
    check("clients", "`autoprivacy clients` adds and lists clients", [&] {
      ClientsFile file(options_.clients);
      bool changed = false;
      std::string complaint;
      const std::size_t count = file.now(changed, complaint)->size();
      if (count == 0)
        return warn("clients", "no client may connect", "`autoprivacy clients FILE --add NAME` adds one");
      good("clients", fmt::format("{} clients may connect", count));
    });
  }
  if (options_.tls_certificate.empty() && options_.tls_key.empty()) return;
  check("tls", "ask whoever issued the certificate", [&] {
    identity_from(options_.tls_certificate, options_.tls_key);
    good("tls", "certificate and key belong together");
  });
}

void Examination::store() {
  if (options_.store.empty()) return;
  std::error_code error;
  if (!std::filesystem::exists(options_.store, error)) {
    return good("store", fmt::format("{} is not there and will be made", options_.store.string()));
  }
  check("store", "name another directory, or make it yours alone with `chmod 700`", [&] {
    if (!package_) return warn("store", "the store is not opened without a package", "name the package too");
    const protocol::StoreOptions settings;
    protocol::PreprocessingStore opened(options_.store, package_->role, package_->id, settings);
    const std::size_t count = opened.ids().size();
    const auto space = std::filesystem::space(options_.store);
    constexpr std::uint64_t kLittle = 1'000'000'000;
    if (space.available < kLittle) {
      return warn("store",
                  fmt::format("only {:.0f} MB are free on its disk",
                              static_cast<double>(space.available) / kMegabyte),
                  "free space, or store fewer inferences");
    }
    good("store", fmt::format("{} inferences are stored for this package", count));
  });
}

void Examination::server() {
  if (options_.connect.url.empty()) return;
  std::unique_ptr<net::Channel> channel;
  check("server",
        "see that the server runs, that address and port are right, and whom --trust, --ca or a token names",
        [&] {
          channel = connect(options_.connect);
          good("server",
               "the server can be reached, shows the certificate that is trusted, and lets this client in");
        });
  if (!channel || !package_ || package_->role != Party::client) return;
  check("server", "copy the client.apm that belongs to the server's package", [&] {
    InferenceSession session(*package_, *channel);
    session.finish();
    channel->close();
    good("server", "the server serves this package and has a place for a session");
  });
}

std::vector<Finding> Examination::run() {
  clock();
  machine();
  package();
  memory();
  server_files();
  store();
  server();
  return std::move(findings_);
}

}  // namespace

std::vector<Finding> diagnose(const DoctorOptions& options) { return Examination(options).run(); }

}  // namespace ap::app
