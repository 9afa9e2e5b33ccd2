// The idx files of MNIST.
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"
#include "fuzz/support/temporary_file.h"
#include "nn/data/dataset_formats.h"

namespace ap::fuzz {
namespace {

void run(ByteView input) {
  Choices choices(input);
  const std::size_t cut = std::min<std::size_t>(choices.number(2), input.size());
  temporary_directory().write("t10k-images-idx3-ubyte", input.first(cut));
  temporary_directory().write("t10k-labels-idx1-ubyte", input.subspan(cut));
  const nn::Dataset data = nn::read_idx(temporary_directory().path(), "t10k", {1, 3});
  require(data.size() > 0 && data.size() <= 2 && data.labels.size() == data.size(), "what was selected");
}

std::vector<Bytes> seeds() {
  Bytes file = {0, 36, 0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 2, 0, 0, 0, 2};
  file.resize(2 + 16 + 20, 9);
  const Bytes labels = {0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5};
  file.insert(file.end(), labels.begin(), labels.end());
  return {file};
}

const Register known({.name = "idx", .run = run, .seeds = seeds, .max_bytes = 2048});

}  // namespace
}  // namespace ap::fuzz
