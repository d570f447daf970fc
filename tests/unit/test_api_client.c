/* SPDX-License-Identifier: Apache-2.0
 *
 * test_api_client.c - when a local client has kept its place for too long. Frames and limits are tested from outside, in
 * tests/integration/test_api.py.
 */
#include <criterion/criterion.h>

#include "api_internal.h"

#define LATE (API_IDLE_MS + 1)

static struct api_answer answer;

Test(api_client, that_asks_nothing_is_idle_after_a_while)
{
	const struct api_client client = {.moved_ms = 1000};

	cr_expect_not(api_client_is_idle(&client, 1000));
	cr_expect_not(api_client_is_idle(&client, 1000 + API_IDLE_MS));
	cr_expect(api_client_is_idle(&client, 1000 + LATE));
}

Test(api_client, that_sends_half_a_request_is_idle_all_the_same)
{
	const struct api_client client = {.input_used = 3};

	cr_expect(api_client_is_idle(&client, LATE));
}

Test(api_client, that_takes_nothing_of_its_answer_is_idle)
{
	struct api_client client = {.answer = &answer, .output_end = 100};

	cr_expect(api_client_is_idle(&client, LATE));
	client.answer_waits = true; /* a follower with events before it */
	cr_expect(api_client_is_idle(&client, LATE));
}

Test(api_client, that_follows_may_hear_nothing_for_days)
{
	const struct api_client client = {.answer = &answer, .answer_waits = true};

	cr_expect_not(api_client_is_idle(&client, 7LL * 86400 * 1000));
}
