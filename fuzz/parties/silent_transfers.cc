// Silent OTs, each party against a hostile one: corrections of the trees, their check, and what lies
// below.
#include "fuzz/support/script.h"
#include "fuzz/support/target.h"
#include "mpc/ot/silent_cot.h"

namespace ap::fuzz {
namespace {

constexpr mpc::SilentCotMessages kSilent{{{1, 2}, 5, 3, 6, 7}, 4, {8, 9}};
constexpr std::size_t kTransfers = 300;

SessionKey session() { return SessionKey(Seed{1}); }

Protocol silent() {
  return {[](net::Channel& channel) {
            Prng prng;
            mpc::SilentCotSender sender(channel, kSilent, session(), prng);
            std::vector<mpc::Block> q(kTransfers);
            sender.expect(kTransfers);
            sender.extend(channel, q);
            sender.answer_check(channel);
          },
          [](net::Channel& channel) {
            Prng prng;
            mpc::SilentCotReceiver receiver(channel, kSilent, session(), prng);
            std::vector<mpc::Block> t(kTransfers);
            receiver.expect(kTransfers);
            receiver.extend(channel, t);
            receiver.open_check(channel);
            receiver.close_check(channel);
          }};
}

void run(ByteView input) {
  static const std::vector<Scene> scenes = recorded({silent()});
  play(scenes, input);
}

const Register known(party_target("silent_transfers", run));

}  // namespace
}  // namespace ap::fuzz
