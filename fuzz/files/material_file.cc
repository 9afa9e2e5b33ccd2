// The file of a stored inference: header, key, encrypted payload, hash. The file is made from the input so
// that a part of the inputs has the right hash.
#include <sys/mman.h>
#include <unistd.h>

#include "base/file_descriptor.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "protocol/material_file.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  const FileDescriptor file(::memfd_create("material", MFD_CLOEXEC));
  if (::write(file.get(), input.data(), input.size()) != static_cast<ssize_t>(input.size())) std::abort();
  const protocol::MaterialHeader header = protocol::read_material_header(file.get(), "fuzz.material");
  require(header.payload_bytes + protocol::kMaterialHeaderBytes == input.size(), "the length is the file's");
  const SecretBytes payload = protocol::read_material(file.get(), "fuzz.material");
  require(payload.size() == header.payload_bytes, "the payload has the announced length");
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> files;
  for (const std::size_t bytes : {0U, 1U, 200U}) {
    const FileDescriptor file(::memfd_create("material", MFD_CLOEXEC));
    protocol::MaterialHeader header;
    header.role = package::Role::server;
    header.created = 1'700'000'000;
    header.payload_bytes = bytes;
    protocol::write_material(file.get(), "seed", header, Bytes(bytes, 7));
    Bytes content(protocol::kMaterialHeaderBytes + bytes);
    if (::pread(file.get(), content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
      std::abort();
    files.push_back(std::move(content));
  }
  return files;
}

const Register known({.name = "material_file", .run = run, .seeds = seeds});

}  // namespace
}  // namespace ap::fuzz
