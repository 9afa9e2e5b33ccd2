// One-time material of the `ot` engine in files: the arrays one after another, as they lie in memory; their
// sizes follow from the layer. Any content of the right size is safe to run with, if not right.
#pragma once

#include "base/secret_bytes.h"
#include "layers/activation/ot/ot_step.h"
#include "layers/activation/ot/square_step.h"

namespace ap::activation {

void save(const ClientStepMaterial& material, SecretWriter& out);
void save(const ServerStepMaterial& material, SecretWriter& out);
void save(const SquareClientMaterial& material, SecretWriter& out);
void save(const SquareServerMaterial& material, SecretWriter& out);

/// All throw the reader's error if bytes are missing.
void restore(ClientStepMaterial& material, const OtStep& step, ByteReader& in);
void restore(ServerStepMaterial& material, const OtStep& step, ByteReader& in);
/// @throws Error(input) also if a word of the argument has more than spec.word_bits() bits.
void restore(SquareClientMaterial& material, const SquareSpec& spec, std::size_t count, ByteReader& in);
void restore(SquareServerMaterial& material, const SquareSpec& spec, std::size_t count, ByteReader& in);

}  // namespace ap::activation
