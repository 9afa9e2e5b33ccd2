// What a terminal may be sent of text that came from a file or a peer. A terminal obeys control characters:
// such text could hide or forge lines, rename windows or worse. Everything that the programs print goes
// through here.
#pragma once

#include <string>
#include <string_view>

namespace ap {

enum class Newlines : bool { escaped, kept };

/// The text with every byte of a control character (C0, DEL, C1), of a character that changes the direction
/// of writing or breaks a line, and of what is not UTF-8 written as \xNN. All else stays as it is.
std::string printable(std::string_view text, Newlines newlines = Newlines::escaped);

/// The text of a JSON value, safe for a terminal; its strings may hold control characters: there they become
/// \uNNNN, and the value stays the same.
std::string printable_json(std::string_view json);

}  // namespace ap
