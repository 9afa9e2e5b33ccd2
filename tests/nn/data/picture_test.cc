#include "nn/data/picture.h"

#include "nn/data/picture_decoders.h"
#include "tests/nn/data/picture_files.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

std::vector<std::uint8_t> pixels_of(const Bytes& file, int channels) {
  return with_channels(decode_picture(file, "x"), channels).pixels;
}

using Pixels = std::vector<std::uint8_t>;

TEST(Png, GreyOfEveryDepth) {
  EXPECT_EQ(pixels_of(png_file(3, PNG_COLOR_TYPE_GRAY, 1, {{0b01000000}}), 1), (Pixels{0, 255, 0}));
  EXPECT_EQ(pixels_of(png_file(4, PNG_COLOR_TYPE_GRAY, 2, {{0b00011011}}), 1), (Pixels{0, 85, 170, 255}));
  EXPECT_EQ(pixels_of(png_file(2, PNG_COLOR_TYPE_GRAY, 4, {{0x3f}}), 1), (Pixels{51, 255}));
  EXPECT_EQ(pixels_of(png_file(2, PNG_COLOR_TYPE_GRAY, 8, {{7, 200}}), 1), (Pixels{7, 200}));
  // The high byte: neither rounded nor in linear light.
  EXPECT_EQ(pixels_of(png_file(3, PNG_COLOR_TYPE_GRAY, 16, {{0x80, 0x80, 0x12, 0xff, 0xff, 0x00}}), 1),
            (Pixels{128, 0x12, 255}));
}

TEST(Png, ColourOfEveryDepthAndPalette) {
  const Pixels rgb = {200, 50, 10, 1, 2, 3};
  EXPECT_EQ(pixels_of(png_file(2, PNG_COLOR_TYPE_RGB, 8, {{200, 50, 10, 1, 2, 3}}), 3), rgb);
  EXPECT_EQ(pixels_of(png_file(2, PNG_COLOR_TYPE_RGB, 16, {{200, 9, 50, 200, 10, 255, 1, 0, 2, 0, 3, 0}}), 3),
            rgb);
  const auto palette = [](png_structp png, png_infop info) {
    const png_color colours[] = {{1, 2, 3}, {200, 50, 10}};
    const png_byte alpha[] = {0};
    png_set_PLTE(png, info, colours, 2);
    png_set_tRNS(png, info, alpha, 1, nullptr);
  };
  const Bytes file = png_file(2, PNG_COLOR_TYPE_PALETTE, 1, {{0b10000000}}, PNG_INTERLACE_NONE, palette);
  EXPECT_EQ(pixels_of(file, 3), rgb);
  EXPECT_TRUE(decode_picture(file, "x").had_alpha);
  EXPECT_EQ(pixels_of(file, 1), (Pixels{90, 2}));
}

TEST(Png, GammaIsIgnoredAndAlphaLeftOut) {
  const auto gamma = [](png_structp png, png_infop info) { png_set_gAMA(png, info, 1.0); };
  EXPECT_EQ(pixels_of(png_file(2, PNG_COLOR_TYPE_GRAY, 8, {{10, 200}}, PNG_INTERLACE_NONE, gamma), 1),
            (Pixels{10, 200}));
  const Bytes rgba = png_file(2, PNG_COLOR_TYPE_RGBA, 8, {{200, 50, 10, 128, 1, 2, 3, 0}});
  EXPECT_EQ(pixels_of(rgba, 3), (Pixels{200, 50, 10, 1, 2, 3}));
  EXPECT_TRUE(decode_picture(rgba, "x").had_alpha);
  EXPECT_EQ(pixels_of(png_file(1, PNG_COLOR_TYPE_GA, 16, {{77, 9, 0, 0}}), 1), (Pixels{77}));
  EXPECT_FALSE(decode_picture(png_file(1, PNG_COLOR_TYPE_GRAY, 8, {{1}}), "x").had_alpha);
}

