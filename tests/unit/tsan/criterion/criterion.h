/* SPDX-License-Identifier: Apache-2.0
 *
 * criterion/criterion.h - what our unit tests use of Criterion, for builds with ThreadSanitizer.
 *
 * Criterion hands tests to other processes through memory at an address that ThreadSanitizer has claimed for itself,
 * so a test program with both dies before its first test ("Could not initialize inheritable arena"). This header and
 * runner.c beside it know the same macros and run the same cases, each in a fork of the program.
 */
#ifndef TSAN_CRITERION_H
#define TSAN_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct runner_case {
	const char *suite, *name;
	void (*run)(void); /* NULL: what all cases of the suite begin and end with */
	void (*init)(void);
	void (*fini)(void);
	double timeout; /* seconds */
	int signal;     /* that ends it when all is well */
	int exit_code;  /* as which it ends when all is well */
	bool disabled;
	const char *description;
	struct runner_case *next;
};

/** Add a case or a suite; constructors call it. */
void runner_add(struct runner_case *case_);

/** Say where and why, when @good is false; then end the case if @fatal. */
void runner_check(bool good, bool fatal, const char *file, int line, const char *what, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/** The same for two texts, which are shown. */
void runner_check_text(bool equal, bool fatal, const char *file, int line, const char *a, const char *b,
		       const char *format, ...) __attribute__((format(printf, 7, 8)));

#define RUNNER_ADD(id, ...)                                                                                            \
	static struct runner_case id##_case = {__VA_ARGS__};                                                           \
	__attribute__((constructor)) static void id##_add(void)                                                        \
	{                                                                                                              \
		runner_add(&id##_case);                                                                                \
	}

#define Test(suite_, name_, ...)                                                                                       \
	static void suite_##_##name_##_run(void);                                                                      \
	RUNNER_ADD(suite_##_##name_, .suite = #suite_, .name = #name_, .run = suite_##_##name_##_run, __VA_ARGS__)     \
	static void suite_##_##name_##_run(void)

#define TestSuite(suite_, ...) RUNNER_ADD(suite_##_suite, .suite = #suite_, __VA_ARGS__) struct runner_case

#define RUNNER_CHECK(good, fatal, what, ...) runner_check((good), fatal, __FILE__, __LINE__, what, "" __VA_ARGS__)
#define RUNNER_TEXT(equal, fatal, a, b, ...) runner_check_text(equal, fatal, __FILE__, __LINE__, a, b, "" __VA_ARGS__)

/** A case is a process of its own: to leave it well is to skip the rest. */
#define cr_skip_test(...)                                                                                              \
	do {                                                                                                           \
		(void)printf("skipped: " __VA_ARGS__);                                                                 \
		exit(EXIT_SUCCESS);                                                                                    \
	} while (0)

#define cr_fail(...)                      RUNNER_CHECK(false, false, "", __VA_ARGS__)
#define cr_expect(good, ...)              RUNNER_CHECK(good, false, #good, __VA_ARGS__)
#define cr_expect_not(bad, ...)           RUNNER_CHECK(!(bad), false, "not " #bad, __VA_ARGS__)
#define cr_expect_eq(a, b, ...)           RUNNER_CHECK((a) == (b), false, #a " == " #b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...)          RUNNER_CHECK((a) != (b), false, #a " != " #b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)           RUNNER_CHECK((a) < (b), false, #a " < " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...)          RUNNER_CHECK((a) <= (b), false, #a " <= " #b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)           RUNNER_CHECK((a) > (b), false, #a " > " #b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...)          RUNNER_CHECK((a) >= (b), false, #a " >= " #b, __VA_ARGS__)
#define cr_expect_null(a, ...)            RUNNER_CHECK((a) == NULL, false, #a " is NULL", __VA_ARGS__)
#define cr_expect_not_null(a, ...)        RUNNER_CHECK((a) != NULL, false, #a " is not NULL", __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)       RUNNER_TEXT(true, false, a, b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...)      RUNNER_TEXT(false, false, a, b, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) RUNNER_CHECK(memcmp(a, b, size) == 0, false, #a " as " #b, __VA_ARGS__)

#define cr_assert_fail(...)               RUNNER_CHECK(false, true, "", __VA_ARGS__)
#define cr_assert(good, ...)              RUNNER_CHECK(good, true, #good, __VA_ARGS__)
#define cr_assert_not(bad, ...)           RUNNER_CHECK(!(bad), true, "not " #bad, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)           RUNNER_CHECK((a) == (b), true, #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)          RUNNER_CHECK((a) != (b), true, #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)           RUNNER_CHECK((a) < (b), true, #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)          RUNNER_CHECK((a) <= (b), true, #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)           RUNNER_CHECK((a) > (b), true, #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)          RUNNER_CHECK((a) >= (b), true, #a " >= " #b, __VA_ARGS__)
#define cr_assert_null(a, ...)            RUNNER_CHECK((a) == NULL, true, #a " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a, ...)        RUNNER_CHECK((a) != NULL, true, #a " is not NULL", __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)       RUNNER_TEXT(true, true, a, b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...)      RUNNER_TEXT(false, true, a, b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) RUNNER_CHECK(memcmp(a, b, size) == 0, true, #a " as " #b, __VA_ARGS__)

#endif
