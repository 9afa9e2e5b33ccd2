// Packages signed and checked by the real program.
#include <sys/stat.h>

#include "tests/cli/cli_fixture.h"
#include "tests/package/minisign_files.h"

namespace ap::cli {
namespace {

class SigningTest : public CliTest {
 protected:
  void SetUp() override {
    if (std::filesystem::exists(path("us.key"))) return;
    ASSERT_EQ(run({"keygen", "--out", path("us"), "--no-password"}).status, 0);
    ASSERT_EQ(run({"keygen", "--out", path("them"), "--no-password"}).status, 0);
    const Result signed_by_us = compile_into("signed", {"--sign", path("us.key")});
    ASSERT_EQ(signed_by_us.status, 0) << signed_by_us.err;
  }
  static Result compile_into(const std::string& directory, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"compile", path("model.onnx"), "--calibrate", data(),
                                          "--out",   path(directory)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  static Result infer(const std::string& directory, const std::string& publisher) {
    return run({"infer", path(directory + "/client.apm"), "--local", path(directory + "/server.apm"),
                "--data", data(), "--first", "1", "--publisher", publisher});
  }
  static void write_text(const std::string& name, const std::string& text) {
    write_file(path(name), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
};

TEST_F(SigningTest, SignedPackagesAreAccepted) {
  EXPECT_EQ(infer("signed", path("us.pub")).status, 0);
  for (const char* file : {"signed/client.apm", "signed/server.apm"}) {
    EXPECT_EQ(run({"audit", path(file), "--publisher", path("us.pub")}).status, 0);
  }
  // The line of the public key does as well as its file.
  std::ifstream file(path("us.pub"));
  std::string comment, line;
  std::getline(file, comment);
  std::getline(file, line);
  EXPECT_EQ(infer("signed", line).status, 0);
}

TEST_F(SigningTest, AbsentForeignAndBrokenSignatures) {
  expect_failure(infer("signed", path("them.pub")), 4, "publisher's key");
  expect_failure(infer("out", path("us.pub")), 4, "is not signed");
  expect_failure(run({"audit", path("out/client.apm"), "--publisher", path("us.pub")}), 4, "is not signed");
  std::filesystem::copy(path("signed"), path("changed"));
  Bytes bytes = read_file(path("changed/client.apm"), 1 << 30);
  bytes[bytes.size() / 2] ^= 1;
  write_file(path("changed/client.apm"), bytes);
  expect_failure(infer("changed", path("us.pub")), 4, "was changed");
  // Signed, but another file.
  std::filesystem::copy(path("signed/server.apm"), path("changed/client.apm"),
                        std::filesystem::copy_options::overwrite_existing);
  expect_failure(infer("changed", path("us.pub")), 4, "was changed");
  expect_failure(infer("signed", "RWQnonsense"), 2, "no public key");
}

TEST_F(SigningTest, KeysOfMinisign) {
  write_text("mini.key", package::minisign_files::kSecret);
  write_text("mini.pub", package::minisign_files::kPublic);
  ASSERT_EQ(compile_into("mini", {"--sign", path("mini.key")}).status, 0);
  EXPECT_EQ(infer("mini", path("mini.pub")).status, 0);
  ::chmod(path("mini.key").c_str(), 0644);
  expect_failure(compile_into("mini", {"--sign", path("mini.key")}), 4, "others may read it");
}

TEST_F(SigningTest, KeysThatCannotBeUsed) {
  expect_failure(compile_into("unsigned", {"--sign", path("us.pub")}), 4, "others may read it");
  write_text("none.key", "nothing");
  expect_failure(compile_into("unsigned", {"--sign", path("none.key")}), 2, "no secret key");
  expect_failure(compile_into("unsigned", {"--sign", path("absent.key")}), 2, "absent.key");
  EXPECT_FALSE(std::filesystem::exists(path("unsigned/client.apm")));
  // An existing key is never overwritten.
  expect_failure(run({"keygen", "--out", path("us"), "--no-password"}), 2, "there already");
  struct stat info {};
  ASSERT_EQ(::stat(path("us.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace ap::cli
