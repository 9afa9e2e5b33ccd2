// The file of a stored inference: header, key, encrypted payload, hash. The file is made from the input so
// that a part of the inputs has the right hash.
#include <algorithm>

#include "base/directory.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "protocol/store/preprocessing_file.h"

namespace ap::fuzz {
namespace {

/// A file in memory.
class MemoryFile final : public DirectoryFile {
 public:
  explicit MemoryFile(ByteView start = {}) : content(start.begin(), start.end()) {}
  int read(std::span<std::uint8_t> bytes, std::uint64_t offset, std::size_t& got) override {
    const std::size_t at = std::min<std::uint64_t>(offset, content.size());
    got = std::min(bytes.size(), content.size() - at);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(at), got, bytes.begin());
    return 0;
  }
  int write(ByteView bytes, std::uint64_t offset, std::size_t& put) override {
    content.resize(std::max<std::size_t>(content.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
    put = bytes.size();
    return 0;
  }
  int sync() override { return 0; }
  int info(FileInfo& info) override {
    info = {content.size(), 0, true, true};
    return 0;
  }
  Bytes content;
};

void run(ByteView input) {
  MemoryFile file(input);
  const protocol::PreprocessingHeader header = protocol::read_preprocessing_header(file, "fuzz.material");
  require(header.payload_bytes + protocol::kPreprocessingHeaderBytes == input.size(),
          "the length is the file's");
  const SecretBytes payload = protocol::read_preprocessing(file, "fuzz.material");
  require(payload.size() == header.payload_bytes, "the payload has the announced length");
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> files;
  for (const std::size_t bytes : {0U, 1U, 200U}) {
    MemoryFile file;
    protocol::PreprocessingHeader header;
    header.role = Party::server;
    header.created = 1'700'000'000;
    header.payload_bytes = bytes;
    protocol::write_preprocessing(file, "seed", header, Bytes(bytes, 7));
    files.push_back(std::move(file.content));
  }
  return files;
}

const Register known({.name = "material_file", .run = run, .seeds = seeds});

}  // namespace
}  // namespace ap::fuzz
