// Preprocessing of the `ot` protocol in files: the arrays one after another, as they lie in memory; their
// sizes follow from the layer. Any content of the right size is safe to run with, if not right.
#pragma once

#include "base/secret_bytes.h"
#include "layers/activation/ot/lookup_step.h"
#include "layers/activation/ot/ot_step.h"
#include "layers/activation/ot/square_step.h"

namespace ap::activation {

void save(const ClientStepPreprocessing& material, SecretWriter& out);
void save(const ServerStepPreprocessing& material, SecretWriter& out);
void save(const ClientLookupPreprocessing& material, SecretWriter& out);
void save(const ServerLookupPreprocessing& material, SecretWriter& out);
void save(const SquareClientPreprocessing& material, SecretWriter& out);
void save(const SquareServerPreprocessing& material, SecretWriter& out);

/// Read what save wrote. All throw the reader's error if bytes are missing.
void restore(ClientStepPreprocessing& material, const OtStep& step, ByteReader& in);
void restore(ServerStepPreprocessing& material, const OtStep& step, ByteReader& in);
void restore(ClientLookupPreprocessing& material, const LookupStep& step, ByteReader& in);
/// @throws Error(input) also if an index or a string has too many bits.
void restore(ServerLookupPreprocessing& material, const LookupStep& step, ByteReader& in);
/// @throws Error(input) also if a word of the argument has more than spec.word_bits() bits.
void restore(SquareClientPreprocessing& material, const SquareSpec& spec, std::size_t count, ByteReader& in);
void restore(SquareServerPreprocessing& material, const SquareSpec& spec, std::size_t count, ByteReader& in);
void restore(SquareClientPreprocessing& material, const ProductSpec& spec, std::size_t count, ByteReader& in);
void restore(SquareServerPreprocessing& material, const ProductSpec& spec, std::size_t count, ByteReader& in);

}  // namespace ap::activation
