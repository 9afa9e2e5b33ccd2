// Between libFuzzer and the targets. Called as TARGET (a symbolic link to the program):
//   TARGET --list         every target with its limits, one a line
//   TARGET --seeds DIR    writes the target's seeds
//   TARGET ...            libFuzzer's own options

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "fuzz/support/randomness.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}
const Target* chosen = nullptr;

void list() {
  for (const Target& t : targets()) {
    std::printf("%s max_bytes=%zu largest_block_mb=%zu dictionary=%s\n", t.name, t.max_bytes,
                t.largest_block_mb, t.dictionary);
  }
}

void write_seeds(const std::filesystem::path& directory) {
  std::filesystem::create_directories(directory);
  std::size_t number = 0;
  for (const Bytes& seed : chosen->seeds()) {
    std::ofstream(directory / ("seed-" + std::to_string(number++)), std::ios::binary)
        .write(reinterpret_cast<const char*>(seed.data()), static_cast<std::streamsize>(seed.size()));
  }
}

}  // namespace

Register::Register(const Target& target) { targets().push_back(target); }

void report(const char* what) {
  std::fprintf(stderr, "FINDING: %s\n", what);
  std::abort();
}

void run_target(const Target& target, ByteView input) {
  reset_randomness(0);
  try {
    target.run(input);
  } catch (const Error& error) {
    if ((static_cast<unsigned>(target.mistakes) >> static_cast<int>(error.code()) & 1U) != 0) return;
    std::fprintf(stderr, "status %d: %s\n", error.exit_status(), error.what());
    report("an error of a kind that this input cannot cause");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    report("an exception that is no ap::Error");
  }
}

}  // namespace ap::fuzz

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  using namespace ap::fuzz;
  const std::string name = std::filesystem::path((*argv)[0]).filename();
  const char* option = *argc > 1 ? (*argv)[1] : "";
  if (std::strcmp(option, "--list") == 0) {
    list();
    std::exit(0);
  }
  for (const Target& target : targets()) {
    if (name == target.name) chosen = &target;
  }
  if (chosen == nullptr) {
    std::fprintf(stderr, "there is no fuzz target %s; --list names them all\n", name.c_str());
    std::exit(2);
  }
  if (std::strcmp(option, "--seeds") == 0 && *argc == 3) {
    write_seeds((*argv)[2]);
    std::exit(0);
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ap::fuzz::run_target(*ap::fuzz::chosen, {data, size});
  return 0;
}

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                    unsigned seed) {
  const auto mutate = ap::fuzz::chosen->mutate;
  return mutate != nullptr ? mutate(data, size, max_size, seed) : LLVMFuzzerMutate(data, size, max_size);
}
}
