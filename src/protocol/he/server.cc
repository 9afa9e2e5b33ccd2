#include "protocol/he/server.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "crypto/sha256.h"
#include "protocol/he/messages.h"
#include "protocol/hybrid/greeting.h"
#include "random/session_key.h"

namespace ap::protocol::he {
namespace {

using Digest = package::PackageId;

he_only::Package of_server(he_only::Package package) {
  if (package.role != Party::server)
    fail_input("a server needs the server's package (server.apm); this is the client's");
  return package;
}

class Session {
 public:
  Session(const ServerModel& model, net::Channel& channel, const ServerOptions& options)
      : model_(model),
        secret_(*model.package().secret),
        channel_(channel),
        options_(options),
        ends_(model.package().shared.ends) {
    SessionKey::Nonce mine, theirs;
    prng_.fill(std::span<std::uint8_t>(mine));
    channel_.send(kNonce, mine);
    const Bytes nonce = channel_.receive_exactly(kNonce, theirs.size());
    std::ranges::copy(nonce, theirs.begin());
    session_ = SessionKey(theirs, mine, model.id());
  }

  void run() {
    for (;;) {
      const Bytes command = channel_.receive_exactly(kCommand, 1);
      switch (static_cast<Command>(command[0])) {
        case Command::goodbye:
          return;
        case Command::keys:
          take_keys();
          break;
        case Command::infer:
          infer();
          break;
        default:
          fail_peer("the client sent the unknown command {}", command[0]);
      }
    }
  }

 private:
  void take_keys() {
    keys_.reset();  // before memory is taken for others
    auto keys = std::make_unique<he_only::EvaluationKeys>(secret_.program, model_.contexts(), session_);
    Bytes digests;
    for (const std::uint64_t bytes : keys->part_bytes()) {
      Bytes part;
      part.reserve(bytes);
      while (part.size() < bytes) {
        const Bytes piece =
            channel_.receive_exactly(kKeyPiece, std::min<std::uint64_t>(kPieceBytes, bytes - part.size()));
        part.insert(part.end(), piece.begin(), piece.end());
      }
      const Digest digest = crypto::sha256(part);
      digests.insert(digests.end(), digest.begin(), digest.end());
      keys->take(part);
      if (options_.on_progress) options_.on_progress();
    }
    digest_ = crypto::sha256(digests);
    keys_ = std::move(keys);
    channel_.send(kKeyDigest, digest_);
  }

  bool admitted() {
    const Permission permission = options_.may_infer ? options_.may_infer() : Permission{};
    ByteWriter answer;
    answer.u8(static_cast<std::uint8_t>(permission.answer));
    answer.u64(permission.limit);
    channel_.send(kAdmission, answer.bytes());
    return permission.answer == PrepareAnswer::granted;
  }

  void infer() {
    const std::size_t context = secret_.program.input_context;
    const he_only::Contexts& contexts = model_.contexts();
    const std::size_t ciphertext = he_only::request_bytes(contexts, context, ends_);
    const Bytes request = channel_.receive_exactly(kRequest, digest_.size() + ciphertext);
    const ByteView view(request);
    if (!keys_ || !std::equal(digest_.begin(), digest_.end(), view.begin())) {
      fail_peer("the client sent an image for keys that this session does not have");
    }
    he_only::Registers image = he_only::load_request(contexts, context, ends_, view.subspan(digest_.size()));
    if (!admitted()) return;
    const std::shared_ptr<void> held = options_.on_image ? options_.on_image() : nullptr;
    const auto steps = static_cast<std::uint32_t>(secret_.program.steps.size() - 1);
    const auto tell = [&](std::size_t done) {
      ByteWriter progress;
      progress.u32(static_cast<std::uint32_t>(done));
      progress.u32(steps);
      channel_.send(kProgress, progress.bytes());
      if (options_.on_progress) options_.on_progress();
    };
    const he_only::Registers answer = model_.evaluator().answer(std::move(image), *keys_, prng_, tell);
    if (options_.on_inference) options_.on_inference();
    channel_.send(kAnswer, he_only::serialise_answer(answer));
  }

  const ServerModel& model_;
  const he_only::Package::Private& secret_;
  net::Channel& channel_;
  const ServerOptions& options_;
  const he_only::Ends& ends_;
  Prng prng_;
  SessionKey session_;
  std::unique_ptr<he_only::EvaluationKeys> keys_;
  Digest digest_{};
};

}  // namespace

ServerModel::ServerModel(he_only::Package package)
    : package_(of_server(std::move(package))),
      contexts_(package_.secret->program, package_.secret->choices.ring),
      evaluator_(*package_.secret->structure, package_.secret->shaped, package_.secret->choices,
                 package_.secret->program, contexts_) {}

MemoryNeeds memory_needs(const he_only::Package::Private& secret) {
  const rlwe::Parameters& largest = secret.program.contexts.front();
  MemoryNeeds needs;
  for (std::size_t s = 0; s < secret.shaped.terms.size(); ++s) {
    for (const he_only::ShapedTerm& term : secret.shaped.terms[s]) {
      const std::size_t period =
          std::max(secret.shaped.layouts[term.step].period, secret.shaped.layouts[s].period);
      for (const auto& row : term.diagonals) {
        for (const auto& one : row) needs.weights += one.size() * 2 * period * sizeof(std::int64_t);
      }
    }
  }
  const he_only::KeyBytes keys = he_only::key_bytes(secret.program);
  const std::uint64_t ciphertext = 2 * std::uint64_t{largest.n} *
                                   (largest.data_primes.size() + largest.special_primes.size()) *
                                   sizeof(std::uint64_t);
  // Tensors that are read later, and what a step computes with: digits of its input and sums of giant steps.
  constexpr std::uint64_t kTensors = 4, kSums = 48;
  needs.session = keys.memory + keys.wire / std::max<std::size_t>(1, secret.program.contexts.size()) +
                  ciphertext * (kTensors * secret.shaped.ciphertexts() + kSums);
  if (!secret.choices.ring.bootstrap.empty()) {
    const circuits::BootstrapParameters set(secret.choices.ring.bootstrap,
                                            secret.choices.ring.bootstrap_slots);
    const circuits::BootstrapContexts contexts(set);
    const circuits::BootstrapKeyBytes bytes(contexts, circuits::BootstrapRotations(set));
    needs.session += bytes.memory + bytes.wire;
  }
  return needs;
}

void serve_greeted(const ServerModel& model, net::Channel& channel, const ServerOptions& options) {
  Session(model, channel, options).run();
}

void serve_session(const ServerModel& model, net::Channel& channel, const ServerOptions& options) {
  const Hello hello = receive_hello(channel);
  Welcome status = Welcome::ready;
  if (hello.version != kProtocolVersion) {
    status = Welcome::other_version;
  } else if (hello.package != model.id()) {
    status = Welcome::other_package;
  }
  answer_greeting(channel, model.id(), status);
  if (status == Welcome::ready) serve_greeted(model, channel, options);
}

}  // namespace ap::protocol::he
