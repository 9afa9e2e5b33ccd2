// Floods a live server, in this process and under the sanitizers, with mutated frames of honest sessions over
// TLS WebSockets, and says whether it still serves and how much memory it holds (docs/fuzzing.md).
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <fstream>
#include <thread>

#include "app/client.h"
#include "app/server.h"
#include "flood/frames.h"
#include "fuzz/support/tls_session.h"
#include "net/channel/recording_channel.h"
#include "net/websocket/websocket.h"
#include "tests/app/small_network.h"

extern "C" const char* __asan_default_options();
/// What is freed is kept back for a while; less of it, so that growth shows.
extern "C" const char* __asan_default_options() { return "quarantine_size_mb=16"; }

namespace ap::fuzz {
namespace {

double resident_mib() {
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

/// Frames of one connection that echo what they hold: as many as a server answers.
constexpr std::size_t kMostProbes = 64;

struct Totals {
  std::atomic<std::uint64_t> frames = 0, mutated = 0, connections = 0, refused = 0;
};

class Flood {
 public:
  explicit Flood(std::uint64_t wanted) : wanted_(wanted) {
    app::ServerConfig config;
    config.max_sessions = 64;
    config.deadline = std::chrono::seconds(10);
    server_ = std::make_unique<app::Server>(compiled_.package, config);
    serving_ = std::thread([this] { server_->run(); });
  }
  ~Flood() {
    server_->stop();
    serving_.join();
  }

  /// One honest session with one image; its frames are what the flood mutates. On a machine that is busy with
  /// other things a handshake may come too late: three are tried.
  bool serves() {
    for (int left = 2;; --left) {
      try {
        return serves_once();
      } catch (const Error& error) {
        fmt::print("the honest client: {}\n", error.what());
        if (left == 0) return false;
      }
    }
  }

  void attack(std::uint64_t seed) {
    Random random(seed);
    while (totals.mutated < wanted_) connection(random);
  }

  Totals totals;

 private:
  bool serves_once() {
    const auto images = app::small_inputs(compiled_.package, 1);
    net::RecordingChannel channel(
        net::connect("wss://" + server_->address(), net::TlsTrust::pinned_certificate(server_->fingerprint()),
                     std::chrono::seconds(30)),
        net::RecordingChannel::Keep::messages);
    const package::Package client = package::parse(compiled_.files.client, "client.apm");
    const app::RunResult result = app::run_images(client, channel, images);
    session_.clear();
    for (net::RecordedMessage& m : channel.messages()) {
      if (m.direction == net::Direction::sent) session_.push_back({m.type, std::move(m.payload)});
    }
    return app::compare_with_clear(compiled_.package.network, images, result.logits).same_class == 1;
  }

  void connection(Random& random) {
    ++totals.connections;
    TlsClient client(port());
    Bytes answer(4096);
    if (!client.open() || !client.write(upgrade_request()) || client.read(answer) == 0) {
      ++totals.refused;
      return;
    }
    const auto send = [&](const Bytes& frame, bool mutated) {
      if (!client.write(frame)) return false;
      ++totals.frames;
      totals.mutated += mutated ? 1 : 0;
      return true;
    };
    // Some connections follow an honest session for a while; most send many frames that a session takes at
    // any time.
    const std::size_t honest =
        random() % 8 == 0 ? random() % session_.size() : std::min<std::size_t>(random() % 4, 2);
    bool open = true;
    for (std::size_t i = 0; open && i < honest; ++i)
      open = send(websocket_frame(message_bytes(session_[i])), false);
    if (honest == 2) {
      const std::size_t probes = random() % kMostProbes;
      for (std::size_t i = 0; open && i < probes; ++i) open = send(probe(random), true);
    }
    // One connection in four sends on after what must end it.
    const std::size_t last = random() % 4 == 0 ? random() % 16 : 0;
    for (std::size_t i = 0; open && i <= last; ++i) {
      open = send(mutated_frame(session_, std::min(honest + i, session_.size() - 1), random), true);
    }
    client.finish();
    while (client.read(answer) > 0) continue;
  }

  /// A command to echo, and bytes of any content, in one write.
  Bytes probe(Random& random) {
    Bytes content(1 + random() % 64);
    for (std::uint8_t& byte : content) byte = static_cast<std::uint8_t>(random());
    Bytes both = websocket_frame(message_bytes({0x0102, {3}}));
    const Bytes second = websocket_frame(message_bytes({0x0103, content}));
    both.insert(both.end(), second.begin(), second.end());
    return both;
  }

  std::uint16_t port() const {
    return static_cast<std::uint16_t>(
        std::stoi(server_->address().substr(server_->address().rfind(':') + 1)));
  }

  const std::uint64_t wanted_;
  const app::Compiled compiled_ = app::compile_small();
  std::unique_ptr<app::Server> server_;
  std::thread serving_;
  std::vector<SentMessage> session_;
};

int run(std::uint64_t frames, unsigned threads, std::uint64_t seed) {
  Flood flood(frames);
  if (!flood.serves()) {
    fmt::print("the server does not serve before the flood\n");
    return 1;
  }
  std::vector<std::thread> attackers;
  for (unsigned i = 0; i < threads; ++i)
    attackers.emplace_back([&flood, seed, i] { flood.attack(seed + i); });
  double at_tenth = 0, at_end = 0;
  for (const unsigned percent : {10U, 50U, 100U}) {
    while (flood.totals.mutated < frames * percent / 100)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    at_end = resident_mib();
    if (percent == 10) at_tenth = at_end;
    fmt::print("{:3} %: {} mutated frames of {} on {} connections ({} not let in), {:.0f} MiB resident\n",
               percent, flood.totals.mutated.load(), flood.totals.frames.load(),
               flood.totals.connections.load(), flood.totals.refused.load(), at_end);
    std::fflush(stdout);
  }
  for (std::thread& thread : attackers) thread.join();
  const bool serves = flood.serves();
  const bool flat = at_end < 1.1 * at_tenth + 16;
  fmt::print("an honest client is {}; memory {}\n", serves ? "served" : "NOT served",
             flat ? "is flat" : "GREW");
  return serves && flat ? 0 : 1;
}

}  // namespace
}  // namespace ap::fuzz

int main(int argc, char** argv) {
  CLI::App app("Floods a server in this process with mutated frames");
  std::uint64_t frames = 1'000'000, seed = 1;
  unsigned threads = 2;
  app.add_option("--frames", frames, "Mutated frames to send");
  app.add_option("--threads", threads, "Connections at a time")->check(CLI::Range(1, 16));
  app.add_option("--seed", seed, "Of all that is random");
  CLI11_PARSE(app, argc, argv);
  return ap::fuzz::run(frames, threads, seed);
}
