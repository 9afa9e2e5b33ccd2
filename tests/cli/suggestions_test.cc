#include <gtest/gtest.h>

#include "tests/cli/cli_fixture.h"

namespace ap::cli {
namespace {

TEST(Suggestions, OfMistypedCommandsAndOptions) {
  const auto sentence = [](const std::vector<std::string>& words) { return run(words).err; };
  const auto expect = [](const std::string& text, const std::string& part) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  expect(sentence({"srve"}), "there is no command \"srve\"; did you mean serve?");
  expect(sentence({"copmile"}), "did you mean compile?");
  EXPECT_EQ(sentence({"gibberish"}).find("did you mean"), std::string::npos);
  expect(sentence({"compile", "m.onnx", "--calibrate", "x", "--out", "y", "--polcy", "exact"}),
         "there is no option --polcy of compile; did you mean --policy?");
  expect(sentence({"audit", "client.apm", "--nothing-like-it"}),
         "there is no option --nothing-like-it of audit;");
}

}  // namespace
}  // namespace ap::cli
