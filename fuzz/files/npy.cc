// NumPy arrays: images and labels, each plain or compressed.
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "nn/data/dataset_formats.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  Choices choices(input);
  const std::size_t cut = std::min<std::size_t>(choices.number(2), input.size());
  const auto images = temporary_directory().write("images.npy", input.first(cut));
  const bool labelled = cut < input.size();
  const auto labels = temporary_directory().write("labels.npy", input.subspan(cut));
  const nn::Dataset data = nn::read_npy(images, labelled ? labels : std::filesystem::path(), {0, 3});
  require(data.size() > 0 && data.size() <= 3 && data.has_labels() == labelled, "what was selected");
  (void)data.input(data.size() - 1, nn::Normalization{});
}

Bytes npy(const std::string& type, const std::string& shape, const Bytes& values) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize(118, ' ');
  Bytes out = bytes_of("\x93NUMPY");
  out.insert(out.end(), {1, 0, static_cast<std::uint8_t>(header.size()), 0});
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), values.begin(), values.end());
  return out;
}

Bytes both(const Bytes& images, const Bytes& labels) {
  Bytes out = {static_cast<std::uint8_t>(images.size() >> 8), static_cast<std::uint8_t>(images.size())};
  out.insert(out.end(), images.begin(), images.end());
  out.insert(out.end(), labels.begin(), labels.end());
  return out;
}

std::vector<Bytes> seeds() {
  return {both(npy("|u1", "3, 1, 2, 2", Bytes(12, 9)), npy("<i8", "3,", Bytes(24, 0))),
          both(npy("<f4", "2, 2, 2", Bytes(32, 0)), npy("|u1", "2,", Bytes(2, 1))),
          both(npy("|u1", "4, 8", Bytes(32, 200)), {})};
}

const Register known({.name = "npy", .run = run, .seeds = seeds, .max_bytes = 2048, .dictionary = "npy"});

}  // namespace
}  // namespace ap::fuzz
