// A package file, read in either role. The mutator takes the file apart, changes the JSON or the bytes behind
// it, and puts it together with right sizes and a right checksum.
#include <random>

#include "fuzz/support/json_mutator.h"
#include "fuzz/support/target.h"
#include "package/package.h"
#include "protocol/hybrid/model.h"
#include "tests/package/package_file.h"
#include "tests/package/small_package.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const package::Package parsed = package::parse(input, "fuzz.apm");
  // What is accepted can be written, and read again as the same.
  if (parsed.role == Party::server) {
    const package::Package again = package::parse(package::make_packages(parsed).server, "again.apm");
    require(again.network.nodes.size() == parsed.network.nodes.size(),
            "a package survives writing and reading");
  }
}

std::vector<Bytes> seeds() {
  const package::Pair small = package::make_packages(package::small_package());
  const package::Pair simd = package::make_packages(package::small_simd_package());
  return {small.client, small.server, simd.client, simd.server};
}

/// As the body says, which need not hold as many.
std::uint32_t shared_bytes(const package::PackageFile& parts) {
  std::uint32_t length = 0;
  std::memcpy(&length, parts.body.data(), sizeof length);
  return length;
}

std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  // The file says itself how large its body is, and the test's own reader believes it.
  std::uint64_t body_bytes = 0;
  if (size >= 60) std::memcpy(&body_bytes, data + 12, sizeof body_bytes);
  if (seed % 8 == 0 || size < 60 || body_bytes > (1 << 20)) return LLVMFuzzerMutate(data, size, max_size);
  std::minstd_rand random(seed);
  try {
    package::PackageFile parts = package::take_apart({data, size});
    if (parts.body.size() < 4 || parts.body.size() - 4 < shared_bytes(parts)) {
      return LLVMFuzzerMutate(data, size, max_size);
    }
    const ByteView rest = parts.rest();
    if (random() % 2 == 0) {
      nlohmann::json json = nlohmann::json::parse(parts.shared());
      for (unsigned i = 0; i <= random() % 2; ++i) mutate_json(json, static_cast<unsigned>(random()));
      const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
      parts.body = package::body_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, rest);
    } else {
      const std::size_t at = random() % 2 == 0 ? 0 : parts.body.size() - rest.size();
      Bytes tail(parts.body.begin() + static_cast<std::ptrdiff_t>(at), parts.body.end());
      const std::size_t old = tail.size();
      tail.resize(old + 64);
      tail.resize(LLVMFuzzerMutate(tail.data(), old, tail.size()));
      parts.body.resize(at);
      parts.body.insert(parts.body.end(), tail.begin(), tail.end());
    }
    if (random() % 8 == 0) parts.head[8 + random() % 4] ^= static_cast<std::uint8_t>(1U << random() % 8);
    const Bytes file = package::put_together(parts);
    if (file.size() <= max_size) {
      std::memcpy(data, file.data(), file.size());
      return file.size();
    }
  } catch (const std::exception&) {  // it is no package any more
  }
  return LLVMFuzzerMutate(data, size, max_size);
}

const Register known({.name = "package", .run = run, .seeds = seeds, .max_bytes = 16384, .mutate = mutate});

}  // namespace
}  // namespace ap::fuzz
