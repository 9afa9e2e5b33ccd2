// Whole sessions by garbled circuits, each party against a hostile one: greetings, keys, uploads, replies,
// layers, stores, results.
#include "fuzz/support/sessions.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  static const std::vector<Scene> scenes = {scene_of(tiny_package("gc", false)),
                                            scene_of(tiny_package("gc", true)),
                                            scene_of(tiny_package("gc", false), true)};
  play(scenes, input);
}

const Register known(party_target("session_gc", run));

}  // namespace
}  // namespace ap::fuzz
