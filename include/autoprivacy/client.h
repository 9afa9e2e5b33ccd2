// The client: classifies images by a server that sees neither them nor the answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "autoprivacy/error.h"
#include "autoprivacy/images.h"
#include "autoprivacy/progress.h"

namespace autoprivacy {

/// Whom a client trusts, how it proves who it is, and what it keeps.
struct ConnectOptions {
  /// The one certificate that the server must show: its SHA-256 fingerprint, 64 hexadecimal digits with or
  /// without colons, or a file that holds it (PEM). Empty: any that `authorities` have signed for the host of
  /// the URL.
  std::string trust;
  /// PEM file of the authorities that are trusted; empty: those that the operating system trusts.
  std::filesystem::path authorities;
  /// The token that the server's operator gave, 64 hexadecimal digits; empty: none. It is sent once the
  /// server's certificate is known to be the right one.
  std::string token;
  /// Certificate and private key (PEM) that this client proves itself with; both or none.
  std::filesystem::path certificate, key;
  /// Longest wait for a connection. A slow name server may add its own time.
  std::chrono::milliseconds connect_wait{10'000};
  /// Longest wait for the server at any point of a session.
  std::chrono::milliseconds deadline{60'000};
  /// Longest wait for a place, in the queue of a server all of whose sessions are taken; 0: none.
  std::chrono::milliseconds place_wait{300'000};
  /// Gets what the server says to a client that waits, every few seconds: how many are before it, or nothing if the queue
  /// is full too and the client comes again later; and about how long that takes. Called within connect().
  std::function<void(std::optional<std::size_t> before, std::chrono::seconds about)> on_wait;
  /// Directory of inferences prepared ahead for later sessions (Client::store), made with mode 0700 if it is
  /// not there; the server must have a store too. Empty: none.
  std::filesystem::path store;
  /// Unit costs as JSON, which `autoprivacy profile --json` measures, by which the way to compute activations
  /// is chosen where the package leaves it open; empty: those of a typical processor. They change what an
  /// inference costs, not its result.
  std::string unit_costs;
  /// Gets sentences about stored inferences that cannot be used, which is no error. Called within the methods
  /// of Client.
  std::function<void(const std::string&)> notice;
};

/// What one phase of an inference cost.
struct Cost {
  double seconds = 0;             ///< of wall time at the client
  double client_cpu_seconds = 0;  ///< of processor time of the client's process
  std::optional<double>
      server_cpu_seconds;        ///< the same at the server, if it tells (ServerOptions::share_statistics)
  std::uint64_t bytes_up = 0;    ///< from client to server, without what TLS adds
  std::uint64_t bytes_down = 0;  ///< from server to client
};

/// What one layer of an inference cost.
struct LayerCost {
  std::string name;      ///< as in the model
  std::string kind;      ///< "linear", "activation" or "argmax"
  std::string protocol;  ///< "he", "gc", "ot" or "beaver"
  Cost offline, online;
};

/// What one inference cost.
struct Report {
  Cost offline;                   ///< of its preparation, whenever that was in this session
  Cost online;                    ///< with the image
  bool from_store = false;        ///< prepared in an earlier session, which `offline` does not count
  std::vector<LayerCost> layers;  ///< linear layers and activations, in the order of the network
};

/// The answer for one image.
struct Classification {
  /// The best class, counted from 0; of a network with one output 1 if that is above 0, else 0. Nothing if the server's answer is no class, which happens only where the
  /// label alone is revealed and the server does not follow the protocol: then trust none of its answers.
  std::optional<int> label;
  /// The name of that class; its number if the package has no names; empty without a label.
  std::string name;
  /// The score of every class, as the model gives them before a softmax; empty if the label alone is
  /// revealed.
  std::vector<double> scores;
  Report report;
};

/// A client of one network. One object has at most one session at a time; its methods are called from one
/// thread at a time, and several objects are independent. A method that throws Error(peer) has ended the
/// session, except where it says so; connect() begins a new one. What an application does between two calls,
/// and for how long, is visible to the server.
class Client {
 public:
  /// Opens a client's package, client.apm. Nothing is sent anywhere. `publisher` is a public key of minisign
  /// with which the package must be signed, in PACKAGE.minisig beside it: a .pub file, or the key itself,
  /// "RW" and 54 more characters; empty: no signature is asked for.
  /// @throws Error(input) if the package or the key cannot be used; Error(security) if a layer has less than
  /// 128 bits, or the package is not signed with that key.
  explicit Client(const std::filesystem::path& package, const std::string& publisher = {});
  /// Opens a package in memory; whether it is the right one, the caller knows.
  /// @throws Error(input) if it cannot be used; Error(security) if a layer has less than 128 bits.
  explicit Client(std::span<const std::uint8_t> package);
  /// Ends the session, if there is one, without waiting long.
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// What the network takes: the shape of an image.
  Shape input_shape() const;
  /// The number of classes.
  std::size_t classes() const;
  /// The name of each class; empty if the package has none.
  const std::vector<std::string>& labels() const;
  /// How pictures are brought to the network's size, for load_images; empty: they have it.
  std::string framing() const;
  /// Whether clients learn the best class alone.
  bool reveals_label() const;
  /// 64 hexadecimal digits; the server must hold the package of the same compilation.
  std::string package_id() const;

  /// Begins a session with a server: `url` is wss://HOST:PORT, or HOST:PORT alone. Ends the one before, if
  /// there is one.
  /// @throws Error(input) if the URL or an option cannot be used; Error(peer) if no server answers in time,
  /// it refuses, or it serves another package; Error(security) if its certificate is not trusted, or other
  /// users may read the store.
  void connect(const std::string& url, const ConnectOptions& options = {});
  /// Whether there is a session.
  bool connected() const;

  /// Prepares `count` inferences in this session: all that needs no image, which is most of the work. The
  /// images that come next are then classified at once. The server bounds how many may wait
  /// (ServerOptions::max_prepared).
  /// @throws Error(input) if there is no session; Error(peer) if the server refuses or is lost. If it refuses
  /// because the inferences that the weights may be asked for are used up, the session goes on, and what is
  /// prepared can still be used.
  void prepare(std::size_t count);
  /// How many prepared inferences wait in this session; 0 without a session.
  std::size_t prepared() const;

  /// Prepares `count` inferences for later sessions, in the stores of both parties; each serves one image.
  /// Those that wait in this session are taken first. Returns how many are in this client's store now. If
  /// there is an error, those that came before it are stored.
  /// @throws Error(input) if there is no session or it has no store, or the store cannot be written;
  /// Error(peer) if the server keeps no more or is lost.
  std::size_t store(std::size_t count);

  /// Classifies one image of 8-bit pixels, 0 to 255: input_shape().size() of them, channel by channel
  /// (autoprivacy/images.h). They are normalised as the package says. Uses an inference that was prepared in
  /// this session, else one from the store, else prepares one now.
  /// @throws Error(input) if there is no session or the number of pixels is wrong; Error(peer) if the server
  /// is lost.
  Classification classify(std::span<const std::uint8_t> pixels);
  /// Classifies one image that is normalised already: the network's input, input_shape().size() values in the
  /// layout of autoprivacy/images.h. Values beyond the network's range count as its ends.
  /// @throws Error(input) also if a value is not a number; otherwise as above.
  Classification classify(std::span<const float> input);
  /// Classifies any number of images, one after another, without telling anything of an answer before the
  /// last is there.
  /// @throws Error(input) also if there are none or their shape is not the network's; otherwise as above.
  std::vector<Classification> classify(const Images& images, const ProgressCallback& progress = {});

  /// Tells the server that the session is over and waits for its goodbye. Without a session it does nothing.
  /// What was prepared in the session is gone.
  /// @throws Error(peer) if the connection is lost; the session is over all the same.
  void close();
  /// Ends the session from another thread, without a goodbye: a method that waits for the server throws
  /// Error(peer) soon. The one method that is safe from any thread; while connect() waits for the connection it
  /// has no effect.
  void interrupt() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace autoprivacy
