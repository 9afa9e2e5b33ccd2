// What most tests of the command line need: a small network as an ONNX file, images as npy files, and both
// packages compiled by the program itself, once for the whole run.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "tests/app/small_network.h"
#include "tests/base/temporary_directory.h"
#include "tests/cli/process.h"

namespace ap::cli {

using Json = nlohmann::json;

/// Writes an array of bytes in NumPy's format, version 1.0.
inline void write_npy(const std::filesystem::path& path, const std::string& type, const std::string& shape,
                      const Bytes& data) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  ByteWriter out;
  out.raw(Bytes{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0});
  out.u16(static_cast<std::uint16_t>(header.size()));
  out.raw({reinterpret_cast<const std::uint8_t*>(header.data()), header.size()});
  out.raw(data);
  write_file(path, out.bytes());
}

class CliTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (directory_) return;
    directory_ = std::make_unique<TemporaryDirectory>();
    write_file(path("model.onnx"), app::small_onnx(8));
    const nn::Dataset images = app::small_images(24);
    const std::string side = std::to_string(app::kSmallSide);
    write_npy(path("x.npy"), "|u1", "24, 1, " + side + ", " + side, images.bytes);
    write_npy(path("y.npy"), "|u1", "24,", Bytes(images.labels.begin(), images.labels.end()));
    write_npy(path("large.npy"), "|u1", "1, 1, 8, 8", Bytes(64));
    compiled_ = run({"compile", path("model.onnx"), "--calibrate", data(), "--out", path("out"), "--json"});
    ASSERT_EQ(compiled_.status, 0) << compiled_.err;
  }

  static std::string path(const std::string& name) { return (directory_->path() / name).string(); }
  static std::string data() { return "npy:" + path("x.npy") + "," + path("y.npy"); }
  static std::string server_package() { return path("out/server.apm"); }
  static std::string client_package() { return path("out/client.apm"); }

  /// Checks that a command failed with this status and one sentence with this word on standard error.
  static void expect_failure(const Result& result, int status, const std::string& word) {
    EXPECT_EQ(result.status, status) << result.err;
    EXPECT_TRUE(result.out.empty() || result.out.front() == '{') << result.out;
    EXPECT_EQ(result.err.rfind("autoprivacy: ", 0), 0u) << result.err;
    EXPECT_EQ(result.complaints(), 1) << result.err;
    EXPECT_NE(result.err.find(word), std::string::npos) << "expected \"" << word << "\" in: " << result.err;
  }

  /// Processes, other than this one, that have `text` in their arguments.
  static int processes_with(const std::string& text) {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos || name == std::to_string(::getpid()))
        continue;
      std::ifstream file(entry.path() / "cmdline", std::ios::binary);
      const std::string arguments((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
      count += arguments.find(text) != std::string::npos;
    }
    return count;
  }
  static void expect_no_processes_with(const std::string& text) {
    for (int i = 0; i < 500 && processes_with(text) > 0; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(processes_with(text), 0);
  }

  inline static std::unique_ptr<TemporaryDirectory> directory_;
  inline static Result compiled_;
};

/// `autoprivacy serve` on a free port.
class ServeProcess {
 public:
  explicit ServeProcess(const std::string& package, std::vector<std::string> more = {})
      : process_([&] {
          std::vector<std::string> arguments = {"serve", package, "--listen", "127.0.0.1:0"};
          arguments.insert(arguments.end(), more.begin(), more.end());
          return arguments;
        }()) {
    // "serving ID on wss://HOST:PORT (certificate SHA-256 HEX, at most N sessions)"
    line = process_.read_line();
    const std::size_t at = line.find("wss://"), pin_at = line.find("SHA-256 ");
    if (at == std::string::npos || pin_at == std::string::npos) return;
    url = line.substr(at, line.find(' ', at) - at);
    pin = line.substr(pin_at + 8, 64);
  }
  Process& operator*() { return process_; }
  Process* operator->() { return &process_; }

  std::string line, url, pin;

 private:
  Process process_;
};

}  // namespace ap::cli
