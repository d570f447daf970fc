/* SPDX-License-Identifier: Apache-2.0
 *
 * test_alarm.c - the alarm table, and sets of alarms.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "alarm.h"

Test(alarm, every_type_is_found_by_name_and_identity)
{
	const struct bb_alarm_type *type;
	size_t count = 0, identities = 0;

	for (; (type = bb_alarm_type_row(count)) != NULL; count++) {
		cr_assert_eq(bb_alarm_type_find(type->name), type, "%s", type->name);
		cr_assert_neq(type->title[0], '\0', "%s has no title", type->name);
		if (type->oid[0] == '\0')
			continue;
		cr_assert_eq(bb_alarm_type_find_oid(type->oid), type, "%s", type->oid);
		identities++;
	}
	cr_assert_eq(identities, 219, "%zu identities", identities);
	cr_assert_gt(count, identities);
}

Test(alarm, a_type_is_found_with_or_without_prefix)
{
	const struct bb_alarm_type *type = bb_alarm_type_find("on-battery");

	cr_assert_not_null(type);
	cr_assert_eq(bb_alarm_type_find("alarm.on-battery"), type);
	cr_assert_str_eq(type->oid, "1.3.6.1.2.1.33.1.6.3.2");
	cr_assert_str_eq(type->nut, "OB");
	cr_assert_eq(type->severity, BB_SEVERITY_ALARM);
	cr_assert_eq(type->bit, 1);
	cr_assert_null(bb_alarm_type_find("no-such-alarm"));
	cr_assert_null(bb_alarm_type_find(""));
	cr_assert_null(bb_alarm_type_find_oid("1.3.6.1.2.1.33.1.6.3"));
	cr_assert_null(bb_alarm_type_find_oid(""));
}

Test(alarm, bits_are_those_of_the_well_known_list)
{
	for (int bit = 0; bit < 24; bit++) {
		char oid[64];

		snprintf(oid, sizeof(oid), "1.3.6.1.2.1.33.1.6.3.%d", bit + 1);
		cr_assert_eq(bb_alarm_type_find_oid(oid)->bit, bit);
	}
	cr_assert_eq(bb_alarm_type_find("aux-input-1")->bit, -1);
	cr_assert_eq(bb_alarm_type_find("plugin-failed")->bit, -1);
}

Test(alarm, the_worst_of_a_set_is_that_of_its_active_alarms)
{
	struct bb_alarm_set *set = alarm_set_create(3, NULL), *copy;
	enum bb_severity worst;

	set->alarms[0].type = bb_alarm_type_find("on-battery");
	set->alarms[1].type = bb_alarm_type_find("on-bypass");
	set->alarms[2].type = bb_alarm_type_find("test-in-progress");
	alarm_set_seal(set);
	cr_assert_not(bb_alarm_set_worst(set, &worst));

	set->alarms[1].active = set->alarms[2].active = true;
	alarm_set_seal(set);
	cr_assert_eq(set->active, 2);
	cr_assert(bb_alarm_set_worst(set, &worst));
	cr_assert_eq(worst, BB_SEVERITY_WARNING);

	copy = alarm_set_copy(set);
	copy->alarms[0].active = true;
	alarm_set_seal(copy);
	cr_assert(bb_alarm_set_worst(copy, &worst));
	cr_assert_eq(worst, BB_SEVERITY_ALARM);
	cr_assert_eq(set->active, 2, "the original has changed");
	cr_assert_eq(alarm_set_find(copy, bb_alarm_type_find("on-bypass")), 1);
	cr_assert_eq(alarm_set_find(copy, bb_alarm_type_find("fan-failure")), -1);
	bb_alarm_set_unref(bb_alarm_set_ref(copy));
	bb_alarm_set_unref(copy);
	bb_alarm_set_unref(set);
	bb_alarm_set_unref(NULL);
}
