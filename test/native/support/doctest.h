// doctest under names that leave CHECK to the project: there it ends the process.
#pragma once

#define DOCTEST_CONFIG_NO_SHORT_MACRO_NAMES
// Nothing under test throws, and each assertion compiles sooner.
#define DOCTEST_CONFIG_NO_TRY_CATCH_IN_ASSERTS
#include <doctest/doctest.h>

#define TEST_CASE(name) DOCTEST_TEST_CASE(name)
#define SUBCASE(name) DOCTEST_SUBCASE(name)
#define CAPTURE(value) DOCTEST_CAPTURE(value)
#define EXPECT(...) DOCTEST_CHECK(__VA_ARGS__)     // goes on when it fails
#define REQUIRE(...) DOCTEST_REQUIRE(__VA_ARGS__)  // ends the test case when it fails
