// The values that must not change. They lie in frozen.inc, by name. Where the protocol or a format of files
// changes on purpose, write them anew and read the difference before it is committed:
//   AP_FREEZE=tests/transcripts/frozen.inc build/release/test_transcripts
// writes what this run found, of all tests that it ran (the file is replaced: run all). It still fails where
// that differs from what the program was compiled with.
#pragma once

#include <string>

#include "base/bytes.h"

namespace ap::transcripts {

/// Fails the test, with the difference, unless `text` is the frozen value of this name.
void expect_frozen(const std::string& name, const std::string& text);

/// Whether there is a frozen value of this name.
bool is_frozen(const std::string& name);

/// SHA-256 in hexadecimal.
std::string sha256(ByteView bytes);

}  // namespace ap::transcripts
