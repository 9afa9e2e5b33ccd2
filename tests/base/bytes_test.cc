#include "base/bytes.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <limits>

namespace ap {
namespace {

ErrorCode code_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message) *message = error.what();
    return error.code();
  }
  ADD_FAILURE() << "no ap::Error was thrown";
  return ErrorCode::internal;
}

TEST(Bytes, IntegersAreLittleEndian) {
  ByteWriter writer;
  writer.u8(0x01);
  writer.u16(0x0302);
  writer.u32(0x07060504);
  writer.u64(0x0f0e0d0c0b0a0908ULL);
  const Bytes expected{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  EXPECT_EQ(writer.bytes(), expected);
}

TEST(Bytes, DoubleIsItsIeeeBits) {
  ByteWriter writer;
  writer.f64(1.0);
  EXPECT_EQ(writer.bytes(), (Bytes{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}));
}

TEST(Bytes, StringIsItsLengthThenItsBytes) {
  ByteWriter writer;
  writer.string("ab");
  EXPECT_EQ(writer.bytes(), (Bytes{2, 0, 0, 0, 'a', 'b'}));
}

TEST(Bytes, EveryValueComesBack) {
  const Bytes blob{9, 8, 7};
  const std::string text("nul \0 inside", 12);
  ByteWriter writer;
  writer.u8(0xff);
  writer.u16(0xffff);
  writer.u32(0xffffffff);
  writer.u64(std::numeric_limits<std::uint64_t>::max());
  writer.f64(-0.0);
  writer.f64(std::numeric_limits<double>::infinity());
  writer.f64(std::numeric_limits<double>::denorm_min());
  writer.raw(blob);
  writer.string(text);
  writer.string("");
  const Bytes bytes = writer.take();

  ByteReader reader(bytes, "test");
  EXPECT_EQ(reader.remaining(), bytes.size());
  EXPECT_EQ(reader.u8(), 0xff);
  EXPECT_EQ(reader.u16(), 0xffff);
  EXPECT_EQ(reader.u32(), 0xffffffff);
  EXPECT_EQ(reader.u64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(std::bit_cast<std::uint64_t>(reader.f64()), std::bit_cast<std::uint64_t>(-0.0));
  EXPECT_EQ(reader.f64(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(reader.f64(), std::numeric_limits<double>::denorm_min());
  const ByteView raw = reader.raw(3);
  EXPECT_EQ(Bytes(raw.begin(), raw.end()), blob);
  EXPECT_EQ(reader.string(text.size()), text);
  EXPECT_EQ(reader.string(0), "");
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_NO_THROW(reader.expect_end());
}

TEST(Bytes, EveryTruncationFailsAndNothingIsReadPastTheEnd) {
  ByteWriter writer;
  writer.u32(5);
  writer.u64(6);
  writer.string("seven");
  const Bytes whole = writer.take();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    // An exactly sized copy, so that a read past the end is seen by the address sanitizer.
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(code_of([&] {
                ByteReader reader(cut, "test");
                reader.u32();
                reader.u64();
                reader.string(100);
              }),
              ErrorCode::input)
        << length;
  }
}

TEST(Bytes, AFailedReadNamesTheObjectAndMovesNothing) {
  const Bytes bytes{1, 2, 3};
  ByteReader reader(bytes, "reply of layer conv1", ErrorCode::peer);
  reader.u8();
  std::string message;
  EXPECT_EQ(code_of([&] { reader.u32(); }, &message), ErrorCode::peer);
  EXPECT_NE(message.find("reply of layer conv1"), std::string::npos) << message;
  EXPECT_NE(message.find("offset 1"), std::string::npos) << message;
  EXPECT_EQ(reader.u16(), 0x0302);
}

TEST(Bytes, HugeCountsDoNotWrapAround) {
  const Bytes bytes(16);
  ByteReader reader(bytes, "test");
  reader.u64();
  EXPECT_EQ(code_of([&] { reader.raw(std::numeric_limits<std::size_t>::max()); }), ErrorCode::input);
  EXPECT_EQ(code_of([&] { reader.raw(std::numeric_limits<std::size_t>::max() - 7); }), ErrorCode::input);
  EXPECT_EQ(reader.remaining(), 8u);
}

TEST(Bytes, AnAnnouncedStringLengthIsCheckedBeforeAllocating) {
  const Bytes liar{0xff, 0xff, 0xff, 0xff, 'a'};
  EXPECT_EQ(code_of([&] { ByteReader(liar, "test").string(100); }), ErrorCode::input);
  EXPECT_EQ(code_of([&] { ByteReader(liar, "test").string(0xffffffff); }), ErrorCode::input);
}

TEST(Bytes, ExpectEndCountsWhatIsLeft) {
  const Bytes bytes(3);
  ByteReader reader(bytes, "package x.apm");
  reader.u8();
  std::string message;
  EXPECT_EQ(code_of([&] { reader.expect_end(); }, &message), ErrorCode::input);
  EXPECT_NE(message.find("package x.apm has 2 bytes too many"), std::string::npos) << message;
}

TEST(Bytes, AnEmptyInputReadsAsEmpty) {
  ByteReader reader({}, "test");
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_TRUE(reader.raw(0).empty());
  EXPECT_NO_THROW(reader.expect_end());
}

}  // namespace
}  // namespace ap
