// Whether branches and indices depend on secrets, told by Valgrind's memory checker (Langley's ctgrind,
// 2010): the same object code as in the programs, with secrets marked undefined. To be run as
//   AUTOPRIVACY_CPU=scalar valgrind --error-limit=no constant_time [CASE]
// AUTOPRIVACY_CPU=avx2 checks the kernels of that kind; wider ones Valgrind does not know.
#include <cstdio>
#include <cstring>

#include "tests/constant_time/secret.h"

namespace ap::constant_time {
namespace {

// Controls, one for each kind of leak.
volatile int sink;
__attribute__((noinline)) void branch_on_secret() {
  std::uint8_t secret = 7;
  poison(&secret, 1);
  if (secret > 3) sink = 1;
}
__attribute__((noinline)) void index_by_secret() {
  static const std::uint8_t kTable[256] = {};
  std::uint8_t secret = 7;
  poison(&secret, 1);
  sink = kTable[secret];
}
/// A rejection that tells what it keeps: no declassify() stands there.
__attribute__((noinline)) void loop_until_secret_is_small() {
  Prng prng(secret_seed(1));
  std::uint8_t value[1];
  do {
    prng.fill(std::span<std::uint8_t>(value));
  } while (value[0] > 240);
}

}  // namespace
}  // namespace ap::constant_time

int main(int argc, char** argv) {
  using namespace ap::constant_time;
  if (RUNNING_ON_VALGRIND == 0) {
    std::fprintf(stderr, "constant_time: run this under valgrind\n");
    return 2;
  }
  ap::declassify_hook = make_public;
  std::vector<Case> cases = {{"control: branch", branch_on_secret, true},
                             {"control: index", index_by_secret, true},
                             {"control: loop", loop_until_secret_is_small, true}};
  for (const auto& more :
       {plain_crypto_cases(), sampler_cases(), encryption_cases(), transfer_cases(), activation_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  bool good = true, any = false;
  for (const Case& one : cases) {
    if (argc > 1 && std::strstr(one.name, argv[1]) == nullptr) continue;
    any = true;
    const unsigned before = VALGRIND_COUNT_ERRORS;
    one.run();
    const unsigned found = VALGRIND_COUNT_ERRORS - before;
    const bool as_expected = (found > 0) == one.leaks;
    std::printf("%-28s %u reports%s\n", one.name, found,
                as_expected ? ""
                : one.leaks ? ": NOT FOUND"
                            : ": LEAK");
    std::fflush(stdout);
    good = good && as_expected;
  }
  return good && any ? 0 : 1;
}
