#include "app/connect.h"

#include <algorithm>
#include <cctype>
#include <thread>

#include "app/clients.h"
#include "base/error.h"
#include "base/files.h"
#include "base/secret_file.h"
#include "net/websocket/websocket.h"

namespace ap::app {
namespace {

constexpr std::uint64_t kMaxPemBytes = 1 << 20, kMaxTokenBytes = 1 << 10;

bool is_fingerprint(const std::string& text) {
  const auto digits =
      std::count_if(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c); });
  const auto colons = std::count(text.begin(), text.end(), ':');
  return digits == 64 && digits + colons == static_cast<std::ptrdiff_t>(text.size());
}

}  // namespace

net::TlsTrust trust_from(const std::string& trust, const std::filesystem::path& authorities) {
  if (!authorities.empty()) return net::TlsTrust::authorities_in(authorities);
  if (trust.empty()) return net::TlsTrust::system_authorities();
  if (is_fingerprint(trust)) return net::TlsTrust::pinned_certificate(trust);
  const Bytes pem = read_file(trust, kMaxPemBytes);
  const net::TlsIdentity certificate{{pem.begin(), pem.end()}, {}};
  try {
    return net::TlsTrust::pinned_certificate(net::certificate_fingerprint(certificate));
  } catch (const Error&) {
    fail_input("{} holds no PEM certificate; `serve --write-cert` writes one", trust);
  }
}

SecretVector<char> token_from(SecretVector<char> text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  if (!text.empty()) hash_token(text);  // says so if it is none
  return text;
}

SecretVector<char> read_token(const std::filesystem::path& file) {
  SecretVector<char> token = token_from(read_secret_file(file, kMaxTokenBytes));
  if (token.empty()) fail_input("{} holds no token", file.string());
  return token;
}

std::unique_ptr<net::Channel> connect(const ConnectOptions& options) {
  net::Credentials credentials;
  if (options.certificate.empty() != options.key.empty()) {
    fail_input("a client's certificate (--cert) and its key (--key) belong together; give both or none");
  }
  const net::TlsTrust trust = trust_from(options.trust, options.authorities);
  if (!options.certificate.empty())
    credentials.certificate = net::load_identity(options.certificate, options.key);
  credentials.token = token_from(options.token);
  const bool has_scheme = options.url.find("://") != std::string::npos;
  std::string url = has_scheme ? options.url : "wss://" + options.url;
  if ((options.may_queue || options.ahead) && url.find('?') == std::string::npos) {
    if (url.find('/', url.find("://") + 3) == std::string::npos) url += '/';
    url += options.ahead ? protocol::kAhead : protocol::kWaits;
  }
  std::unique_ptr<net::Channel> channel = net::connect(url, trust, options.wait, {}, credentials);
  channel->set_deadline(options.deadline);
  return channel;
}

void while_busy(std::chrono::milliseconds patience,
                const std::function<void(std::chrono::milliseconds)>& attempt,
                const std::function<void(const protocol::Waiting&)>& told,
                const std::function<bool()>& cancelled) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kSlice{100};
  const Clock::time_point end = Clock::now() + patience;
  const auto left = [&] { return std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()); };
  for (;;) {
    try {
      return attempt(std::max(left(), std::chrono::milliseconds(0)));
    } catch (const protocol::ServerBusy& busy) {
      const std::chrono::seconds pause = std::max(busy.again, std::chrono::seconds(1));
      if (left() <= pause) throw;
      if (told) told({0, pause});
      const Clock::time_point again = Clock::now() + pause;
      while (Clock::now() < again) {
        if (cancelled && cancelled()) throw;
        std::this_thread::sleep_for(kSlice);
      }
    }
  }
}

}  // namespace ap::app
