// Base OTs: what the receiver chooses, and the sender's scalar, are secret. activations.cc has the
// others.
#include "mpc/ot/base_ot.h"
#include "tests/constant_time/two_sides.h"

namespace ap::constant_time {
namespace {

constexpr mpc::BaseOtMessages kMessages{1, 2};

void base_transfers() {
  run_sides(
      [](net::Channel& channel) {
        Prng prng(secret_seed(1));
        mpc::base_ot_send(channel, kMessages, prng, 8);
      },
      [](net::Channel& channel) {
        Prng prng(secret_seed(2));
        std::vector<std::uint8_t> choices = {0, 1, 1, 0, 1, 0, 0, 1};
        poison_all(choices);
        mpc::base_ot_receive(channel, kMessages, prng, choices);
      });
}

}  // namespace

std::vector<Case> transfer_cases() { return {{"transfers: base", base_transfers}}; }

}  // namespace ap::constant_time
