// Secrets for the memory checker: what is poisoned counts as undefined, and so does everything computed from
// it, until it is declassified (base/declassify.h) or sent. A branch, an index or a size that depends on it
// is an error that the checker reports. Nothing happens outside the checker.
#pragma once

#include <valgrind/memcheck.h>

#include <memory>
#include <utility>
#include <vector>

#include "base/declassify.h"
#include "net/channel/channel.h"
#include "random/prng.h"

namespace ap::constant_time {

inline void poison(const void* data, std::size_t bytes) { (void)VALGRIND_MAKE_MEM_UNDEFINED(data, bytes); }
template <typename Vector>
void poison_all(Vector& values) {
  poison(values.data(), values.size() * sizeof(values[0]));
}
inline void make_public(const void* data, std::size_t bytes) { (void)VALGRIND_MAKE_MEM_DEFINED(data, bytes); }
template <typename Vector>
void make_all_public(Vector& values) {
  make_public(values.data(), values.size() * sizeof(values[0]));
}

inline Seed secret_seed(std::uint8_t number) {
  Seed seed{};
  seed[0] = number;
  poison_all(seed);
  return seed;
}

/// What is sent is public from then on.
class PublicChannel : public net::Channel {
 public:
  explicit PublicChannel(std::unique_ptr<net::Channel> inner) : inner_(std::move(inner)) {
    inner_->set_deadline(std::chrono::minutes(5));
  }
  void send(net::MessageType type, ByteView payload) override {
    Bytes copy(payload.begin(), payload.end());
    make_all_public(copy);
    inner_->send(type, copy);
  }
  Bytes receive(net::MessageType type, std::size_t min_bytes, std::size_t max_bytes) override {
    return inner_->receive(type, min_bytes, max_bytes);
  }
  void set_deadline(std::chrono::milliseconds wait) override { inner_->set_deadline(wait); }
  void close() override { inner_->close(); }
  net::Traffic traffic() const override { return inner_->traffic(); }

 private:
  std::unique_ptr<net::Channel> inner_;
};

struct Case {
  const char* name;
  void (*run)();
  bool leaks = false;  ///< a control: the checker must find something
};

std::vector<Case> plain_crypto_cases();
std::vector<Case> sampler_cases();
std::vector<Case> encryption_cases();
std::vector<Case> transfer_cases();
std::vector<Case> activation_cases();

}  // namespace ap::constant_time
