#include "app/status_page.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include "base/printable.h"

namespace ap::app {
namespace {

/// A label's value, as the format wants it: the name of a file may be any bytes, and the format is UTF-8.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : printable(text, Newlines::kept)) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return out;
}

class Metrics {
 public:
  void family(const char* name, const char* type, const char* help) {
    name_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  }
  template <typename Value>
  void value(Value value, const std::string& labels = {}) {
    text_ += labels.empty() ? fmt::format("{} {}\n", name_, value)
                            : fmt::format("{}{{{}}} {}\n", name_, labels, value);
  }
  template <typename Value>
  void metric(const char* name, const char* type, const char* help, Value v) {
    family(name, type, help);
    value(v);
  }
  /// One value for each network. @param get of NetworkFigures
  template <typename Get>
  void by_network(const ServerFigures& f, const char* name, const char* type, const char* help, Get get) {
    if (f.networks.empty()) return;
    family(name, type, help);
    for (const NetworkFigures& network : f.networks) {
      value(get(network),
            fmt::format("network=\"{}\",package=\"{}\"", escaped(network.name), network.package));
    }
  }
  const std::string& text() const { return text_; }

 private:
  const char* name_ = "";
  std::string text_;
};

void add_networks(Metrics& m, const ServerFigures& f) {
  using N = NetworkFigures;
  m.by_network(f, "autoprivacy_network_sessions", "gauge", "Sessions that run now, by network.",
               [](const N& n) { return n.sessions; });
  m.by_network(f, "autoprivacy_network_session_memory_bytes", "gauge",
               "Memory that a session of the network may take at most.",
               [](const N& n) { return n.session_bytes; });
  m.by_network(f, "autoprivacy_network_weights_bytes", "gauge", "Memory of the network's weights.",
               [](const N& n) { return n.weights_bytes; });
  m.by_network(f, "autoprivacy_network_sessions_started_total", "counter", "Sessions begun, by network.",
               [](const N& n) { return n.started; });
  m.by_network(f, "autoprivacy_network_sessions_failed_total", "counter",
               "Sessions that ended with an error, by network.", [](const N& n) { return n.failed; });
  m.by_network(f, "autoprivacy_network_inferences_prepared_total", "counter",
               "Inferences prepared, by network.", [](const N& n) { return n.prepared; });
  m.by_network(f, "autoprivacy_network_inferences_refused_total", "counter",
               "Preparations refused because a limit was reached, by network.",
               [](const N& n) { return n.refused_inferences; });
  m.by_network(f, "autoprivacy_network_inferences_total", "counter", "Inferences answered, by network.",
               [](const N& n) { return n.inferences; });
}

void add_process(Metrics& m) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  m.metric("process_cpu_seconds_total", "counter", "Processor time of the process.",
           seconds(usage.ru_utime) + seconds(usage.ru_stime));
  m.metric("process_max_resident_memory_bytes", "gauge", "Most memory that the process has had.",
           static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
}

}  // namespace

StatusPage status_page(std::string_view path, const ServerFigures& f) {
  if (path == "/healthz") return {200, "ok\n"};
  if (path == "/readyz") {
    if (f.ready) return {200, "ready\n"};
    if (f.stopping) return {503, "the server is stopping\n"};
    if (f.networks.empty()) return {503, "no network is served\n"};
    return {503, fmt::format("all {} sessions are taken, {} clients wait\n", f.max_sessions, f.waiting)};
  }
  if (path == "/metrics") return {200, metrics_text(f)};
  return {404, "here are /healthz, /readyz and /metrics\n"};
}

std::string metrics_text(const ServerFigures& f) {
  Metrics m;
  m.family("autoprivacy_info", "gauge", "The packages that are served, and the version of the protocol.");
  for (const NetworkFigures& network : f.networks)
    m.value(1, fmt::format("protocol=\"{}\",package=\"{}\"", f.protocol, network.package));
  m.metric("autoprivacy_ready", "gauge", "Whether a client would get a session now.", f.ready ? 1 : 0);
  m.metric("autoprivacy_sessions", "gauge", "Sessions that run now.", f.sessions);
  m.metric("autoprivacy_sessions_limit", "gauge", "Sessions that may run at a time.", f.max_sessions);
  m.metric("autoprivacy_clients_pending", "gauge", "Connections that have not greeted yet, or are leaving.",
           f.pending);
  m.metric("autoprivacy_clients_waiting", "gauge", "Clients that wait for a place now.", f.waiting);
  m.metric("autoprivacy_clients_waiting_limit", "gauge", "Clients that may wait at a time.", f.queue);
  m.metric("autoprivacy_sessions_started_total", "counter", "Sessions begun since the start.", f.started);
  m.metric("autoprivacy_sessions_failed_total", "counter", "Sessions that ended with an error.", f.failed);
  m.family("autoprivacy_clients_refused_total", "counter", "Clients that got no session, by reason.");
  m.value(f.refused_busy, "reason=\"busy\"");
  m.value(f.refused_package, "reason=\"package\"");
  m.value(f.refused_version, "reason=\"version\"");
  m.metric("autoprivacy_inferences_prepared_total", "counter", "Inferences prepared since the start.",
           f.prepared);
  m.metric("autoprivacy_inferences_refused_total", "counter",
           "Preparations refused because a limit was reached.", f.refused_inferences);
  m.metric("autoprivacy_inferences_total", "counter", "Inferences answered since the start.", f.inferences);
  m.metric("autoprivacy_uptime_seconds", "gauge", "Since the start.", f.uptime_s);
  add_networks(m, f);
  add_process(m);
  return m.text();
}

}  // namespace ap::app
