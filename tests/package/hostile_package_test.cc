// Packages come from anywhere. Whatever is in the file, reading it ends in a package that passed every check
// or in an Error(input): no other exception, no crash, no memory out of proportion.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <nlohmann/json.hpp>
#include <random>

#include "package/package.h"
#include "tests/package/package_file.h"
#include "tests/package/small_package.h"

namespace {

// The largest single request for memory of this program.
std::atomic<std::size_t> largest_request{0};

void* counted(std::size_t bytes) {
  std::size_t seen = largest_request;
  while (bytes > seen && !largest_request.compare_exchange_weak(seen, bytes)) {
  }
  if (void* memory = std::malloc(bytes ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void* operator new[](std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace ap::package {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMuchMemory = std::size_t{16} << 20;

enum class Outcome { accepted, refused };

/// Parses and checks how it ended.
Outcome try_parse(ByteView file, const std::string& what) {
  largest_request = 0;
  Outcome outcome = Outcome::refused;
  try {
    parse(file, "test.apm");
    outcome = Outcome::accepted;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::input) << what << ": " << error.what();
    EXPECT_GT(std::string(error.what()).size(), 10u) << what;
  } catch (const std::exception& error) {
    ADD_FAILURE() << what << ": " << error.what();
  }
  EXPECT_LT(largest_request, kMuchMemory) << what;
  return outcome;
}

/// How parsing ended; 0 if it was accepted.
ErrorCode refusal_of(ByteView file) {
  try {
    parse(file, "test.apm");
    return ErrorCode{};
  } catch (const Error& error) {
    return error.code();
  }
}

class HostilePackage : public testing::Test {
 protected:
  const Pair pair_ = make_packages(small_package());
  const PackageFile server_ = take_apart(pair_.server);
  const PackageFile client_ = take_apart(pair_.client);

  Bytes with_json(const Json& json) const { return with_json(json, server_); }
  static Bytes with_json(const Json& json, const PackageFile& file) {
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    PackageFile changed = file;
    changed.body = body_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, file.rest());
    return put_together(changed);
  }
  Json json() const { return json_of(server_); }
  static Json json_of(const PackageFile& file) {
    return Json::parse(file.shared().begin(), file.shared().end());
  }
  static void replace_every_field(const PackageFile& file);
};

TEST_F(HostilePackage, TheTestsOwnWriterIsAccepted) {
  EXPECT_EQ(try_parse(put_together(server_), "server"), Outcome::accepted);
  EXPECT_EQ(try_parse(put_together(client_), "client"), Outcome::accepted);
  EXPECT_EQ(try_parse(with_json(json()), "json"), Outcome::accepted);
}

TEST_F(HostilePackage, EveryTruncation) {
  for (const Bytes* file : {&pair_.server, &pair_.client}) {
    for (std::size_t length = 0; length < file->size(); ++length) {
      ASSERT_EQ(try_parse(ByteView(*file).first(length), fmt::format("{} bytes", length)), Outcome::refused);
    }
  }
}

TEST_F(HostilePackage, BytesBehindTheEnd) {
  Bytes file = pair_.server;
  file.push_back(0);
  EXPECT_EQ(try_parse(file, "one byte more"), Outcome::refused);
}

TEST_F(HostilePackage, EveryBitFlip) {
  for (const Bytes* file : {&pair_.server, &pair_.client}) {
    Bytes damaged = *file;
    for (std::size_t bit = 0; bit < 8 * damaged.size(); ++bit) {
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      ASSERT_EQ(try_parse(damaged, fmt::format("bit {}", bit)), Outcome::refused);
      damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
  }
}

TEST_F(HostilePackage, BitFlipsWithARightChecksum) {
  // In the header and the compressed bytes: sizes that lie, broken Zstandard frames.
  Bytes damaged(pair_.server.begin(), pair_.server.end() - 32);
  for (std::size_t bit = 0; bit < 8 * damaged.size(); ++bit) {
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    // A frame that declares gigabytes, header and frame agreeing, is the subject of its own test.
    try_parse(sign(damaged), fmt::format("bit {}", bit));
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    if (HasFailure()) break;
  }
}

TEST_F(HostilePackage, RandomDamageInsideTheBody) {
  std::mt19937_64 random(1);
  int accepted = 0;
  for (int round = 0; round < 4000; ++round) {
    PackageFile damaged = round % 4 ? server_ : client_;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      const std::size_t at = random() % damaged.body.size();
      switch (random() % 4) {
        case 0:
          damaged.body[at] ^= static_cast<std::uint8_t>(1u << random() % 8);
          break;
        case 1:
          damaged.body[at] = static_cast<std::uint8_t>(random());
          break;
        case 2:
          damaged.body.erase(damaged.body.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        default:
          damaged.body.insert(damaged.body.begin() + static_cast<std::ptrdiff_t>(at), damaged.body[at]);
      }
    }
    accepted += try_parse(put_together(damaged), fmt::format("round {}", round)) == Outcome::accepted;
    if (HasFailure()) break;
  }
  EXPECT_GT(accepted, 0)
      << "some damage (a letter of a name) is harmless; if none is, the test tests the frame only";
}

/// Calls change(pointer) for every value inside `json`.
void for_every_value(const Json& json, const Json::json_pointer& at,
                     const std::function<void(const Json::json_pointer&)>& visit) {
  visit(at);
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) for_every_value(value, at / key, visit);
  } else if (json.is_array()) {
    for (std::size_t i = 0; i < json.size(); ++i) for_every_value(json[i], at / i, visit);
  }
}

void HostilePackage::replace_every_field(const PackageFile& file) {
  const std::vector<Json> hostile = {nullptr,
                                     true,
                                     "",
                                     "x",
                                     Json::array(),
                                     Json::object(),
                                     -1,
                                     0,
                                     1,
                                     2,
                                     3,
                                     7,
                                     41,
                                     64,
                                     65,
                                     1000,
                                     1 << 20,
                                     2147483647,
                                     -2147483648LL,
                                     4294967296LL,
                                     9007199254740993LL,
                                     9223372036854775807LL,
                                     18446744073709551615ULL,
                                     0.5,
                                     -0.5,
                                     1e30,
                                     -1e300,
                                     Json::array({-1}),
                                     Json::array({2147483647, 2147483647, 2147483647}),
                                     Json::array({0, 0, 0}),
                                     Json::array({1, 65536, 65536})};
  const Json good = json_of(file);
  int tried = 0;
  for_every_value(good, Json::json_pointer(), [&](const Json::json_pointer& at) {
    for (const Json& value : hostile) {
      Json bad = good;
      bad[at] = value;
      try_parse(with_json(bad, file), at.to_string() + " = " + value.dump());
      ++tried;
      if (HasFailure()) return;
    }
    if (at.empty()) return;
    Json bad = good;
    Json& parent = bad[at.parent_pointer()];
    if (parent.is_object()) {
      parent.erase(at.back());
      EXPECT_EQ(try_parse(with_json(bad, file), at.to_string() + " left out"),
                at.back() == "pool" || at.back() == "notes" ? Outcome::accepted : Outcome::refused);
    }
  });
  EXPECT_GT(tried, 2000);
}

TEST_F(HostilePackage, EveryFieldOfTheJsonReplaced) { replace_every_field(server_); }

TEST_F(HostilePackage, EveryFieldOfAPlanThatPacksBySlotsReplaced) {
  replace_every_field(take_apart(make_packages(small_simd_package()).server));
}

TEST_F(HostilePackage, NestingOfAMillionBrackets) {
  const std::string deep(1'000'000, '[');
  PackageFile changed = server_;
  changed.body = body_of({reinterpret_cast<const std::uint8_t*>(deep.data()), deep.size()}, server_.rest());
  EXPECT_EQ(try_parse(put_together(changed), "deep"), Outcome::refused);
}

// Megabytes of JSON in a kilobyte of file.
TEST_F(HostilePackage, TextThatWouldGrow) {
  constexpr std::size_t kPublic = std::size_t{16} << 20;
  for (const PackageFile* file : {&client_, &server_}) {
    for (const std::string unit : {" ", "[", "{\"a\":", "0,", "{},", "[],", "\"\",", "x", "9"}) {
      std::string text = "[";
      while (text.size() + unit.size() <= kPublic) text += unit;
      PackageFile changed = *file;
      changed.body = body_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, file->rest());
      largest_request = 0;
      EXPECT_EQ(refusal_of(put_together(changed)), ErrorCode::input) << unit;
      EXPECT_LE(largest_request, 3 * kPublic) << unit;
      text += std::string(unit.size(), ' ');
      changed.body = body_of({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, file->rest());
      largest_request = 0;
      const Bytes longer = put_together(changed);
      EXPECT_EQ(refusal_of(longer), ErrorCode::input) << unit;
    }
  }
}

TEST_F(HostilePackage, NumbersAreNotCutToFit) {
  const std::vector<std::pair<const char*, Json>> changes = {
      {"/network/nodes/0/shape/1", 4294967324},
      {"/network/nodes/0/shape/1", 28.9},
      {"/network/nodes/0/shape", Json::array({1, 4, 4, 7})},
      {"/network/nodes/1/window/pad/0", std::int64_t{1} << 62},
      {"/network/nodes/1/window/kernel/0", 3.0},
      {"/network/nodes/2/shift", 4294967300},
      {"/network/input_scale", 0},
      {"/network/input_range", Json::array({-8, 7, 1})},
      {"/plan/linears/0/error_std", 0},
      {"/plan/linears/0/error_std", nullptr},  // as NaN is written
      {"/plan/linears/0/failure_log2", -1e300},
      {"/plan/linears/0/failure_log2", -71},
      {"/plan/linears/0/predicted_s", 1e300},
      {"/plan/linears/0/log2_p", 4294967296 + 20},
      {"/plan/linears/0/noise_step", -1},
      {"/plan/failure_log2", -1e9},
      {"/plan/failure_log2", 5},
      {"/plan/failure_log2", -39},
      {"/plan/min_lambda_bits", -1},
      {"/plan/privacy/inferences", -1},
      {"/plan/policy", std::string(1000, 'x')},
      {"/labels", Json::array({std::string(2000, 'x')})}};
  for (const auto& [place, value] : changes) {
    Json bad = json();
    bad[Json::json_pointer(place)] = value;
    EXPECT_EQ(try_parse(with_json(bad), place), Outcome::refused) << place << " = " << value;
  }
}

TEST_F(HostilePackage, SizesThatLie) {
  const Bytes packed(pair_.server.begin() + 28, pair_.server.end() - 32);
  const std::uint64_t real = server_.body.size();
  for (const std::uint64_t lie : {std::uint64_t{0}, real - 1, real + 1, std::uint64_t{1} << 31,
                                  (std::uint64_t{1} << 31) + 1, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    EXPECT_EQ(try_parse(assemble(server_.head, lie, packed.size(), packed), "body size"), Outcome::refused);
  }
  for (const std::uint64_t lie :
       {std::uint64_t{0}, packed.size() - 1, packed.size() + 1, ~std::uint64_t{0}, ~std::uint64_t{0} - 31}) {
    EXPECT_EQ(try_parse(assemble(server_.head, real, lie, packed), "packed size"), Outcome::refused);
  }
}

TEST_F(HostilePackage, FrameAndHeaderThatLieTogether) {
  // A Zstandard frame header (single segment, eight bytes of content size) that declares 2 GiB, and an empty block.
  const std::uint64_t lie = std::uint64_t{1} << 31;
  ByteWriter frame;
  frame.u32(0xfd2fb528);
  frame.u8(0xe0);
  frame.u64(lie);
  frame.raw(Bytes{0x01, 0x00, 0x00});
  EXPECT_EQ(try_parse(assemble(server_.head, lie, frame.bytes().size(), frame.bytes()), "2 GiB"),
            Outcome::refused);
}

TEST_F(HostilePackage, CountsThatLieInsideTheBody) {
  const std::size_t shared_bytes = server_.shared().size();
  const auto patched = [&](std::size_t offset, std::uint64_t value, std::size_t width) {
    PackageFile changed = server_;
    std::memcpy(changed.body.data() + offset, &value, width);
    return put_together(changed);
  };
  std::uint32_t range_bytes;
  std::memcpy(&range_bytes, server_.rest().data(), 4);
  const std::size_t weights_at = 4 + shared_bytes + 4 + range_bytes;
  for (const std::uint64_t lie : {std::uint64_t{0}, std::uint64_t{17}, std::uint64_t{19},
                                  std::uint64_t{1} << 32, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    EXPECT_EQ(try_parse(patched(weights_at, lie, 8), "weight count"), Outcome::refused);
    EXPECT_EQ(try_parse(patched(weights_at + 8 + 36, lie, 8), "bias count"), Outcome::refused);
    EXPECT_EQ(try_parse(patched(0, lie, 4), "public length"), Outcome::refused);
    EXPECT_EQ(try_parse(patched(4 + shared_bytes, lie, 4), "range length"), Outcome::refused);
  }
}

TEST_F(HostilePackage, ClientFileWithAPrivatePart) {
  PackageFile changed = server_;
  changed.head[10] = 1;
  EXPECT_EQ(try_parse(put_together(changed), "client with weights"), Outcome::refused);
  PackageFile other = client_;
  other.head[10] = 2;
  EXPECT_EQ(try_parse(put_together(other), "server without weights"), Outcome::refused);
}

TEST_F(HostilePackage, WhatIsRevealedIsNeverGuessed) {
  Json label = json();
  label["plan"]["reveal"] = "label";
  for (const char* protocol : {"auto", "gc", "ot"}) {
    label["plan"]["argmax_engine"] = protocol;
    EXPECT_EQ(try_parse(with_json(label), protocol), Outcome::accepted);
  }
  for (const Json& protocol : {Json("beaver"), Json(""), Json(1)}) {
    label["plan"]["argmax_engine"] = protocol;
    EXPECT_EQ(try_parse(with_json(label), protocol.dump()), Outcome::refused);
  }
  label["plan"].erase("argmax_engine");
  EXPECT_EQ(try_parse(with_json(label), "no protocol"), Outcome::refused);
  for (const Json& reveal : {Json("Label"), Json("all"), Json(""), Json(true), Json()}) {
    Json changed = json();
    changed["plan"]["reveal"] = reveal;
    EXPECT_EQ(try_parse(with_json(changed), reveal.dump()), Outcome::refused);
  }
  Json without = json();
  without["plan"].erase("reveal");
  EXPECT_EQ(try_parse(with_json(without), "no reveal"), Outcome::refused);
}

TEST_F(HostilePackage, OtherVersionsAndRoles) {
  for (const int version : {0, 1, 2, 4, 255}) {
    PackageFile changed = server_;
    changed.head[8] = static_cast<std::uint8_t>(version);
    EXPECT_EQ(try_parse(put_together(changed), "version"), Outcome::refused);
  }
  for (const int role : {0, 3, 255}) {
    PackageFile changed = server_;
    changed.head[10] = static_cast<std::uint8_t>(role);
    EXPECT_EQ(try_parse(put_together(changed), "role"), Outcome::refused);
  }
}

}  // namespace
}  // namespace ap::package
