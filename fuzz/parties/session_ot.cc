// Whole sessions by silent OTs, each party against a hostile one, with the label alone as their result.
#include "fuzz/support/sessions.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  static const std::vector<Scene> scenes = {scene_of(tiny_package("ot", true))};
  play(scenes, input);
}

const Register known(party_target("session_ot", run));

}  // namespace
}  // namespace ap::fuzz
