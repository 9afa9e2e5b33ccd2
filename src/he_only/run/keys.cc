#include "he_only/run/keys.h"

#include "base/error.h"

namespace ap::he_only {
namespace {

bool has_keys(const ContextKeys& keys) { return keys.relinearisation || !keys.elements.empty(); }

}  // namespace

Contexts::Contexts(const Program& program, const Ring& ring) {
  if (!ring.bootstrap.empty()) {
    bootstrap.emplace(ring.bootstrap, ring.bootstrap_slots);
    bootstrap_contexts.emplace(*bootstrap);
  }
  for (std::size_t c = 0; c < program.contexts.size(); ++c) {
    contexts.push_back(c == 0 && bootstrap_contexts
                           ? bootstrap_contexts->chain
                           : std::make_shared<const rlwe::Context>(program.contexts[c]));
  }
  rlwe::Parameters lowest;
  lowest.n = program.contexts[0].n;
  lowest.data_primes = {program.contexts[0].data_primes[0]};
  answer = std::make_shared<const rlwe::Context>(lowest);
}

EvaluationKeys::EvaluationKeys(const Program& program, const Contexts& contexts, SessionKey session)
    : program_(program),
      contexts_(contexts),
      session_(session),
      relinearisation_(program.contexts.size()),
      rotations_(program.contexts.size()) {}

std::vector<std::uint64_t> EvaluationKeys::part_bytes() const {
  std::vector<std::uint64_t> bytes = {rlwe::PublicKey::serialised_bytes(*contexts_.answer)};
  for (std::size_t c = 0; c < program_.keys.size(); ++c) {
    const ContextKeys& keys = program_.keys[c];
    if ((c == 0 && contexts_.bootstrap) || !has_keys(keys)) continue;
    const rlwe::Context& context = *contexts_.contexts[c];
    bytes.push_back((keys.relinearisation ? rlwe::KeySwitchKey::serialised_bytes(context) : 0) +
                    rlwe::GaloisKeys::serialised_bytes(context, keys.elements));
  }
  if (contexts_.bootstrap) {
    const circuits::BootstrapRotations rotations(*contexts_.bootstrap);
    bytes.push_back(circuits::BootstrapKeyBytes(*contexts_.bootstrap_contexts, rotations).wire);
  }
  return bytes;
}

void EvaluationKeys::take(ByteView part) {
  const std::vector<std::uint64_t> sizes = part_bytes();
  AP_ASSERT(taken_ < sizes.size());
  if (part.size() != sizes[taken_]) {
    fail_peer("part {} of the client's keys has {} bytes, not {}", taken_, part.size(), sizes[taken_]);
  }
  std::size_t at = 1;
  if (taken_ == 0) {
    answer_.emplace(contexts_.answer, part, session_);
    ++taken_;
    return;
  }
  for (std::size_t c = 0; c < program_.keys.size(); ++c) {
    const ContextKeys& keys = program_.keys[c];
    if ((c == 0 && contexts_.bootstrap) || !has_keys(keys)) continue;
    if (at++ != taken_) continue;
    const std::size_t first =
        keys.relinearisation ? rlwe::KeySwitchKey::serialised_bytes(*contexts_.contexts[c]) : 0;
    if (keys.relinearisation) relinearisation_[c].emplace(contexts_.contexts[c], part.first(first));
    rotations_[c].emplace(contexts_.contexts[c], keys.elements, part.subspan(first));
    ++taken_;
    return;
  }
  AP_ASSERT(contexts_.bootstrap && !bootstrap_);
  bootstrap_.emplace(*contexts_.bootstrap, *contexts_.bootstrap_contexts, part);
  ++taken_;
}

const rlwe::RelinearisationKey& EvaluationKeys::relinearisation(std::size_t context) const {
  if (context == 0 && bootstrap_) return bootstrap_->relinearisation();
  AP_ASSERT(relinearisation_[context].has_value());
  return *relinearisation_[context];
}

const rlwe::GaloisKeys& EvaluationKeys::rotations(std::size_t context) const {
  AP_ASSERT(rotations_[context].has_value());
  return *rotations_[context];
}

ClientKeys::ClientKeys(const Program& program, const Contexts& contexts, Prng& prng, SessionKey session)
    : program_(program),
      contexts_(contexts),
      session_(session),
      secret_(contexts.contexts[0], prng),
      answer_secret_(contexts.answer, secret_),
      input_secret_(contexts.contexts[program.input_context], secret_) {}

void ClientKeys::publish(Prng& prng, const std::function<void(Bytes part)>& take) const {
  take(rlwe::PublicKey(answer_secret_, prng, rlwe::ErrorSource::centred_binomial, session_).serialise());
  for (std::size_t c = 0; c < program_.keys.size(); ++c) {
    const ContextKeys& keys = program_.keys[c];
    if ((c == 0 && contexts_.bootstrap) || !has_keys(keys)) continue;
    const rlwe::SecretKey secret(contexts_.contexts[c], secret_);
    Bytes part;
    if (keys.relinearisation) part = rlwe::RelinearisationKey(secret, prng).serialise();
    const Bytes rotations = rlwe::GaloisKeys(secret, keys.elements, prng).serialise();
    part.insert(part.end(), rotations.begin(), rotations.end());
    take(std::move(part));
  }
  if (contexts_.bootstrap) {
    take(circuits::BootstrapKeys(*contexts_.bootstrap, *contexts_.bootstrap_contexts, secret_, prng)
             .serialise());
  }
}

}  // namespace ap::he_only
