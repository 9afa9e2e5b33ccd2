// Constant tensors: element types, and data files beside the network's.
#include "nn/onnx/tensor.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/base/temporary_directory.h"
#include "tests/nn/test_support.h"

namespace ap::nn {
namespace {

onnx::TensorProto tensor_of(int type, const Dims& dims, const std::string& raw) {
  onnx::TensorProto t;
  t.set_data_type(type);
  for (const auto d : dims) t.add_dims(d);
  t.set_raw_data(raw);
  return t;
}

template <typename T>
std::string raw(std::initializer_list<T> values) {
  std::string out;
  for (const T v : values) out.append(reinterpret_cast<const char*>(&v), sizeof v);
  return out;
}

TEST(OnnxTensor, FloatsOfEveryWidth) {
  using P = onnx::TensorProto;
  const auto floats = [](int type, const std::string& bytes, std::int64_t n) {
    return read_tensor(tensor_of(type, {n}, bytes), "t").floats;
  };
  EXPECT_EQ(floats(P::DOUBLE, raw<double>({0.5, -3}), 2), (std::vector<float>{0.5F, -3}));
  // 1, -2, 65504, the smallest subnormal, 0.333251953125
  EXPECT_EQ(floats(P::FLOAT16, raw<std::uint16_t>({0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555}), 5),
            (std::vector<float>{1, -2, 65504, 0x1p-24F, 0.333251953125F}));
  EXPECT_EQ(floats(P::BFLOAT16, raw<std::uint16_t>({0x3f80, 0xc040}), 2), (std::vector<float>{1, -3}));
  onnx::TensorProto field;
  field.set_data_type(P::FLOAT16);
  field.add_dims(1);
  field.add_int32_data(0x4200);
  EXPECT_EQ(read_tensor(field, "t").floats, (std::vector<float>{3}));
}

TEST(OnnxTensor, IntegersOfEveryWidth) {
  using P = onnx::TensorProto;
  const auto integers = [](int type, const std::string& bytes, std::int64_t n) {
    return read_tensor(tensor_of(type, {n}, bytes), "t").integers;
  };
  EXPECT_EQ(integers(P::INT8, raw<std::int8_t>({-128, 127}), 2), (Dims{-128, 127}));
  EXPECT_EQ(integers(P::UINT8, raw<std::uint8_t>({255}), 1), (Dims{255}));
  EXPECT_EQ(integers(P::INT16, raw<std::int16_t>({-300}), 1), (Dims{-300}));
  EXPECT_EQ(integers(P::UINT16, raw<std::uint16_t>({65535}), 1), (Dims{65535}));
  EXPECT_EQ(integers(P::UINT32, raw<std::uint32_t>({4000000000U}), 1), (Dims{4000000000}));
  expect_contains(error_of([&] { integers(P::STRING, "", 0); }), {"tensor t", "text"});
}

class ExternalData : public ::testing::Test {
 protected:
  /// Imports y = w x with w = 3 stored in a file, after `change` of the tensor's entries.
  Graph import_with(const std::function<void(onnx::TensorProto&)>& change) {
    OnnxBuilder b({1});
    const auto out = b.node("MatMul", {"input", b.constant({1, 1}, {3})});
    auto* t = b.graph().mutable_initializer(0);
    t->clear_raw_data();
    t->set_data_location(onnx::TensorProto::EXTERNAL);
    set(*t, "location", "w.bin");
    set(*t, "offset", "4");
    set(*t, "length", "4");
    change(*t);
    const Bytes file = b.bytes(out);
    std::ofstream(directory_.path() / "m.onnx", std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()), std::ssize(file));
    return import_onnx(directory_.path() / "m.onnx");
  }
  static void set(onnx::TensorProto& t, const std::string& key, const std::string& value) {
    for (auto& entry : *t.mutable_external_data()) {
      if (entry.key() == key) return entry.set_value(value);
    }
    auto* entry = t.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  void SetUp() override {
    std::ofstream(directory_.path() / "w.bin", std::ios::binary) << raw<float>({7, 3});
  }
  TemporaryDirectory directory_;
};

TEST_F(ExternalData, IsReadFromThePlaceInTheFileBeside) {
  const auto value = [&](auto change) { return output_of(import_with(change), {{1, 1, 1}, {2}}).data; };
  EXPECT_EQ(value([](auto&) {}), (std::vector<float>{6}));
  EXPECT_EQ(value([](auto& t) { set(t, "offset", "0"); }), (std::vector<float>{14}));
  EXPECT_EQ(value([](auto& t) { set(t, "location", "./w.bin"); }), (std::vector<float>{6}));
  EXPECT_EQ(value([](auto& t) { t.mutable_external_data()->DeleteSubrange(2, 1); }), (std::vector<float>{6}));
}

TEST_F(ExternalData, NothingElseIsOpened) {
  std::filesystem::create_directory(directory_.path() / "folder");
  std::filesystem::create_symlink("w.bin", directory_.path() / "link.bin");
  for (const char* location : {"../w.bin", "/etc/passwd", "folder/w.bin", "", "..", ".", "folder\\w.bin"}) {
    expect_contains(error_of([&] { import_with([&](auto& t) { set(t, "location", location); }); }),
                    {"tensor c0", "in the folder of the .onnx file itself"});
  }
  for (const char* location : {"folder", "link.bin", "ghost.bin"}) {
    expect_contains(error_of([&] { import_with([&](auto& t) { set(t, "location", location); }); }),
                    {"tensor c0", location});
  }
}

TEST_F(ExternalData, PlacesAndLengthsAreChecked) {
  const auto error = [&](const char* key, const char* value) {
    return error_of([&] { import_with([&](auto& t) { set(t, key, value); }); });
  };
  expect_contains(error("offset", "8"), {"tensor c0", "4 bytes from position 8", "has 8"});
  expect_contains(error("offset", "18446744073709551615"), {"tensor c0", "position"});
  expect_contains(error("offset", "-1"), {"tensor c0", "no whole number"});
  expect_contains(error("length", "8"), {"tensor c0", "8 bytes", "needs 4"});
  expect_contains(error("length", "4x"), {"tensor c0", "no whole number"});
}

}  // namespace
}  // namespace ap::nn
