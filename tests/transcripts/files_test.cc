// The bytes of the files that compile writes.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "package/network_json.h"
#include "tests/package/package_file.h"
#include "tests/package/small_package.h"
#include "tests/transcripts/frozen.h"
#include "tests/transcripts/packages.h"

namespace ap::transcripts {
namespace {

using protocol::test::packaged;

struct Named {
  const char* name;
  package::Package package;
};

std::vector<Named> packages() {
  const nn::QuantisedNetwork small = small_network(1), mixed = mixed_network();
  return {
      {"by hand", package::small_package()},
      {"by hand, slots", package::small_simd_package()},
      {"small", packaged(small, coefficient_plan(small, Protocols::alternating))},
      {"small, label", packaged(small, revealing_label(coefficient_plan(small, Protocols::gc), "gc"))},
      {"small, slots", packaged(small, slot_plan(small))},
      {"quadratics", packaged(mixed, coefficient_plan(mixed, Protocols::ot, 2))},
      {"tables and products", packaged(gated_network(), coefficient_plan(gated_network(), Protocols::gc))},
      {"long", long_package()},
  };
}

TEST(Files, Plans) {
  for (const Named& p : packages()) {
    expect_frozen(std::string("plan, ") + p.name, package::plan_to_json(p.package.plan).dump());
  }
}

TEST(Files, Packages) {
  std::string text;
  for (const Named& p : packages()) {
    const package::Pair pair = package::make_packages(p.package);
    text += fmt::format("{}: id {}\n", p.name, package::to_hex(pair.id));
    for (const auto& [role, file] : {std::pair("server", &pair.server), std::pair("client", &pair.client)}) {
      const package::PackageFile parts = package::take_apart(*file);
      text += fmt::format("  {}.apm: head {}, public part {} bytes, {}, body {} bytes, {}\n", role,
                          fmt::format("{:02x}", fmt::join(parts.head, "")), parts.shared().size(),
                          sha256(parts.shared()), parts.body.size(), sha256(parts.body));
    }
  }
  expect_frozen("packages", text);
}

// A version of the library for compression may choose other bytes for the same content.
TEST(Files, CompressedPackages) {
  const std::string name = std::string("packages, by zstd ") + ZSTD_versionString();
  if (!is_frozen(name) && std::getenv("AP_FREEZE") == nullptr) {
    GTEST_SKIP() << "nothing is frozen of " << name;
  }
  std::string text;
  for (const Named& p : packages()) {
    const package::Pair pair = package::make_packages(p.package);
    text += fmt::format("{}: server.apm {} bytes, {}, client.apm {} bytes, {}\n", p.name, pair.server.size(),
                        sha256(pair.server), pair.client.size(), sha256(pair.client));
  }
  expect_frozen(name, text);
}

}  // namespace
}  // namespace ap::transcripts
