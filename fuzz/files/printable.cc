// Text of a file or a peer on its way to a terminal.
#include <algorithm>
#include "fuzz/support/bytes.h"
#include "fuzz/support/target.h"

#include <nlohmann/json.hpp>

#include "base/printable.h"

namespace ap::fuzz {
namespace {

bool harmless(const std::string& text, bool newlines) {
  return std::ranges::none_of(
      text, [&](unsigned char c) { return (c < 0x20 && !(newlines && c == '\n')) || c == 0x7f; });
}

void run(ByteView input) {
  const std::string text = text_of(input);
  require(harmless(printable(text), false), "no control character");
  require(harmless(printable(text, Newlines::kept), true), "no control character but ends of lines");
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return;
  const std::string shown = printable_json(json.dump());
  require(harmless(shown, true), "no control character but ends of lines");
  require(nlohmann::json::parse(shown) == json, "the value stays the same");
}

std::vector<Bytes> seeds() {
  return {bytes_of("plain"), bytes_of("\x1b[31m\xc2\x9b\xe2\x80\xae\xff"), bytes_of(R"(["\u202e\u001b"])")};
}

const Register known(
    {.name = "printable", .run = run, .seeds = seeds, .mistakes = Mistakes::none, .max_bytes = 256});

}  // namespace
}  // namespace ap::fuzz
