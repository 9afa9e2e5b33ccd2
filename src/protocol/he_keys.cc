#include "protocol/he_keys.h"

#include "protocol/messages.h"

namespace ap::protocol {
namespace {

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

ClientKeys::ClientKeys(const HeGroups& groups, Prng& prng, bfv::ErrorSource errors)
    : groups_(groups), errors_(errors) {
  for (const bfv::ContextPtr& context : groups.coefficient) coefficient_.emplace_back(context, prng);
  for (const BatchGroup& group : groups.batch) batch_.emplace_back(group.context, prng);
}

void ClientKeys::send(net::Channel& channel, Prng& prng) const {
  Bytes keys;
  for (const bfv::SecretKey& key : coefficient_) append(keys, bfv::PublicKey(key, prng, errors_).serialise());
  for (const bfv::BatchSecretKey& key : batch_) append(keys, bfv::BatchPublicKey(key, prng).serialise());
  channel.send(kPublicKeys, keys);
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    channel.send(kGaloisKeys, bfv::GaloisKeys(batch_[i], groups_.batch[i].elements, prng).serialise());
  }
}

ServerKeys::ServerKeys(const HeGroups& groups, net::Channel& channel) {
  std::size_t size = 0;
  for (const bfv::ContextPtr& context : groups.coefficient)
    size += bfv::PublicKey::serialised_bytes(*context);
  for (const BatchGroup& group : groups.batch) size += bfv::batch_encrypted_bytes(*group.context);
  const Bytes bytes = channel.receive_exactly(kPublicKeys, size);
  ByteReader in(bytes, "the client's public keys", ErrorCode::peer);
  for (const bfv::ContextPtr& context : groups.coefficient) {
    coefficient_.emplace_back(context, in.raw(bfv::PublicKey::serialised_bytes(*context)));
  }
  for (const BatchGroup& group : groups.batch) {
    bfv::BatchPublicKey key(group.context, in.raw(bfv::batch_encrypted_bytes(*group.context)));
    const std::size_t rotation_bytes = bfv::GaloisKeys::serialised_bytes(*group.context, group.elements);
    batch_.push_back({std::move(key), bfv::GaloisKeys(group.context, group.elements,
                                                      channel.receive_exactly(kGaloisKeys, rotation_bytes))});
  }
}

}  // namespace ap::protocol
