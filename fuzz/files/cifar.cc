// CIFAR records, and the readers of compressed files in front of them.
#include <lzma.h>
#include <zlib.h>

#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "nn/data/dataset_formats.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  Choices choices(input);
  const bool hundred = choices.number(1) % 2 == 1;
  const auto file = temporary_directory().write("cifar.bin", input);
  const nn::Dataset data = nn::read_cifar(file, hundred ? 2 : 1, hundred ? 100 : 10, {0, 2});
  require(data.size() > 0 && data.size() <= 2, "what was selected");
  for (const int label : data.labels) require(label >= 0 && label < (hundred ? 100 : 10), "a class");
}

Bytes xz(const Bytes& data) {
  Bytes out(lzma_stream_buffer_bound(data.size()));
  std::size_t size = 0;
  if (lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, data.data(), data.size(), out.data(), &size,
                              out.size()) != LZMA_OK) {
    std::abort();
  }
  out.resize(size);
  return out;
}

Bytes gzip(const Bytes& data) {
  z_stream stream{};
  Bytes out(data.size() + 1024);
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) std::abort();
  stream.next_in = const_cast<std::uint8_t*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::vector<Bytes> seeds() {
  const Bytes record(3073, 3);
  std::vector<Bytes> files = {record, xz(record), gzip(record)};
  for (Bytes& file : files) file.insert(file.begin(), 0);
  return files;
}

const Register known({.name = "cifar", .run = run, .seeds = seeds, .max_bytes = 4096});

}  // namespace
}  // namespace ap::fuzz
