#include "nn/data/byte_source.h"

#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/error.h"

namespace ap::nn {
namespace {

constexpr std::size_t kBuffer = std::size_t{1} << 16;
/// Enough for every xz preset; a file that asks for more is refused.
constexpr std::uint64_t kXzMemory = std::uint64_t{256} << 20;

/// zlib's reader passes files that are not gzip through unchanged.
class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(const std::filesystem::path& path)
      : name_(path.string()), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) fail_input("cannot read {}: {}", name_, std::strerror(errno));
    gzbuffer(file_, kBuffer);
  }
  ~GzipSource() override { gzclose_r(file_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  std::size_t read(std::span<std::uint8_t> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto want = static_cast<unsigned>(std::min<std::size_t>(out.size() - done, std::size_t{1} << 30));
      const int got = gzread(file_, out.data() + done, want);
      if (got <= 0) {
        int code = Z_OK;
        const char* reason = gzerror(file_, &code);
        if (code != Z_OK && code != Z_STREAM_END) fail_input("{} is damaged or cut off: {}", name_, reason);
        break;
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  std::string name_;
  gzFile file_;
};

class XzSource final : public ByteSource {
 public:
  explicit XzSource(const std::filesystem::path& path)
      : name_(path.string()), file_(path, std::ios::binary), buffer_(kBuffer) {
    if (!file_) fail_input("cannot read {}", name_);
    if (lzma_stream_decoder(&stream_, kXzMemory, LZMA_CONCATENATED) != LZMA_OK) {
      fail_input("cannot start the xz decoder for {}", name_);
    }
  }
  ~XzSource() override { lzma_end(&stream_); }
  XzSource(const XzSource&) = delete;
  XzSource& operator=(const XzSource&) = delete;

  std::size_t read(std::span<std::uint8_t> out) override {
    stream_.next_out = out.data();
    stream_.avail_out = out.size();
    while (stream_.avail_out > 0 && !ended_) {
      if (stream_.avail_in == 0 && file_) {
        file_.read(reinterpret_cast<char*>(buffer_.data()), static_cast<std::streamsize>(buffer_.size()));
        stream_.next_in = buffer_.data();
        stream_.avail_in = static_cast<std::size_t>(file_.gcount());
      }
      const lzma_ret result = lzma_code(&stream_, stream_.avail_in == 0 ? LZMA_FINISH : LZMA_RUN);
      if (result == LZMA_STREAM_END) {
        ended_ = true;
      } else if (result == LZMA_MEMLIMIT_ERROR) {
        fail_input("{} needs more than {} MiB to decompress; compress it with a smaller dictionary", name_,
                   kXzMemory >> 20);
      } else if (result != LZMA_OK) {
        fail_input("{} is damaged or cut off (xz decoder error {})", name_, static_cast<int>(result));
      }
    }
    return out.size() - stream_.avail_out;
  }

 private:
  std::string name_;
  std::ifstream file_;
  std::vector<std::uint8_t> buffer_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool ended_ = false;
};

}  // namespace

std::uint64_t ByteSource::skip(std::uint64_t count) {
  std::vector<std::uint8_t> sink(kBuffer);
  std::uint64_t done = 0;
  while (done < count) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(count - done, sink.size()));
    const std::size_t got = read(std::span(sink).first(want));
    done += got;
    if (got < want) break;
  }
  return done;
}

std::unique_ptr<ByteSource> open_source(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    fail_input("cannot read {}: there is no such file", path.string());
  }
  static constexpr std::uint8_t kXzMagic[] = {0xFD, '7', 'z', 'X', 'Z', 0};
  char head[sizeof kXzMagic] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  if (std::memcmp(head, kXzMagic, sizeof head) == 0) return std::make_unique<XzSource>(path);
  return std::make_unique<GzipSource>(path);
}

}  // namespace ap::nn
