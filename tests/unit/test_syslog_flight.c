/* SPDX-License-Identifier: Apache-2.0
 *
 * test_syslog_flight.c - which events count as delivered when nobody says so.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "flight.h"

Test(syslog_flight, what_was_acknowledged_and_has_settled_is_delivered)
{
	struct flight flight = {0};

	flight_add(&flight, 3, 100);
	flight_add(&flight, 5, 200);
	cr_assert_eq(flight_settle(&flight, 1000, 50), 0, "nothing was acknowledged");
	flight_acknowledge(&flight, 199, 1000);
	cr_assert_eq(flight_settle(&flight, 1049, 50), 0, "too early");
	cr_assert_eq(flight_settle(&flight, 1050, 50), 3);
	cr_assert_eq(flight_settle(&flight, 9999, 50), 0, "once");
	flight_acknowledge(&flight, 200, 2000);
	cr_assert_eq(flight_settle(&flight, 2050, 50), 5);
	cr_assert_eq(flight.count, 0);
}

Test(syslog_flight, a_later_acknowledgement_does_not_make_it_start_again)
{
	struct flight flight = {0};

	flight_add(&flight, 1, 10);
	flight_acknowledge(&flight, 10, 100);
	flight_acknowledge(&flight, 10, 149);
	cr_assert_eq(flight_settle(&flight, 150, 50), 1);
}

/* Many marks, few places: never early, never out of order, and in the end all. */
Test(syslog_flight, a_full_list_delivers_late_but_never_early)
{
	enum {
		EVENTS = 5000,
		SETTLE = 40
	};
	static int64_t acknowledged_at[EVENTS + 1];
	struct flight flight = {0};
	uint64_t written = 0, acknowledged = 0, delivered = 0;
	int64_t now = 1;

	srandom(6587);
	while (delivered < EVENTS) {
		uint64_t settled;

		for (long more = random() % 200; more > 0 && written < EVENTS; more--) {
			written++;
			flight_add(&flight, written, written * 100);
		}
		if (random() % 3 == 0) {
			const uint64_t until = acknowledged + (uint64_t)random() % (written - acknowledged + 1);

			while (acknowledged < until)
				acknowledged_at[++acknowledged] = now;
			flight_acknowledge(&flight, acknowledged * 100, now);
		}
		settled = flight_settle(&flight, now, SETTLE);
		if (settled > 0) {
			cr_assert_gt(settled, delivered);
			cr_assert_leq(settled, acknowledged);
			cr_assert_leq(acknowledged_at[settled] + SETTLE, now);
			delivered = settled;
		}
		cr_assert_leq(flight.count, FLIGHT_MARKS);
		now += random() % 10;
		cr_assert_lt(now, 1000000, "events settle in the end");
	}
}
