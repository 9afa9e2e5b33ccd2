#include "cli/signing.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/file_descriptor.h"
#include "base/secret_file.h"

namespace ap::cli {
namespace {

constexpr std::uint64_t kMaxKeyBytes = 4096, kMaxPasswordBytes = 1024;
constexpr char kEndOfText = 3, kEndOfTransmission = 4;  // Ctrl-C, Ctrl-D

/// A terminal that shows nothing of what is typed, and passes on the keys that would end this program, so
/// that the echo comes back whatever happens.
class Silence {
 public:
  explicit Silence(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal, &before_) != 0)
      fail_input("cannot ask for a password: {}", std::strerror(errno));
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    ::tcsetattr(terminal, TCSAFLUSH, &silent);
  }
  ~Silence() { ::tcsetattr(terminal_, TCSAFLUSH, &before_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  int terminal_;
  termios before_;
};

void write_to(int terminal, const std::string& text) {
  if (::write(terminal, text.data(), text.size()) < 0)
    fail_input("cannot ask for a password: {}", std::strerror(errno));
}

SecretVector<char> ask(int terminal, const std::string& question) {
  const Silence silence(terminal);
  write_to(terminal, question + ": ");
  SecretVector<char> line;
  line.reserve(kMaxPasswordBytes);
  char c = 0;
  while (::read(terminal, &c, 1) == 1 && c != '\n') {
    if (c == kEndOfText || c == kEndOfTransmission || line.size() == kMaxPasswordBytes) {
      write_to(terminal, "\n");
      fail_input("no password was given");
    }
    line.push_back(c);
  }
  write_to(terminal, "\n");
  return line;
}

SecretVector<char> without_newline(SecretVector<char> text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

SecretVector<char> read_password(const std::string& file, const std::string& what, bool twice) {
  if (!file.empty()) return without_newline(read_secret_file(file, kMaxPasswordBytes));
  if (const char* variable = std::getenv(kPasswordVariable)) {
    return SecretVector<char>(variable, variable + std::strlen(variable));
  }
  const FileDescriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (terminal.get() < 0) {
    fail_input(
        "a password is needed {}, and there is no terminal to ask; give --password-file or the variable {}",
        what, kPasswordVariable);
  }
  SecretVector<char> password = ask(terminal.get(), "Password " + what);
  if (twice && ask(terminal.get(), "The same again") != password)
    fail_input("the two passwords differ; start again");
  return password;
}

package::SecretKey load_secret_key(const std::string& path, const std::string& password_file) {
  const SecretVector<char> text = read_secret_file(path, kMaxKeyBytes);
  const std::string_view view(text.data(), text.size());
  SecretVector<char> password;
  if (package::needs_password(view, path)) password = read_password(password_file, "of " + path, false);
  return package::parse_secret_key(view, {password.data(), password.size()}, path);
}

void add_publisher(CLI::App& command, std::string& text) {
  command
      .add_option("--publisher", text,
                  "The package must be signed with this key: a .pub file of minisign, or its line")
      ->type_name("FILE|KEY");
}

}  // namespace ap::cli
