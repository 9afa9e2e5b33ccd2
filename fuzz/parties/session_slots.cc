// Whole sessions with layers packed for SIMD, each party against a hostile one.
#include "fuzz/support/sessions.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  static const std::vector<Scene> scenes = {scene_of(tiny_simd_package())};
  play(scenes, input);
}

const Register known(party_target("session_slots", run));

}  // namespace
}  // namespace ap::fuzz
