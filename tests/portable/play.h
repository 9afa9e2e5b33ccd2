// The script of a recorded session: the inferences one after another, the parameters those of a test.
#pragma once

#include "protocol/hybrid/client.h"
#include "tests/portable/recording.h"
#include "tests/transcripts/seeded_random.h"

namespace ap::portable {

/// The client of `file`; its results take the place of those in `inferences`.
inline void play_client(ByteView file, net::Channel& channel, std::vector<Inference>& inferences) {
  transcripts::Randomness randomness(kClientName);
  const transcripts::Playing playing(randomness);
  const package::Package package = package::parse(file, "client.apm");
  const protocol::Model model(package.network, package.plan);
  protocol::ClientOptions options;
  options.weak = protocol::WeakParameters::allow_for_tests;  // of layers packed for SIMD, in small rings
  protocol::ClientSession client(model, package.id, channel, options);
  for (Inference& inference : inferences) {
    const auto result = client.infer(inference.input);
    inference.result.assign(result.begin(), result.end());
  }
  client.finish();
}

}  // namespace ap::portable
