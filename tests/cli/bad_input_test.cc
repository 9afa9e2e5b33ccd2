// Bad files and bad images: one sentence, exit status 2 (4 where security is at stake), nothing written.
#include <limits>

#include "package/network_json.h"
#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

std::vector<std::string> infer_with(const std::string& package, const std::string& local,
                                    const std::string& data) {
  return {"infer", package, "--local", local, "--data", data, "--first", "1"};
}

Bytes contents(const std::string& file) { return read_file(file, 1 << 30); }

TEST_F(CliTest, TruncatedPackage) {
  const Bytes whole = contents(client_package());
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, std::size_t{27}, whole.size() / 2, whole.size() - 1}) {
    write_file(path("short.apm"), ByteView(whole).first(length));
    expect_failure(run({"audit", path("short.apm")}), 2, "short.apm");
    expect_failure(run(infer_with(path("short.apm"), server_package(), data())), 2, "short.apm");
  }
}

TEST_F(CliTest, BitFlippedPackage) {
  Bytes damaged = contents(server_package());
  damaged[damaged.size() / 2] ^= 0x10;
  write_file(path("flipped.apm"), damaged);
  expect_failure(run({"serve", path("flipped.apm"), "--listen", "127.0.0.1:0"}), 2, "damaged");
  // The child's sentence and status reach the user.
  expect_failure(run(infer_with(client_package(), path("flipped.apm"), data())), 2, "flipped.apm");
  expect_no_processes_with("flipped.apm");
}

TEST_F(CliTest, RolesMixedUp) {
  expect_failure(run({"serve", client_package(), "--listen", "127.0.0.1:0"}), 2, "server");
  expect_failure(run(infer_with(server_package(), server_package(), data())), 2, "client");
  expect_failure(run({"audit", path("model.onnx")}), 2, "not an AutoPrivacy package");
}

TEST_F(CliTest, AbsentFiles) {
  expect_failure(run({"inspect", path("absent.onnx")}), 2, "absent.onnx");
  expect_failure(run({"audit", path("absent.apm")}), 2, "absent.apm");
  expect_failure(run(infer_with(client_package(), server_package(), "npy:" + path("absent.npy"))), 2,
                 "absent.npy");
  expect_failure(run(infer_with(client_package(), server_package(), "tape:" + path("x"))), 2, "tape");
  expect_failure(run(infer_with(client_package(), path("absent.apm"), data())), 2, "absent.apm");
}

TEST_F(CliTest, WrongImageSizeNamesBothShapes) {
  const Result result = run(infer_with(client_package(), server_package(), "npy:" + path("large.npy")));
  expect_failure(result, 2, "(1, 1, 8, 8)");
  expect_failure(result, 2, "(N, 1, 6, 6)");
  expect_failure(
      run({"compile", path("model.onnx"), "--calibrate", "npy:" + path("large.npy"), "--out", path("other")}),
      2, "(1, 1, 8, 8)");
  EXPECT_FALSE(std::filesystem::exists(path("other")));
}

TEST_F(CliTest, BadSelections) {
  const auto with_range = [&](const std::string& range) {
    return run({"infer", client_package(), "--local", server_package(), "--data", data(), "--range", range});
  };
  expect_failure(with_range("5"), 2, "A:B");
  expect_failure(with_range("5:5"), 2, "A < B");
  expect_failure(with_range("x:5"), 2, "A:B");
  expect_failure(with_range("100:200"), 2, "");
  expect_failure(
      run({"infer", client_package(), "--local", server_package(), "--data", data(), "--first", "0"}), 2,
      "--first");
}

TEST_F(CliTest, BadNormalization) {
  expect_failure(run({"compile", path("model.onnx"), "--calibrate", data(), "--normalize", "scale=0", "--out",
                      path("other")}),
                 2, "scale");
  expect_failure(run({"compile", path("model.onnx"), "--calibrate", data(), "--normalize", "mean=1,2,3",
                      "--out", path("other")}),
                 2, "mean");
}

TEST_F(CliTest, UnsupportedOperatorsAreAllNamed) {
  nn::OnnxBuilder b({1, 6, 6});
  const std::string first = b.node("Sinh", {"input"});
  const std::string second = b.node("Det", {first});
  const Bytes bytes = b.bytes(b.node("Flatten", {b.node("LSTM", {second})}, {{"axis", 1}}));
  write_file(path("odd.onnx"), bytes);
  const Result result = run({"inspect", path("odd.onnx")});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err.rfind("autoprivacy: ", 0), 0u);
  for (const char* op : {"Sinh", "Det", "LSTM"})
    EXPECT_NE(result.err.find(op), std::string::npos) << result.err;
}

TEST_F(CliTest, WeightsThatAreNotNumbers) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    nn::OnnxBuilder b({4, 1, 1});
    const std::string flat = b.node("Flatten", {"input"}, {{"axis", 1}});
    const std::string weights = b.constant({2, 4}, {1, 2, 3, 4, 5, bad, 7, 8});
    write_file(path("nan.onnx"), b.bytes(b.node("Gemm", {flat, weights}, {{"transB", 1}})));
    expect_failure(run({"inspect", path("nan.onnx")}), 2, "");
  }
}

TEST_F(CliTest, NotAnOnnxFile) {
  write_file(path("noise.onnx"), Bytes(1000, 0x5a));
  expect_failure(run({"inspect", path("noise.onnx")}), 2, "noise.onnx");
  write_file(path("empty.onnx"), {});
  expect_failure(run({"inspect", path("empty.onnx")}), 2, "empty.onnx");
}

TEST_F(CliTest, OutputThatCannotBeWritten) {
  write_file(path("a_file"), Bytes(1));
  expect_failure(run({"compile", path("model.onnx"), "--calibrate", data(), "--out", path("a_file/out")}), 2,
                 "a_file");
}

TEST_F(CliTest, CheckAgainstAnotherCompilation) {
  const Result other =
      run({"compile", path("model.onnx"), "--calibrate", data(), "--strict", "--out", path("strict")});
  ASSERT_EQ(other.status, 0) << other.err;
  expect_failure(run({"infer", client_package(), "--local", server_package(), "--data", data(), "--first",
                      "1", "--check", path("strict/server.apm")}),
                 2, "another compilation");
  // A server of another package is found out in the handshake.
  expect_failure(run(infer_with(client_package(), path("strict/server.apm"), data())), 3, "package");
}

TEST_F(CliTest, DowngradedParametersAreRefusedBeforeAnyConnection) {
  // A package whose public part asks for a ring that is too weak, and claims that it is not.
  package::Package weak = package::load(server_package());
  weak.plan.min_lambda_bits = 256;
  const std::uint32_t n = weak.plan.groups[0].n;
  for (bfv::Parameters& group : weak.plan.groups) {
    group.primes = bfv::ntt_primes(55, group.n, 2);
    if (group.n < n) group.n = n;
  }
  const package::Pair pair = package::make_packages(weak);
  write_file(path("weak-client.apm"), pair.client);
  write_file(path("weak-server.apm"), pair.server);
  expect_failure(run({"audit", path("weak-client.apm")}), 4, "128");
  expect_failure(run({"infer", path("weak-client.apm"), "--server", "wss://127.0.0.1:1", "--data", data()}),
                 4, "128");
}

}  // namespace
}  // namespace ap::cli