TEST(Png, InterlacedIsTheSame) {
  std::vector<Bytes> rows;
  Pixels all;
  for (int y = 0; y < 11; ++y) {
    Bytes row;
    for (int x = 0; x < 13; ++x) row.push_back(static_cast<std::uint8_t>(31 * y + 7 * x));
    rows.push_back(row);
    all.insert(all.end(), row.begin(), row.end());
  }
  EXPECT_EQ(pixels_of(png_file(13, PNG_COLOR_TYPE_GRAY, 8, rows, PNG_INTERLACE_ADAM7), 1), all);
}

TEST(Picture, GreyAndColourBecomeEachOther) {
  // What PIL 9.4 makes of (200, 50, 10), white, black, the three primaries: integers, to the last.
  const Bytes file = png_file(6, PNG_COLOR_TYPE_RGB, 8,
                              {{200, 50, 10, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255}});
  EXPECT_EQ(pixels_of(file, 1), (Pixels{90, 255, 0, 76, 150, 29}));
  EXPECT_EQ(pixels_of(png_file(2, PNG_COLOR_TYPE_GRAY, 8, {{7, 200}}), 3), (Pixels{7, 7, 7, 200, 200, 200}));
}

/// 16 x 24 pixels whose quarters have the values 10, 80 (above), 150 and 220.
Bytes quarters(JpegOptions options) {
  Bytes pixels;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 24; ++x)
      pixels.push_back(static_cast<std::uint8_t>(10 + 70 * (x >= 16 ? 1 : 0) + 140 * (y >= 8 ? 1 : 0)));
  }
  return jpeg_file(16, 24, 1, pixels, options);
}

TEST(Jpeg, GreyOfUniformBlocksIsExact) {
  for (const bool progressive : {false, true}) {
    const Picture p = decode_picture(quarters({progressive, 0, false}), "x");
    EXPECT_EQ(p.channels, 1);
    EXPECT_EQ(p.height, 16);
    EXPECT_EQ(p.width, 24);
    EXPECT_EQ(p.pixels[0], 10);
    EXPECT_EQ(p.pixels[23], 80);
    EXPECT_EQ(p.pixels[8 * 24], 150);
    EXPECT_EQ(p.pixels[8 * 24 + 16], 220);
    EXPECT_FALSE(p.was_turned);
  }
}

TEST(Jpeg, ColoursAreNear) {
  Bytes pixels;
  for (int i = 0; i < 64; ++i) pixels.insert(pixels.end(), {200, 50, 10});
  const Picture p = decode_picture(jpeg_file(8, 8, 3, pixels), "x");
  EXPECT_EQ(p.channels, 3);
  EXPECT_NEAR(p.pixels[0], 200, 2);
  EXPECT_NEAR(p.pixels[1], 50, 2);
  EXPECT_NEAR(p.pixels[2], 10, 2);
}

TEST(Jpeg, InksAreSubtracted) {
  // Stored as Adobe does, 255 for no ink; PIL 9.4 makes (94, 94, 94) and (207, 46, 190) of the inks.
  for (const auto& [inks, rgb] : {std::pair(Pixels{100, 100, 100, 100}, Pixels{94, 94, 94}),
                                  std::pair(Pixels{10, 200, 30, 40}, Pixels{207, 46, 190})}) {
    Bytes stored;
    for (int i = 0; i < 256; ++i)
      stored.push_back(static_cast<std::uint8_t>(255 - inks[static_cast<std::size_t>(i % 4)]));
    const Picture p = decode_picture(jpeg_file(8, 8, 4, stored), "x");
    EXPECT_EQ(p.channels, 3);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(p.pixels[c], rgb[c], 1);
  }
}

