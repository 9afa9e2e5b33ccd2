// The server asks once for each preparation, before it sends anything for it, and a refusal leaves the
// session whole.
#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "net/channel/channel.h"
#include "planner/policies/select.h"
#include "protocol/hybrid/client.h"
#include "protocol/hybrid/server.h"
#include "tests/protocol/hybrid/packaged.h"
#include "tests/protocol/hybrid/small_network.h"

namespace ap::protocol {
namespace {

class PermissionTest : public testing::Test {
 protected:
  PermissionTest() {
    plan::Plan plan = plan::select_exact(network_);
    for (plan::ActivationChoice& choice : plan.activations) choice.protocol = "gc";  // no probe of the link
    package_ = test::packaged(network_, plan);
  }

  /// Runs `talk` against a server with this answer.
  template <typename Talk>
  void serve(const std::function<Permission()>& may_prepare, const Talk& talk) {
    const ServerModel model(package_);
    auto [client_end, server_end] = net::make_local_channels();
    server_ = server_end.get();
    ServerOptions options;
    options.may_prepare = may_prepare;
    std::string failure;
    std::thread server([&, end = std::move(server_end)] {
      try {
        serve_session(model, *end, options);
      } catch (const Error& error) {
        failure = error.what();
      }
      end->close();
    });
    {
      const Model client(package_.network, package_.plan);
      ClientSession session(client, package_.id, *client_end);
      talk(session);
      session.finish();
    }
    server.join();
    EXPECT_EQ(failure, "");
  }
  static std::string refusal(ClientSession& session) {
    try {
      session.prepare();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::peer);
      return error.what();
    }
    return "";
  }

  const nn::QuantisedNetwork network_ = test::small_network();
  package::Package package_;
  net::Channel* server_ = nullptr;
};

TEST_F(PermissionTest, IsAskedOnceBeforeAnythingIsSent) {
  std::vector<std::uint64_t> sent;
  serve(
      [&] {
        sent.push_back(server_->traffic().messages_sent);
        return Permission{};
      },
      [&](ClientSession& session) {
        session.prepare();
        session.infer(std::vector<std::int32_t>(3 * 8 * 8, 1));
      });
  EXPECT_EQ(sent, std::vector<std::uint64_t>{2}) << "the welcome and the nonce";
}

TEST_F(PermissionTest, EachRefusalHasItsSentenceAndTheSessionGoesOn) {
  Permission answer;
  serve([&] { return answer; },
        [&](ClientSession& session) {
          EXPECT_EQ(refusal(session), "");
          answer = {PrepareAnswer::used_up, 1'048'576};
          EXPECT_NE(refusal(session).find("all 1048576 inferences that its weights may be asked for"),
                    std::string::npos);
          answer = {PrepareAnswer::client_limit, 12};
          EXPECT_NE(refusal(session).find("all 12 inferences that this client may have"), std::string::npos);
          answer = {PrepareAnswer::not_counted, 0};
          EXPECT_NE(refusal(session).find("cannot count inferences now"), std::string::npos);
          answer = {static_cast<PrepareAnswer>(9), 0};
          EXPECT_NE(refusal(session).find("unknown status 9"), std::string::npos);
          answer = {};
          EXPECT_EQ(refusal(session), "");
          EXPECT_EQ(session.prepared(), 2u);
          session.infer(std::vector<std::int32_t>(3 * 8 * 8, 1));
          session.infer(std::vector<std::int32_t>(3 * 8 * 8, 1));
        });
}

}  // namespace
}  // namespace ap::protocol
