#include "protocol/he/client.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "crypto/sha256.h"
#include "he_only/run/client.h"
#include "he_only/run/keys.h"
#include "protocol/he/messages.h"
#include "protocol/hybrid/messages.h"
#include "random/session_key.h"

namespace ap::protocol::he {
namespace {

[[noreturn]] void fail_refused(int answer, std::uint64_t limit) {
  switch (static_cast<PrepareAnswer>(answer)) {
    case PrepareAnswer::used_up:
      fail_peer("the server refuses the image: all {} inferences that the weights may be asked for are used",
                limit);
    case PrepareAnswer::client_limit:
      fail_peer("the server refuses the image: all {} inferences that this client may have are used", limit);
    case PrepareAnswer::not_counted:
      fail_peer("the server refuses the image: it cannot count inferences now; try again later");
    default:
      fail_peer("the server answers an image with the unknown word {}", answer);
  }
}

}  // namespace

struct ClientSession::State {
  State(const he_only::Package& p, net::Channel& c, ClientOptions o)
      : package(p),
        channel(c),
        options(std::move(o)),
        contexts(p.shared.program, p.shared.ring),
        coder(contexts, p.shared.program.input_context, p.shared.ends) {}

  template <typename Work>
  void measure(Cost& cost, const Work& work) {
    const Stopwatch watch;
    const double cpu = process_cpu_seconds();
    const net::Traffic before = channel.traffic();
    work();
    const net::Traffic after = channel.traffic();
    cost = {watch.seconds(), process_cpu_seconds() - cpu, 0, after.bytes_sent - before.bytes_sent,
            after.bytes_received - before.bytes_received};
  }
  void command(Command c) {
    const auto byte = static_cast<std::uint8_t>(c);
    channel.send(kCommand, {&byte, 1});
  }
  void greet();
  void send_keys();
  void infer(std::span<const float> image, SecretVector<double>& scores);

  const he_only::Package& package;
  net::Channel& channel;
  ClientOptions options;
  he_only::Contexts contexts;
  he_only::ClientCoder coder;
  Prng prng;
  SessionKey session;
  std::optional<he_only::ClientKeys> keys;
  package::PackageId digest{};
  Cost keys_cost, image_cost;
};

void ClientSession::State::greet() {
  greet_server(channel, package.id, options.patience, options.on_wait);
  SessionKey::Nonce mine, theirs;
  prng.fill(std::span<std::uint8_t>(mine));
  channel.send(kNonce, mine);
  const Bytes nonce = channel.receive_exactly(kNonce, theirs.size());
  std::ranges::copy(nonce, theirs.begin());
  session = SessionKey(mine, theirs, package.id);
}

void ClientSession::State::send_keys() {
  keys.emplace(package.shared.program, contexts, prng, session);
  command(Command::keys);
  Bytes digests;
  keys->publish(prng, [&](const Bytes& part) {
    const package::PackageId one = crypto::sha256(part);
    digests.insert(digests.end(), one.begin(), one.end());
    for (std::size_t at = 0; at < part.size(); at += kPieceBytes) {
      channel.send(kKeyPiece, ByteView(part).subspan(at, std::min(kPieceBytes, part.size() - at)));
    }
  });
  digest = crypto::sha256(digests);
  const Bytes answer = channel.receive_exactly(kKeyDigest, digest.size());
  if (!std::equal(answer.begin(), answer.end(), digest.begin())) {
    fail_peer("the server has other keys than this client sent; do not trust it");
  }
}

void ClientSession::State::infer(std::span<const float> image, SecretVector<double>& scores) {
  Bytes request(digest.begin(), digest.end());
  const Bytes ciphertexts = coder.encrypt(image, *keys, prng);
  request.insert(request.end(), ciphertexts.begin(), ciphertexts.end());
  command(Command::infer);
  channel.send(kRequest, request);
  const Bytes verdict = channel.receive_exactly(kAdmission, 9);
  ByteReader in(verdict, "the server's admission", ErrorCode::peer);
  const int word = in.u8();
  const std::uint64_t limit = in.u64();
  if (word != static_cast<int>(PrepareAnswer::granted)) fail_refused(word, limit);
  const std::size_t all = package.shared.steps;
  for (std::size_t done = 1; done <= all; ++done) {
    const Bytes progress = channel.receive_exactly(kProgress, 8);
    ByteReader said(progress, "the server's progress", ErrorCode::peer);
    if (const std::uint32_t d = said.u32(), a = said.u32(); d != done || a != all) {
      fail_peer("the server says that {} of {} steps are done, after {} of {}", d, a, done - 1, all);
    }
    if (options.on_step) options.on_step(done, all);
  }
  const Bytes answer = channel.receive_exactly(kAnswer, coder.answer_bytes());
  scores = coder.decrypt(answer, *keys);
}

ClientSession::ClientSession(const he_only::Package& package, net::Channel& channel, ClientOptions options) {
  he_only::require_secure(package.shared);
  state_ = std::make_unique<State>(package, channel, std::move(options));
  state_->greet();
}

ClientSession::~ClientSession() = default;

void ClientSession::send_keys() {
  state_->measure(state_->keys_cost, [&] { state_->send_keys(); });
}

SecretVector<double> ClientSession::infer(std::span<const float> image) {
  if (!state_->keys) send_keys();
  SecretVector<double> scores;
  state_->measure(state_->image_cost, [&] { state_->infer(image, scores); });
  return scores;
}

void ClientSession::finish() { state_->command(Command::goodbye); }

const Cost& ClientSession::keys_cost() const { return state_->keys_cost; }
const Cost& ClientSession::image_cost() const { return state_->image_cost; }

}  // namespace ap::protocol::he
