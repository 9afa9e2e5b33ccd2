// Keys and signatures of packages. First byte: which of the three texts.
#include "package/minisign.h"
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"

namespace ap::fuzz {
namespace {

const package::SecretKey& key() {
  static const package::SecretKey made = package::make_key();
  return made;
}

const std::string kFile = "a file";
ByteView file() { return {reinterpret_cast<const std::uint8_t*>(kFile.data()), kFile.size()}; }

void run(ByteView input) {
  Choices choices(input);
  const std::uint64_t kind = choices.number(1) % 3;
  const std::string text = text_of(input);
  if (kind == 0) {
    const package::PublicKey read = package::parse_public_key(text, "fuzz.pub");
    require(package::parse_public_key(package::to_line(read), "again") == read, "a key survives writing");
  } else if (kind == 1) {
    if (package::needs_password(text, "fuzz.key")) return;  // scrypt is slow on purpose
    (void)package::parse_secret_key(text, "", "fuzz.key").public_key();
  } else {
    const std::string comment = package::verify(file(), text, key().public_key(), "fuzz.apm");
    require(comment == "a comment", "nothing else was signed");
  }
}

std::vector<Bytes> seeds() {
  const SecretVector<char> secret = package::to_text(key(), "");
  return {bytes_of(std::string(1, 0) + package::to_text(key().public_key())),
          bytes_of("\1" + std::string(secret.begin(), secret.end())),
          bytes_of("\2" + package::sign(file(), key(), "a comment"))};
}

const Register known({.name = "minisign",
                      .run = run,
                      .seeds = seeds,
                      .mistakes = Mistakes::of_a_file_or_its_security,
                      .max_bytes = 1024});

}  // namespace
}  // namespace ap::fuzz
