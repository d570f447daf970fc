/* SPDX-License-Identifier: Apache-2.0
 *
 * test_snmp_oid.c - object identifiers: compared, parsed, printed.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>
#include <busbar/snmp.h>

static struct bb_snmp_oid oid_of(const char *text)
{
	struct bb_snmp_oid oid;

	cr_assert_eq(bb_snmp_oid_parse(text, &oid), 0, "'%s'", text);
	return oid;
}

Test(snmp_oid, a_leading_dot_makes_no_difference)
{
	const struct bb_snmp_oid plain = oid_of("1.3.6.1.2.1.33"), dotted = oid_of(".1.3.6.1.2.1.33");

	cr_assert_eq(plain.length, 7);
	cr_assert_eq(plain.arcs[6], 33);
	cr_assert_eq(bb_snmp_oid_compare(&plain, &dotted), 0);
}

Test(snmp_oid, what_is_not_an_oid_is_refused_and_changes_nothing)
{
	static const char *const wrong[] = {"",
					    ".",
					    "..1",
					    "1..3",
					    "1.3.",
					    "1.3.x",
					    "a",
					    "1 3",
					    "-1.3",
					    "1.4294967296",
					    "1.99999999999999999999",
					    "1.3.6 ",
					    "iso.3.6",
					    "0x1.3"};

	for (size_t i = 0; i < BB_LENGTH(wrong); i++) {
		struct bb_snmp_oid oid = {.arcs = {7}, .length = 1};

		cr_assert_eq(bb_snmp_oid_parse(wrong[i], &oid), -EINVAL, "'%s'", wrong[i]);
		cr_assert_eq(oid.length, 1);
		cr_assert_eq(oid.arcs[0], 7);
	}
}

Test(snmp_oid, the_largest_arc_and_the_longest_oid_are_taken_but_no_more)
{
	char text[BB_SNMP_OID_MAX * 11 + 16], printed[sizeof(text)];
	struct bb_snmp_oid oid;
	size_t used = 0;

	for (int i = 0; i < BB_SNMP_OID_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s4294967295", i ? "." : "");
	oid = oid_of(text);
	cr_assert_eq(oid.length, BB_SNMP_OID_MAX);
	cr_assert_eq(bb_snmp_oid_print(printed, sizeof(printed), &oid), (int)used);
	cr_assert_str_eq(printed, text);
	strcat(text, ".1");
	cr_assert_eq(bb_snmp_oid_parse(text, &oid), -EINVAL);
}

Test(snmp_oid, order_is_that_of_the_mib_not_of_text)
{
	static const char *const sorted[] = {"1.3", "1.3.6", "1.3.6.1.2", "1.3.6.1.10", "1.3.6.1.4294967295", "1.4"};

	for (size_t i = 0; i < BB_LENGTH(sorted); i++) {
		for (size_t k = 0; k < BB_LENGTH(sorted); k++) {
			const struct bb_snmp_oid a = oid_of(sorted[i]), b = oid_of(sorted[k]);
			const int order = bb_snmp_oid_compare(&a, &b);

			cr_assert_eq((order > 0) - (order < 0), (i > k) - (i < k), "%s %s", sorted[i], sorted[k]);
		}
	}
}

Test(snmp_oid, a_subtree_holds_its_root_and_what_is_under_it)
{
	const struct bb_snmp_oid root = oid_of("1.3.6.1.2.1.33"), under = oid_of("1.3.6.1.2.1.33.1.1"),
				 beside = oid_of("1.3.6.1.2.1.34.1"), above = oid_of("1.3.6.1");

	cr_assert(bb_snmp_oid_below(&root, &root));
	cr_assert(bb_snmp_oid_below(&under, &root));
	cr_assert_not(bb_snmp_oid_below(&beside, &root));
	cr_assert_not(bb_snmp_oid_below(&above, &root));
}

Test(snmp_oid, printing_into_too_small_a_buffer_cuts_and_says_how_much_was_needed)
{
	const struct bb_snmp_oid oid = oid_of("1.3.6.1");
	char small[4];

	cr_assert_eq(bb_snmp_oid_print(small, sizeof(small), &oid), 7);
	cr_assert_str_eq(small, "1.3");
	cr_assert_eq(bb_snmp_oid_print(NULL, 0, &oid), 7);
}
