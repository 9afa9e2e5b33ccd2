#include "base/error.h"

#include <gtest/gtest.h>

#include <string>

namespace ap {
namespace {

template <typename Function>
Error caught(Function function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no ap::Error was thrown";
  return Error(ErrorCode::internal, "");
}

TEST(Error, ExitStatusesAreThoseOfTheCommandLine) {
  EXPECT_EQ(Error(ErrorCode::internal, "").exit_status(), 1);
  EXPECT_EQ(Error(ErrorCode::input, "").exit_status(), 2);
  EXPECT_EQ(Error(ErrorCode::peer, "").exit_status(), 3);
  EXPECT_EQ(Error(ErrorCode::security, "").exit_status(), 4);
}

TEST(Error, EachHelperThrowsItsCodeAndItsFormattedMessage) {
  const Error input = caught([] { fail_input("layer {} has {} channels", "conv1", 7); });
  EXPECT_EQ(input.code(), ErrorCode::input);
  EXPECT_STREQ(input.what(), "layer conv1 has 7 channels");
  EXPECT_EQ(caught([] { fail_peer("x"); }).code(), ErrorCode::peer);
  EXPECT_EQ(caught([] { fail_security("x"); }).code(), ErrorCode::security);
  EXPECT_EQ(caught([] { fail(ErrorCode::internal, "x"); }).code(), ErrorCode::internal);
}

TEST(Error, AssertionNamesTheConditionAndItsPlace) {
  const int three = 3;
  EXPECT_NO_THROW(AP_ASSERT(three == 3));
  const Error error = caught([&] { AP_ASSERT(three == 4); });
  EXPECT_EQ(error.code(), ErrorCode::internal);
  const std::string message = error.what();
  EXPECT_NE(message.find("three == 4"), std::string::npos) << message;
  EXPECT_NE(message.find("error_test.cc:"), std::string::npos) << message;
  EXPECT_EQ(message.find('/'), std::string::npos) << "no directories of the build machine: " << message;
}

TEST(Error, AssertionEvaluatesItsConditionOnce) {
  int evaluations = 0;
  AP_ASSERT(++evaluations == 1);
  EXPECT_EQ(evaluations, 1);
}

}  // namespace
}  // namespace ap
