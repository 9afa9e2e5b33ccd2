// The oblivious transfers, each party against a hostile one: base OTs, extension with trees, columns
// and checks, silent OTs.
#include "fuzz/support/script.h"
#include "fuzz/support/target.h"
#include "mpc/ot/base_ot.h"
#include "mpc/ot/cot.h"
#include "random/prng.h"

namespace ap::fuzz {
namespace {

constexpr mpc::BaseOtMessages kBase{1, 2};
constexpr mpc::CotMessages kCot{kBase, 5, 3, 6, 7};
constexpr std::size_t kTransfers = 300;

Protocol base() {
  return {[](net::Channel& channel) {
            Prng prng;
            const std::vector<std::uint8_t> choices = {0, 1, 1, 0, 1};
            (void)mpc::base_ot_receive(channel, kBase, prng, choices);
          },
          [](net::Channel& channel) {
            Prng prng;
            (void)mpc::base_ot_send(channel, kBase, prng, 5);
          }};
}

Protocol extension() {
  return {[](net::Channel& channel) {
            Prng prng;
            mpc::CotSender sender(channel, kCot, prng);
            std::vector<mpc::Block> q(kTransfers);
            for (int i = 0; i < 2; ++i) sender.extend(channel, q);
          },
          [](net::Channel& channel) {
            Prng prng;
            mpc::CotReceiver receiver(channel, kCot, prng);
            std::vector<mpc::Block> t(kTransfers);
            const std::vector<std::uint8_t> choices((kTransfers + 7) / 8, 0x5a);
            for (int i = 0; i < 2; ++i) receiver.extend(channel, choices, t);
          }};
}

void run(ByteView input) {
  static const std::vector<Scene> scenes = recorded({base(), extension()});
  play(scenes, input);
}

const Register known(party_target("transfers", run));

}  // namespace
}  // namespace ap::fuzz
