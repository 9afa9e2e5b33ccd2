#include "app/clients.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <set>

#include <fmt/ranges.h>

#include "app/package_files.h"
#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/files.h"
#include "random/prng.h"

namespace ap::app {
namespace {

using Digest = std::array<std::uint8_t, 32>;

constexpr std::uint64_t kMaxFileBytes = 4 << 20;
constexpr std::size_t kMaxNameBytes = 64, kTokenDigits = 64;
// What is hashed begins with this, so that a token's hash can be taken for nothing else.
constexpr std::string_view kTokenTag = "autoprivacy client token 1";

bool is_name(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == '@';
  };
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, allowed);
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool parse_digest(std::string_view text, Digest& digest) {
  if (text.size() != 2 * digest.size()) return false;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    digest[i] = static_cast<std::uint8_t>(16 * high + low);
  }
  return true;
}

std::string hex(const Digest& digest) { return fmt::format("{:02x}", fmt::join(digest, "")); }

/// One line of the file: "NAME key=value ...".
class Line {
 public:
  Line(std::string_view text, std::string where) : rest_(text), where_(std::move(where)) {}

  Client parse() {
    Client client;
    client.name = std::string(word());
    if (!is_name(client.name)) {
      complain("the name \"{}\" is not 1 to {} letters, digits, '.', '-', '_' or '@'", client.name,
               kMaxNameBytes);
    }
    bool group = false, limit = false, proof = false;
    for (std::string_view setting = word(); !setting.empty(); setting = word()) {
      const std::size_t equals = std::min(setting.find('='), setting.size());
      const std::string_view key = setting.substr(0, equals),
                             value = setting.substr(std::min(equals + 1, setting.size()));
      if (key == "group") {
        once(group, key);
        if (!is_name(value)) complain("the group \"{}\" is no name", value);
        client.group = std::string(value);
      } else if (key == "limit") {
        once(limit, key);
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), client.limit);
        if (error != std::errc() || end != value.data() + value.size() || client.limit == 0) {
          complain("limit={} is no number of inferences from 1", value);
        }
      } else if (key == "token-hash" || key == "certificate") {
        once(proof, "token-hash or certificate");
        client.proof = key == "certificate" ? Client::Proof::certificate : Client::Proof::token;
        if (!parse_digest(value, client.digest)) complain("{} is not 64 hexadecimal digits", key);
      } else {
        complain("\"{}\" is none of group=, limit=, token-hash= and certificate=", setting.substr(0, 80));
      }
    }
    if (!proof) complain("{} has neither token-hash= nor certificate=", client.name);
    return client;
  }

 private:
  template <typename... Args>
  [[noreturn]] void complain(fmt::format_string<Args...> format, Args&&... args) const {
    fail_input("{}: {}; the format is in docs/clients-format.md", where_,
               fmt::format(format, std::forward<Args>(args)...));
  }
  void once(bool& seen, std::string_view key) const {
    if (seen) complain("{} is given twice", key);
    seen = true;
  }
  std::string_view word() {
    const std::size_t begin = std::min(rest_.find_first_not_of(" \t"), rest_.size());
    const std::size_t end = std::min(rest_.find_first_of(" \t", begin), rest_.size());
    const std::string_view found = rest_.substr(begin, end - begin);
    rest_.remove_prefix(end);
    return found;
  }

  std::string_view rest_;
  std::string where_;
};

void check_alone(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) fail_input("cannot read {}: {}", file.string(), std::strerror(errno));
  if (info.st_uid != ::geteuid() || (info.st_mode & 077) != 0) {
    fail_security("{} decides who may connect, but it is not yours alone; make it so (chmod 600)",
                  file.string());
  }
}

/// Replaces the file at once; only its owner may read it. The caller holds the lock, so that one temporary
/// name will do.
void replace(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::path fresh = file;
  fresh += ".new";
  const auto give_up = [&] {
    const int error = errno;
    ::unlink(fresh.c_str());
    fail_input("cannot write {}: {}", file.string(), std::strerror(error));
  };
  ::unlink(fresh.c_str());
  const FileDescriptor out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.get() < 0) give_up();
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t put = ::write(out.get(), text.data() + at, text.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) give_up();
    at += static_cast<std::size_t>(put);
  }
  if (::fsync(out.get()) != 0 || ::rename(fresh.c_str(), file.c_str()) != 0) give_up();
}

}  // namespace

Client anonymous_client() {
  Client client;
  client.group.clear();
  return client;
}

