#include "base/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/files.h"
#include "tests/base/temporary_directory.h"

namespace ap {
namespace {

TEST(SecretFile, IsReadIfItsOwnerAloneMayReadAndWriteIt) {
  const TemporaryDirectory directory;
  const std::filesystem::path file = directory.path() / "secret";
  const Bytes content{'a', 'b', '\n'};
  write_file(file, content);
  for (const mode_t mode : {0600, 0400, 0700}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    const SecretVector<char> text = read_secret_file(file, 3);
    EXPECT_EQ(std::string(text.begin(), text.end()), "ab\n");
  }
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0610, 0644}) {
    ASSERT_EQ(::chmod(file.c_str(), mode), 0);
    try {
      read_secret_file(file, 3);
      FAIL() << mode;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::security);
      EXPECT_NE(std::string(error.what()).find("others may read it or change it"), std::string::npos);
    }
  }
}

TEST(SecretFile, LongAndAbsentOnesAreRefused) {
  const TemporaryDirectory directory;
  write_file(directory.path() / "long", Bytes(4, 'x'));
  EXPECT_THROW(read_secret_file(directory.path() / "long", 3), Error);
  EXPECT_THROW(read_secret_file(directory.path() / "absent", 3), Error);
}

}  // namespace
}  // namespace ap
