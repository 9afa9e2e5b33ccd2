#include "base/secret_file.h"

#include <sys/stat.h>

#include "base/error.h"
#include "base/files.h"

namespace ap {

SecretVector<char> read_secret_file(const std::filesystem::path& path, std::uint64_t most) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0) {
    fail_security("{} is a secret, but others may read it or change it; make it yours alone (chmod 600)",
                  path.string());
  }
  Bytes bytes = read_file(path, most);
  SecretVector<char> text(bytes.begin(), bytes.end());
  wipe(bytes.data(), bytes.size());
  return text;
}

}  // namespace ap