std::vector<Client> parse_clients(const std::string& text, const std::string& file) {
  std::vector<Client> clients;
  std::set<std::string> names;
  std::map<std::pair<Client::Proof, Digest>, std::string> proofs;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++number;
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || line[first] == '#') continue;
    const std::string where = fmt::format("{} line {}", file, number);
    Client client = Line(line, where).parse();
    if (!names.insert(client.name).second) {
      fail_input("{}: there is a client {} already; choose another name or remove one", where, client.name);
    }
    const auto [same, fresh] = proofs.try_emplace({client.proof, client.digest}, client.name);
    if (!fresh) {
      fail_input("{}: {} has the token or certificate of {}; each client needs its own", where, client.name,
                 same->second);
    }
    clients.push_back(std::move(client));
  }
  return clients;
}

std::string format_client(const Client& client) {
  std::string line = fmt::format("{} group={}", client.name, client.group);
  if (client.limit > 0) line += fmt::format(" limit={}", client.limit);
  line += client.proof == Client::Proof::token ? " token-hash=" : " certificate=";
  return line + hex(client.digest) + "\n";
}

std::vector<Client> load_clients(const std::filesystem::path& file) {
  check_alone(file);
  const Bytes bytes = read_file(file, kMaxFileBytes);
  return parse_clients({bytes.begin(), bytes.end()}, file.string());
}

SecretVector<char> add_client(const std::filesystem::path& file, Client client) {
  // The file itself is replaced, so the lock is another, which stays.
  std::filesystem::path lock_name = file;
  lock_name += ".lock";
  const FileDescriptor lock(::open(lock_name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  int locked = -1;
  if (lock.get() >= 0) {
    do locked = ::flock(lock.get(), LOCK_EX);
    while (locked != 0 && errno == EINTR);
  }
  if (locked != 0) fail_input("cannot lock {}: {}", lock_name.string(), std::strerror(errno));

  std::string text;
  if (std::filesystem::exists(file)) {
    load_clients(file);
    const Bytes bytes = read_file(file, kMaxFileBytes);
    text.assign(bytes.begin(), bytes.end());
    if (!text.empty() && text.back() != '\n') text += '\n';
  }
  SecretVector<char> token;
  if (client.proof == Client::Proof::token) {
    Seed secret = random_seed();
    static_assert(2 * sizeof(Seed) == kTokenDigits);
    for (const std::uint8_t byte : secret) {
      for (const int nibble : {byte >> 4, byte & 15}) token.push_back("0123456789abcdef"[nibble]);
    }
    wipe(secret.data(), secret.size());
    client.digest = hash_token(token);
  }
  text += format_client(client);
  parse_clients(text, file.string());  // names and duplicates are checked where they are read
  replace(file, text);
  return token;
}

Digest hash_token(std::span<const char> token) {
  if (token.size() != kTokenDigits || !std::ranges::all_of(token, [](char c) { return digit(c) >= 0; })) {
    fail_input("a client's token has {} hexadecimal digits; this one has another form", kTokenDigits);
  }
  SecretVector<std::uint8_t> text(kTokenTag.begin(), kTokenTag.end());
  // Either case is the same token.
  for (const char c : token) text.push_back(static_cast<std::uint8_t>(digit(c)));
  static const int ready = sodium_init();
  AP_ASSERT(ready >= 0);
  Digest digest;
  AP_ASSERT(crypto_generichash(digest.data(), digest.size(), text.data(), text.size(), nullptr, 0) == 0);
  return digest;
}

std::optional<Client> find_client(const std::vector<Client>& clients, const net::ShownCredentials& shown) {
  Digest token{}, certificate{};
  bool has_token = true;
  try {
    token = hash_token(shown.token);
  } catch (const Error&) {
    has_token = false;
  }
  const bool has_certificate = parse_digest(shown.certificate_sha256, certificate);
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const bool by_token = clients[i].proof == Client::Proof::token;
    const Digest& given = by_token ? token : certificate;
    const bool equal = sodium_memcmp(given.data(), clients[i].digest.data(), given.size()) == 0;
    if (equal && (by_token ? has_token : has_certificate)) found = i;
  }
  return found ? std::optional(clients[*found]) : std::nullopt;
}

ClientsFile::ClientsFile(std::filesystem::path file) : file_(std::move(file)), stamp_(stamp_of(file_)) {
  clients_ = std::make_shared<const std::vector<Client>>(load_clients(file_));
}

ClientsFile::Clients ClientsFile::now(bool& changed, std::string& complaint) {
  const std::lock_guard lock(mutex_);
  const auto stamp = stamp_of(file_);
  if (stamp != stamp_) {
    stamp_ = stamp;
    try {
      clients_ = std::make_shared<const std::vector<Client>>(load_clients(file_));
      changed = true;
    } catch (const Error& error) {
      complaint = fmt::format("{}; the clients known before stay", error.what());
    }
  }
  return clients_;
}

}  // namespace ap::app
