/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_oid.c - the order of object identifiers, their ends, and their text.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <busbar/macros.h>

#include "oid.h"

static struct oid parsed(const char *text)
{
	struct oid oid;

	cr_assert_eq(oid_parse(text, &oid), 0, "%s", text);
	return oid;
}

static struct oid longest(void)
{
	struct oid oid = {.length = OID_MAX};

	for (size_t i = 0; i < OID_MAX; i++)
		oid.arcs[i] = UINT32_MAX;
	return oid;
}

Test(agentx_oid, what_is_the_beginning_of_another_comes_first_and_arcs_count_as_numbers)
{
	static const char *const sorted[] = {
		"0",       "0.0", "1.3", "1.3.6.1", "1.3.6.1.2", "1.3.6.1.2.0", "1.3.6.1.10", "1.3.6.1.4294967295",
		"1.3.6.2", "2"};

	for (size_t i = 0; i < BB_LENGTH(sorted); i++)
		for (size_t j = 0; j < BB_LENGTH(sorted); j++) {
			const struct oid a = parsed(sorted[i]), b = parsed(sorted[j]);
			const int order = oid_compare(&a, &b);

			cr_assert_eq((order > 0) - (order < 0), (i > j) - (i < j), "%s and %s", sorted[i], sorted[j]);
		}
}

Test(agentx_oid, the_null_identifier_comes_before_all_others)
{
	const struct oid null = {0}, first = parsed("0");

	cr_assert_lt(oid_compare(&null, &first), 0);
	cr_assert_eq(oid_compare(&null, &null), 0);
	cr_assert(oid_is_below(&first, &null));
}

Test(agentx_oid, an_identifier_is_below_itself_and_its_beginnings_only)
{
	const struct oid tree = parsed("1.3.6.1.2.1.33"), leaf = parsed("1.3.6.1.2.1.33.1"),
			 other = parsed("1.3.6.1.2.1.34"), parent = parsed("1.3.6.1.2.1");

	cr_assert(oid_is_below(&tree, &tree));
	cr_assert(oid_is_below(&leaf, &tree));
	cr_assert_not(oid_is_below(&other, &tree));
	cr_assert_not(oid_is_below(&parent, &tree));
}

Test(agentx_oid, arcs_are_appended_up_to_128)
{
	static const uint32_t arcs[OID_MAX] = {7};
	struct oid oid = parsed("1.3.6");
	const struct oid before = oid;

	cr_assert_eq(oid_append(&oid, arcs, OID_MAX - 2), -E2BIG);
	cr_assert_eq(oid_compare(&oid, &before), 0);
	cr_assert_eq(oid_append(&oid, arcs, SIZE_MAX), -E2BIG);
	cr_assert_eq(oid_append(&oid, arcs, 0), 0);
	cr_assert_eq(oid.length, 3);
	cr_assert_eq(oid_append(&oid, arcs, OID_MAX - 3), 0);
	cr_assert_eq(oid.length, OID_MAX);
	cr_assert_eq(oid.arcs[3], 7);
	cr_assert_eq(oid_append(&oid, arcs, 1), -E2BIG);
}

Test(agentx_oid, the_end_of_a_subtree_is_the_first_identifier_behind_it)
{
	static const char *const pairs[][2] = {
		{"1.3.6.1.2.1.33", "1.3.6.1.2.1.34"},
		{"1.3.4294967295", "1.4"},
		{"1.4294967294", "1.4294967295"},
		{"0.4294967295.4294967295", "1"},
	};
	const struct oid last = longest(), null = {0};
	struct oid after;

	for (size_t i = 0; i < BB_LENGTH(pairs); i++) {
		const struct oid oid = parsed(pairs[i][0]), expected = parsed(pairs[i][1]);

		cr_assert(oid_after(&oid, &after));
		cr_assert_eq(oid_compare(&after, &expected), 0, "%s", pairs[i][0]);
		cr_assert_gt(oid_compare(&after, &oid), 0);
		cr_assert_not(oid_is_below(&after, &oid));
	}
	cr_assert_not(oid_after(&last, &after));
	cr_assert_not(oid_after(&null, &after));
}

Test(agentx_oid, text_comes_back_as_it_was_without_a_leading_dot)
{
	static const char *const texts[][2] = {
		{"1.3.6.1", "1.3.6.1"}, {".1.3", "1.3"}, {"0", "0"}, {"4294967295.0", "4294967295.0"}, {"1.007", "1.7"},
	};
	const struct oid last = longest(), null = {0};
	char text[OID_TEXT_SIZE];
	struct oid oid;

	for (size_t i = 0; i < BB_LENGTH(texts); i++) {
		oid = parsed(texts[i][0]);
		cr_assert_str_eq(oid_print(&oid, text), texts[i][1]);
	}
	cr_assert_str_eq(oid_print(&null, text), "");
	cr_assert_eq(strlen(oid_print(&last, text)), OID_MAX * 11 - 1);
	cr_assert_eq(oid_parse(text, &oid), 0);
	cr_assert_eq(oid_compare(&oid, &last), 0);
}

Test(agentx_oid, what_is_no_identifier_is_refused)
{
	static const char *const texts[] = {"",
					    ".",
					    "..1",
					    "1.",
					    "1..3",
					    "a",
					    "1.a",
					    "1.3 ",
					    " 1.3",
					    "-1.3",
					    "1.+3",
					    "1.3.6.1\n",
					    "1.4294967296",
					    "1.99999999999999999999999"};
	struct oid oid = {.length = 1, .arcs = {42}};
	char text[OID_TEXT_SIZE + 8];
	const struct oid last = longest();

	for (size_t i = 0; i < BB_LENGTH(texts); i++)
		cr_assert_eq(oid_parse(texts[i], &oid), -EINVAL, "'%s'", texts[i]);
	oid_print(&last, text);
	strcat(text, ".1");
	cr_assert_eq(oid_parse(text, &oid), -EINVAL, "129 arcs");
	cr_assert_eq(oid.arcs[0], 42, "written only on success");
}
