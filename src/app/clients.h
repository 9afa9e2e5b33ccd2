// Who may connect: names, groups, limits, and how each client proves who it is (format:
// docs/clients-format.md). Tokens are kept as hashes, certificates as fingerprints: the file lets nobody in
// who reads it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "net/websocket/credentials.h"

namespace ap::app {

/// The group of clients that the file puts into none.
inline constexpr const char* kDefaultGroup = "everyone";

struct Client {
  std::string name;  ///< empty: any client of a server without a file; so is its group, which all belong to
  std::string group = kDefaultGroup;
  std::uint64_t limit =
      0;  ///< inferences that this client may have prepared at most; 0: as many as its group

  /// What it proves itself with.
  enum class Proof { token, certificate };
  Proof proof = Proof::token;
  std::array<std::uint8_t, 32> digest{};  ///< BLAKE2b of the token, or SHA-256 of the certificate
};

/// Stands for all clients of a server without a file of clients: they count as one.
Client anonymous_client();

/// Parses a file of clients. @throws Error(input) naming the line, and what is wrong with it.
std::vector<Client> parse_clients(const std::string& text, const std::string& file);
/// The line of one client, with a newline.
std::string format_client(const Client& client);

/// Reads a file of clients.
/// @throws Error(input) as above or if it cannot be read, Error(security) if others may read or write it.
std::vector<Client> load_clients(const std::filesystem::path& file);

/// Adds a client to a file, which is made if it does not exist; the whole file is replaced at once, mode
/// 0600, and two that add at the same time wait for each other. A client that proves itself by token gets a
/// fresh one of 256 bits, which is returned and kept nowhere else; else the result is empty.
/// @throws Error(input) if there is a client of this name or certificate, or the name is none; and as
/// load_clients.
SecretVector<char> add_client(const std::filesystem::path& file, Client client);

/// BLAKE2b-256 of a token in its written form. @throws Error(input) if that is not 64 hexadecimal digits.
std::array<std::uint8_t, 32> hash_token(std::span<const char> token);

/// The client that has shown these credentials, if any. Takes the same time whichever it is.
std::optional<Client> find_client(const std::vector<Client>& clients, const net::ShownCredentials& shown);

/// A file of clients that a running server reads again when it has changed. Safe from any thread.
class ClientsFile {
 public:
  /// @throws as load_clients.
  explicit ClientsFile(std::filesystem::path file);

  using Clients = std::shared_ptr<const std::vector<Client>>;
  /// What the file says now, and in `changed` whether that is new. What it said before if it cannot be read
  /// now; then `complaint` says why, once for each change.
  Clients now(bool& changed, std::string& complaint);

 private:
  std::filesystem::path file_;
  std::mutex mutex_;
  std::array<std::int64_t, 4> stamp_{};
  Clients clients_;
};

}  // namespace ap::app
