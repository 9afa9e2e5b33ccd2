#include "package/stored_frame.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "package/package.h"
#include "package/zstd_frame.h"
#include "tests/package/package_file.h"
#include "tests/package/small_package.h"

namespace ap::package {
namespace {

Bytes content(std::size_t bytes) {
  Bytes out(bytes);
  for (std::size_t i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(i * i >> 7);
  return out;
}

/// Everything, in pieces of this many bytes.
template <typename Reader>
Bytes read_all(ByteView frame, std::size_t size, std::size_t piece) {
  Reader reader(frame, size, "test.apm");
  Bytes out(size);
  for (std::size_t at = 0; at < size; at += piece)
    reader.read(std::span(out).subspan(at, std::min(piece, size - at)));
  reader.expect_end();
  return out;
}

constexpr std::size_t kBlock = std::size_t{1} << 17;

TEST(StoredFrame, EveryZstandardReadsItAndSoDoesTheReaderWithout) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{5000}, kBlock - 1, kBlock,
                                 kBlock + 1, 2 * kBlock, 3 * kBlock + 17}) {
    const Bytes expected = content(size), frame = stored_frame(expected);
    EXPECT_LE(frame.size(), size + 3 * (size / kBlock + 1) + 14);
    for (const std::size_t piece : {std::size_t{777}, kBlock, std::size_t{1} << 20}) {
      EXPECT_EQ(read_all<ZstdFrameReader>(frame, size, piece), expected) << size;
      EXPECT_EQ(read_all<StoredFrameReader>(frame, size, piece), expected) << size;
    }
  }
}

TEST(StoredFrame, DamageIsAnErrorThatNamesTheFile) {
  const Bytes good = stored_frame(content(kBlock + 100));
  const auto refused = [](const Bytes& frame, std::size_t size) {
    try {
      read_all<StoredFrameReader>(frame, size, 1000);
    } catch (const Error& error) {
      return error.code() == ErrorCode::input && std::string(error.what()).find("test.apm") == 0;
    }
    return false;
  };
  EXPECT_FALSE(refused(good, kBlock + 100));
  EXPECT_TRUE(refused(good, kBlock + 99)) << "another size than the frame says";
  for (std::size_t cut = 0; cut < good.size(); cut += cut < 30 ? 1 : 997) {
    EXPECT_TRUE(refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut)), kBlock + 100))
        << cut;
  }
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_TRUE(refused(longer, kBlock + 100));
  const auto changed = [&](std::size_t at, std::uint8_t bits) {
    Bytes frame = good;
    frame[at] ^= bits;
    return frame;
  };
  EXPECT_TRUE(refused(changed(14, 1), kBlock + 100)) << "a last block before the end";
  EXPECT_TRUE(refused(changed(14, 4), kBlock + 100)) << "a compressed block";
  EXPECT_TRUE(refused(changed(14, 2), kBlock + 100)) << "a repeated byte";
  EXPECT_TRUE(refused(changed(16, 0x80), kBlock + 100)) << "a block of more than its largest size";
  EXPECT_TRUE(refused(changed(17 + kBlock, 1), kBlock + 100)) << "no last block";
}

TEST(StoredFrame, ACompressedFrameIsRefusedWithWhatToDo) {
  const Bytes frame = zstd_frame(content(5000));
  try {
    StoredFrameReader(frame, 5000, "test.apm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("compile --uncompressed"), std::string::npos);
  }
}

TEST(StoredFrame, APackageWithoutCompressionIsTheSamePackage) {
  const Pair pair = make_packages(small_package());
  for (const Bytes& file : {pair.client, pair.server}) {
    const Bytes plain = without_compression(file, "test.apm");
    EXPECT_EQ(parse(plain, "test.apm").id, pair.id);
    const PackageFile parts = take_apart(plain), original = take_apart(file);
    EXPECT_EQ(parts.head, original.head);
    EXPECT_EQ(parts.body, original.body);
    EXPECT_NE(std::search(plain.begin(), plain.end(), original.body.begin(), original.body.end()),
              plain.end());
    EXPECT_EQ(without_compression(plain, "test.apm"), plain);
  }
  Bytes damaged = pair.client;
  damaged[40] ^= 1;
  EXPECT_THROW(without_compression(damaged, "test.apm"), Error);
}

}  // namespace
}  // namespace ap::package
