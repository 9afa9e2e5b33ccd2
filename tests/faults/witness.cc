#include "tests/faults/witness.h"

#include <algorithm>

#include "layers/linear/plaintext/clear_conv.h"
#include "protocol/hybrid/clear_linear.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/share.h"

namespace ap::faults {

using namespace protocol;

namespace {

std::vector<std::uint64_t> unpacked(ByteView payload, std::size_t count, const ShareModulus& modulus) {
  const Share share = unpack_shares(payload, count, modulus, "a message");
  return {share.begin(), share.end()};
}

}  // namespace

void Witness::violated(const std::string& what) { violations.push_back(what); }

void Witness::saw(Session& session, bool from_client, net::MessageType type, ByteView payload) {
  for (const std::uint8_t byte : payload) trace = (trace ^ byte) * 0x100000001b3u;
  trace = (trace ^ type) * 0x100000001b3u + payload.size();
  if (from_client && type == kCommand) session.last_command = payload[0];
  if (from_client && type == kPreprocessingId) {
    std::copy(payload.begin(), payload.end(), session.last_id.begin());
    if (session.last_command == static_cast<int>(Command::store) && !session.ready.empty())
      session.ready.pop_front();  // the client stores its oldest
  }
  if (!from_client && type == kPreprocessingAnswer && payload[0] == 0) {
    if (session.last_command == static_cast<int>(Command::store)) kept_by_server.insert(session.last_id);
    if (session.last_command == static_cast<int>(Command::use)) session.ready.emplace_back(session.last_id);
    if (session.last_command == static_cast<int>(Command::use) && !content_changes &&
        !used_by_server.insert(session.last_id).second)
      violated("the server used " + to_hex(session.last_id) + " twice");
  }
  if (!from_client && type == kPrepareAnswer && payload[0] == 0) {
    ++granted;
    session.ready.emplace_back();
  }
  if (from_client && type == kMaskedInput && !session.ready.empty()) {
    // What it asked the server for is used when an image leaves under it, not before.
    const std::optional<Id> id = session.ready.front();
    session.ready.pop_front();
    if (id && !used_by_client.insert(*id).second) violated("the client used " + to_hex(*id) + " twice");
  }
  if (from_client && type == kMaskedInput) saw_masked_input(session, payload);
  if (!from_client && type == kResult) saw_result(session, payload);
}

/// Image minus mask: a mask that was there before is the same inference.
void Witness::saw_masked_input(Session& session, ByteView payload) {
  const ShareModulus& modulus = served_.client.modulus(0);
  session.masked = unpacked(payload, session.image.size(), modulus);
  std::vector<std::uint64_t> mask;
  for (std::size_t i = 0; i < session.masked.size(); ++i)
    mask.push_back(modulus.subtract(session.masked[i], modulus.from_signed(session.image[i])));
  if (!masks_.insert(mask).second) violated("two images went out under one mask");
}

/// W x + b + share, where the network is a linear layer alone: a share that was there before is the same
/// inference.
void Witness::saw_result(const Session& session, ByteView payload) {
  ++answered;
  const Model& model = served_.server.model();
  if (!model.activations().empty() || content_changes) return;
  const auto& op = std::get<nn::QLinear>(served_.package.network.nodes[1].op);
  const ShareModulus& modulus = model.modulus(1);
  std::vector<std::uint64_t> share = unpacked(payload, model.size(1), modulus);
  const std::size_t inputs = session.masked.size();
  for (std::size_t i = 0; i < share.size(); ++i) {
    std::uint64_t known = modulus.from_signed(op.bias[i]);
    for (std::size_t j = 0; j < inputs; ++j) {
      known = modulus.add(known, modulus.multiply(modulus.from_signed(op.weights[i * inputs + j]),
                                                  modulus.reduce(session.masked[j])));
    }
    share[i] = modulus.subtract(share[i], known);
  }
  if (!server_shares_.insert(share).second) violated("two results went out under one share of the server");
}

}  // namespace ap::faults
