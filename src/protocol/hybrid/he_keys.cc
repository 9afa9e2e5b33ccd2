#include "protocol/hybrid/he_keys.h"

#include "he/bfv/batch_tables.h"
#include "he/bfv/context_tables.h"
#include "he/rlwe/wire.h"
#include "protocol/hybrid/messages.h"
#include "security/limits.h"

namespace ap::protocol {
namespace {

SessionKey coefficient_part(const SessionKey& session, std::size_t group) {
  return session.part("public key of a group", group);
}
SessionKey batch_part(const SessionKey& session, std::size_t group) {
  return session.part("public key of a slot group", group);
}

void append(Bytes& to, const Bytes& bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace

std::size_t key_bytes(const HeGroups& groups) {
  std::size_t bytes = 0;
  for (const BatchGroup& group : groups.batch) {
    const bfv::BatchContext& context = *group.context;
    bytes += 2 * group.elements.size() * context.digits() * context.key_words() * sizeof(std::uint64_t);
  }
  return bytes;
}

ClientKeys::ClientKeys(const HeGroups& groups, rlwe::ErrorSource errors, WeakParameters weak)
    : groups_(groups), errors_(errors) {
  if (weak == WeakParameters::allow_for_tests) return;
  for (const bfv::ContextPtr& context : groups.coefficient) {
    const bfv::Parameters& p = bfv::parameters(*context);
    security::require_secure(p.n, p.log2_q(), kErrorSigma);
  }
  for (const BatchGroup& group : groups.batch) {
    const bfv::BatchParameters& p = bfv::parameters(*group.context);
    security::require_secure(p.n, p.log2_qp(), kErrorSigma);
  }
}

void ClientKeys::renew(net::Channel& channel, const SessionKey& session, Prng& prng) {
  coefficient_.clear();
  Bytes keys;
  for (const bfv::ContextPtr& context : groups_.coefficient) {
    const SessionKey part = coefficient_part(session, coefficient_.size());
    coefficient_.emplace_back(context, prng);
    append(keys, rlwe::PublicKey(coefficient_.back(), prng, errors_, part).serialise());
  }
  channel.send(kPublicKeys, keys);
  if (groups_.keep_batch_keys && !batch_.empty()) return;
  batch_.clear();
  for (const BatchGroup& group : groups_.batch) {
    const SessionKey part = batch_part(session, batch_.size());
    const rlwe::SecretKey& key = batch_.emplace_back(group.context, prng);
    Bytes message = rlwe::PublicKey(key, prng, rlwe::ErrorSource::centred_binomial, part).serialise();
    append(message, rlwe::GaloisKeys(key, group.elements, prng).serialise());
    channel.send(kSlotKeys, message);
  }
}

void ServerKeys::renew(net::Channel& channel, const SessionKey& session) {
  std::size_t size = 0;
  for (const bfv::ContextPtr& context : groups_.coefficient)
    size += rlwe::PublicKey::serialised_bytes(*context);
  const Bytes bytes = channel.receive_exactly(kPublicKeys, size);
  ByteReader in(bytes, "the client's public keys", ErrorCode::peer);
  coefficient_.clear();
  for (const bfv::ContextPtr& context : groups_.coefficient) {
    coefficient_.emplace_back(context, in.raw(rlwe::PublicKey::serialised_bytes(*context)),
                              coefficient_part(session, coefficient_.size()));
  }
  if (groups_.keep_batch_keys && !batch_.empty()) return;
  batch_.clear();
  for (const BatchGroup& group : groups_.batch) {
    const std::size_t key = rlwe::seeded_bytes(*group.context);
    const Bytes message = channel.receive_exactly(
        kSlotKeys, key + rlwe::GaloisKeys::serialised_bytes(*group.context, group.elements));
    const ByteView view(message);
    batch_.push_back({rlwe::PublicKey(group.context, view.first(key), batch_part(session, batch_.size())),
                      rlwe::GaloisKeys(group.context, group.elements, view.subspan(key))});
  }
}

}  // namespace ap::protocol