TEST(Jpeg, StandsUprightByItsOrientation) {
  // The corners, from above left in rows, that each orientation is shown with.
  const std::vector<Pixels> shown = {{10, 80, 150, 220}, {80, 10, 220, 150}, {220, 150, 80, 10},
                                     {150, 220, 10, 80}, {10, 150, 80, 220}, {150, 10, 220, 80},
                                     {220, 80, 150, 10}, {80, 220, 10, 150}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool big_endian : {false, true}) {
      const Picture p = decode_picture(quarters({false, orientation, big_endian}), "x");
      const bool sideways = orientation > 4;
      ASSERT_EQ(p.height, sideways ? 24 : 16);
      ASSERT_EQ(p.width, sideways ? 16 : 24);
      const auto row = static_cast<std::size_t>(p.width);
      const Pixels corners = {p.pixels.front(), p.pixels[row - 1], p.pixels[p.pixels.size() - row],
                              p.pixels.back()};
      EXPECT_EQ(corners, shown[static_cast<std::size_t>(orientation - 1)]) << orientation;
      EXPECT_EQ(p.was_turned, orientation != 1);
    }
  }
}

TEST(Exif, DamagedDataMeanUpright) {
  const Bytes good = exif_with(6, true);
  EXPECT_EQ(exif_orientation(good), 6);
  for (std::size_t size = 0; size < good.size() - 6; ++size)
    EXPECT_EQ(exif_orientation(ByteView(good).first(size)), 1) << size;
  EXPECT_EQ(exif_orientation(exif_with(9, false)), 1);
  EXPECT_EQ(exif_orientation(exif_with(0, false)), 1);
  Bytes far = exif_with(3, false);
  far[7] = 0xff;  // the list lies behind the end
  EXPECT_EQ(exif_orientation(far), 1);
}

TEST(Picture, DamagedFilesAreRefused) {
  std::vector<Bytes> rows(16, Bytes(24));
  for (std::size_t i = 0; i < 384; ++i) rows[i / 24][i % 24] = static_cast<std::uint8_t>(i * i);
  for (const Bytes& good :
       {png_file(24, PNG_COLOR_TYPE_GRAY, 8, rows), quarters({}), quarters({true, 0, false})}) {
    EXPECT_EQ(decode_picture(good, "x").pixels.size(), 384U);
    for (std::size_t size = 0; size + 13 < good.size(); ++size) {
      const std::string text = error_of([&] { decode_picture(ByteView(good).first(size), "cut.bin"); });
      expect_contains(text, {"cut.bin"});
    }
  }
  expect_contains(error_of([] {
                    decode_picture(Bytes{'G', 'I', 'F', '8', '9', 'a'}, "a.png");
                  }),
                  {"a.png", "neither", "JPEG"});
}

/// The file with other bytes for its sides.
TEST(Picture, SidesAreCheckedBeforeMemoryIsTaken) {
  Bytes png = png_file(1, PNG_COLOR_TYPE_GRAY, 8, {{1}}), jpeg = quarters({});
  // A wrong checksum would end it first, so one is put right by hand.
  const auto resized = [](int width, int height) {
    return png_file(
        width, PNG_COLOR_TYPE_GRAY, 1,
        std::vector<Bytes>(static_cast<std::size_t>(height), Bytes(static_cast<std::size_t>(width + 7) / 8)));
  };
  expect_contains(error_of([&] { decode_picture(resized(16385, 1), "w.png"); }),
                  {"w.png", "16385x1", "16384"});
  expect_contains(error_of([&] { decode_picture(resized(1, 16385), "h.png"); }), {"1x16385"});
  for (std::size_t at = 0; at + 8 < jpeg.size(); ++at) {
    if (jpeg[at] == 0xff && jpeg[at + 1] == 0xc0) jpeg[at + 5] = jpeg[at + 7] = 0x40;  // 16400 x 16408
  }
  expect_contains(error_of([&] { decode_picture(jpeg, "j.jpg"); }), {"j.jpg", "16408x16400"});
}

}  // namespace
}  // namespace ap::nn
