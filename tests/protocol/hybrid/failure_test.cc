// The server must not learn whether a decryption failed (docs/threat-model.md): a session in which
// decryptions go wrong looks to the server exactly like one in which they do not.
#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <tuple>

#include "net/channel/fault_channel.h"
#include "net/channel/recording_channel.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/messages.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

using Shape = std::vector<std::tuple<net::Direction, net::MessageType, std::size_t>>;

struct Outcome {
  Shape server_view;  ///< direction, type and size of every message, in the server's order
  SecretVector<std::int64_t> logits;
};

Outcome run(const package::Package& package, const std::vector<std::int32_t>& image,
            std::optional<net::Fault> fault) {
  const ServerModel server_model(package);
  const Model client_model(package.network, package.plan);
  auto [client_end, server_end] = net::make_local_channels();
  net::RecordingChannel recorded(std::move(server_end), net::RecordingChannel::Keep::messages);
  std::thread server([&] { serve_session(server_model, recorded); });
  std::unique_ptr<net::Channel> client_channel = std::move(client_end);
  if (fault) client_channel = std::make_unique<net::FaultChannel>(std::move(client_channel), *fault);
  Outcome result;
  {
    ClientSession session(client_model, package.id, *client_channel);
    result.logits = session.infer(image);
    session.finish();
  }
  server.join();
  for (const net::RecordedMessage& m : recorded.messages()) {
    result.server_view.emplace_back(m.direction, m.type, m.payload.size());
  }
  return result;
}

TEST(DecryptionFailure, IsInvisibleToTheServer) {
  for (const char* protocol : {"gc", "ot"}) {
    SCOPED_TRACE(protocol);
    package::Package package;
    package.role = Party::server;
    package.network = test::small_network();
    package.plan = plan::select_exact(package.network);
    for (plan::ActivationChoice& choice : package.plan.activations) choice.protocol = protocol;
    package.normalization = "scale=255";
    package.id = package::make_packages(package).id;
    const Model model(package.network, package.plan);
    const std::vector<std::int32_t> image(model.size(0), 17);
    const Outcome clean = run(package, image, std::nullopt);

    // One wrong bit in c1 of the first reply makes all values of that reply decrypt to nonsense. Received by
    // the client: the welcome, the nonce, the answer to the preparation, then the replies, one a linear layer.
    const HeLayer& first = *model.linears().front().he;
    const std::size_t c1_bits =
        2;  // high in the last coefficient, which belongs to c1: low bits may be lost in noise
    const Outcome failed = run(package, image,
                               net::Fault{net::Fault::Kind::flip_bit, net::Direction::received, 3,
                                          8 * first.packed().reply_bytes() - c1_bits});
    EXPECT_EQ(failed.server_view, clean.server_view);
    EXPECT_NE(failed.logits, clean.logits) << "the fault did not reach the result, so nothing was tested";
  }
}

}  // namespace
}  // namespace ap::protocol
