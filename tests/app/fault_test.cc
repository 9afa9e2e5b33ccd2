// Either party may vanish, fall silent or send garbage at any message of a session: the other one ends with
// an Error(peer) within its deadline. The loop visits every message in both directions.
#include <gtest/gtest.h>

#include <future>
#include <optional>

#include "app/client.h"
#include "net/channel/fault_channel.h"
#include "protocol/hybrid/server.h"
#include "tests/app/small_network.h"

namespace ap::app {
namespace {

using namespace std::chrono_literals;
using Kind = net::Fault::Kind;

constexpr std::chrono::milliseconds kPatience{20'000};

struct Outcome {
  bool happened = false;
  std::optional<ErrorCode> client, server;  ///< absent: ended well
  bool right = false;                       ///< the client got the clear network's label
};

class FaultTest : public testing::TestWithParam<Kind> {
 protected:
  static void SetUpTestSuite() {
    compiled_ = new Compiled(compile_small());
    model_ = new protocol::ServerModel(compiled_->package);
  }
  static void TearDownTestSuite() {
    delete model_;
    delete compiled_;
  }

  static Outcome run(const net::Fault& fault, std::chrono::milliseconds deadline) {
    auto [client_end, server_end] = net::make_local_channels();
    client_end->set_deadline(deadline);
    server_end->set_deadline(deadline);
    Outcome outcome;
    auto server =
        std::async(std::launch::async, [&, end = std::move(server_end)]() -> std::optional<ErrorCode> {
          try {
            protocol::serve_session(*model_, *end);
            return std::nullopt;
          } catch (const Error& error) {
            end->close();
            return error.code();
          }
        });
    {
      net::FaultChannel channel(std::move(client_end), fault);
      channel.set_deadline(deadline);
      const std::vector<Image> images = small_inputs(compiled_->package, 1);
      const package::Package client = package::parse(compiled_->files.client, "client.apm");
      try {
        const RunResult result = run_images(client, channel, images);
        outcome.right = compare_with_clear(compiled_->package.network, images, result.logits).same_class == 1;
      } catch (const Error& error) {
        outcome.client = error.code();
      }
      outcome.happened = channel.happened();
      channel.close();
    }
    outcome.server = server.get();
    return outcome;
  }

  static Compiled* compiled_;
  static protocol::ServerModel* model_;
};

Compiled* FaultTest::compiled_ = nullptr;
protocol::ServerModel* FaultTest::model_ = nullptr;

TEST_P(FaultTest, AtEveryMessage) {
  const Kind kind = GetParam();
  const auto deadline = kind == Kind::silence ? 300ms : kPatience;
  for (const net::Direction direction : {net::Direction::sent, net::Direction::received}) {
    std::uint64_t message = 0;
    for (;; ++message) {
      Outcome outcome = run({kind, direction, message, 1}, deadline);
      // A short deadline may also pass because the machine is busy: what counts is a patient run.
      if (!outcome.happened) outcome = run({kind, direction, message, 1}, kPatience);
      const std::string where =
          fmt::format("{} message {}", direction == net::Direction::sent ? "client's" : "server's", message);
      if (!outcome.happened) {
        // Past the end of the session: it went well.
        EXPECT_FALSE(outcome.client.has_value()) << where;
        EXPECT_FALSE(outcome.server.has_value()) << where;
        EXPECT_TRUE(outcome.right) << where;
        break;
      }
      EXPECT_TRUE(outcome.client.has_value() || outcome.server.has_value()) << where;
      EXPECT_EQ(outcome.client.value_or(ErrorCode::peer), ErrorCode::peer) << where;
      EXPECT_EQ(outcome.server.value_or(ErrorCode::peer), ErrorCode::peer) << where;
    }
    EXPECT_GT(message, 4u) << "the session has messages in both directions";
  }
}

std::string kind_name(const testing::TestParamInfo<Kind>& info) {
  switch (info.param) {
    case Kind::close:
      return "Close";
    case Kind::truncate:
      return "Truncate";
    case Kind::silence:
      return "Silence";
    case Kind::wrong_type:
      return "WrongType";
    default:
      return "FlipBit";
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, FaultTest,
                         testing::Values(Kind::close, Kind::truncate, Kind::silence, Kind::wrong_type),
                         kind_name);

}  // namespace
}  // namespace ap::app
