/* SPDX-License-Identifier: Apache-2.0
 *
 * ups-snmp - UPSs that speak UPS-MIB (RFC 1628) over SNMP v1, v2c and v3.
 *
 * The MIB is twenty years old and every vendor reads it in a way of his own, so this plugin believes the device rather
 * than the MIB: at first contact it walks the tree once and remembers which instances there are (learn.c), then it asks
 * for just those, in as few requests as the device stands (plan.c, poll.c). What an answer means stands in objects.csv,
 * and how particular devices differ in quirks.csv (decode.c).
 *
 * This file is the life of a device: it opens the peer on the SNMP client's loop, keeps the pace, and starts a learning
 * or a poll when one is due. start() and stop() come from the main loop and hand over by a task; stop() waits for the
 * client's loop to confirm, so that nothing about the device is in flight afterwards. Host names are looked up before
 * the first request and again whenever the device does not answer; until that comes to something, the last good address
 * is kept. Of several addresses one that does not answer gives way to the next.
 */
#include "ups-snmp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <busbar/macros.h>

/* First polls of many devices are spread over this, at most. */
#define UPS_SNMP_SPREAD_MS 1000

/* After so many failures in a row a device is learned again. */
#define UPS_SNMP_FAILURES_MAX 2

const struct bb_snmp_oid ups_snmp_uptime = {{1, 3, 6, 1, 2, 1, 1, 3, 0}, 9};
const struct suffix ups_snmp_alarm_column = {{1, 6, 2, 1, 2}, 5};

static void ups_snmp_schedule(struct ups_snmp *ups)
{
	enum bb_group group;
	const int64_t delay = bb_pace_next(&ups->pace, &group) - bb_clock_ms();

	bb_timer_start(ups->timer, delay > 0 ? delay : 0, 0);
}

void ups_snmp_finished(struct ups_snmp *ups, int result)
{
	/* Silent for a while: perhaps because of what is asked for, or it is another device by now. */
	if (result < 0 && ups->pace.failures >= UPS_SNMP_FAILURES_MAX)
		ups->learned = false;
	if (result == 0)
		ups->answers = true;
	bb_pace_done(&ups->pace, ups->group, ups->started_ms, bb_clock_ms(), result);
	ups_snmp_schedule(ups);
}

void ups_snmp_say_loop(struct ups_snmp *ups)
{
	if (ups->said_loop)
		return;
	ups->said_loop = true;
	(void)bb_log_warning(ups->log, 0, "GETNEXT goes round in circles, asking for single objects instead");
}

static void ups_snmp_work(struct ups_snmp *ups)
{
	if (ups->learned)
		poll_start(ups, ups->group);
	else
		learn_start(ups);
}

/* Talk to @address from now on. */
static int ups_snmp_connect(struct ups_snmp *ups, const char *address)
{
	struct bb_snmp_options options;
	struct bb_snmp_agent *agent;
	int r;

	ups_snmp_access(ups->config, &ups->secrets, address, &options);
	r = bb_snmp_agent_open(ups->client, &options, ups->log, &agent);
	if (r < 0)
		return r;
	bb_snmp_agent_close(ups->agent);
	ups->agent = agent;
	(void)snprintf(ups->address, sizeof(ups->address), "%s", address); /* numeric, so it fits */
	return 0;
}

static void ups_snmp_resolved(void *context, int result, const char *address)
{
	struct ups_snmp *ups = context;

	ups->lookup = NULL;
	if (result < 0) {
		(void)bb_complain(ups->log, &ups->unresolved, result, "no address for '%s'%s",
				  bb_config_address(ups->config, "address")->host,
				  ups->agent ? ", keeping the last one" : "");
	} else {
		bb_complaint_over(ups->log, &ups->unresolved, "look-up of the address");
		if (!ups->agent || strcmp(address, ups->address) != 0)
			result = ups_snmp_connect(ups, address);
	}
	if (ups->agent) {
		ups_snmp_work(ups);
		return;
	}
	bb_device_failed(ups->device, result);
	ups_snmp_finished(ups, result);
}

/* Something is due. */
static void ups_snmp_due(void *context)
{
	struct ups_snmp *ups = context;
	int r;

	ups->started_ms = bb_clock_ms();
	(void)bb_pace_next(&ups->pace, &ups->group);
	if (ups->agent && ups->pace.failures == 0) {
		ups_snmp_work(ups);
		return;
	}
	/* Not yet connected, or silent: perhaps it has moved. Where it has answered before it gets a second chance. */
	r = bb_resolve_again(ups->loop, bb_config_address(ups->config, "address")->host,
			     ups->agent ? ups->address : NULL, !ups->answers, ups_snmp_resolved, ups, &ups->lookup);
	ups->answers = false;
	if (r < 0) {
		bb_device_failed(ups->device, r);
		ups_snmp_finished(ups, r);
	}
}

static struct ups_snmp *ups_snmp_of_task(struct bb_task *task)
{
	return BB_CONTAINER(task, struct ups_snmp, task);
}

static void ups_snmp_begin(struct bb_task *task)
{
	struct ups_snmp *ups = ups_snmp_of_task(task);
	const int64_t interval = bb_device_interval(ups->device);

	ups->timer = bb_timer_create(ups->loop, ups_snmp_due, ups);
	ups->begun = ups->timer ? 0 : -ENOMEM;
	if (ups->timer) {
		bb_pace_init(&ups->pace, bb_device_name(ups->device), interval, bb_device_watch(ups->device),
			     bb_clock_ms(), interval < UPS_SNMP_SPREAD_MS ? interval : UPS_SNMP_SPREAD_MS);
		ups_snmp_schedule(ups);
	}
	sem_post(&ups->confirmed);
}

static void ups_snmp_end(struct bb_task *task)
{
	struct ups_snmp *ups = ups_snmp_of_task(task);

	bb_timer_destroy(ups->timer);
	ups->timer = NULL;
	bb_lookup_cancel(ups->lookup);
	ups->lookup = NULL;
	learn_stop(ups);
	poll_stop(ups);
	bb_snmp_agent_close(ups->agent);
	ups->agent = NULL;
	sem_post(&ups->confirmed);
}

/* Run @run on the client's loop and wait until it is over. */
static void ups_snmp_hand_over(struct ups_snmp *ups, void (*run)(struct bb_task *task))
{
	ups->task.run = run;
	bb_loop_post(ups->loop, &ups->task);
	while (sem_wait(&ups->confirmed) < 0 && errno == EINTR)
		;
}

static int ups_snmp_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	struct ups_snmp *ups = state;

	ups->device = bb_builder_device(builder);
	ups->log = bb_builder_log(builder);
	ups->config = config;
	if (sem_init(&ups->confirmed, 0, 0) < 0)
		return bb_log_error(ups->log, -errno, "cannot make a semaphore");
	plan_init(&ups->plan, false);
	alarms_init(&ups->alarms);
	return secrets_read(config, &ups->secrets);
}

static int ups_snmp_describe(struct bb_builder *builder, void *state)
{
	struct ups_snmp *ups = state;

	for (size_t i = 0; i < ups->plan.count; i++) {
		struct plan_item *item = &ups->plan.items[i];
		char name[64];
		int r;

		(void)object_point(item->decoder.object, item->row, name, sizeof(name)); /* was found before */
		r = bb_builder_add(builder, name);
		if (r < 0)
			return r;
		item->point = (int16_t)r;
	}
	return alarms_describe(&ups->alarms, builder);
}

static int ups_snmp_start(void *state)
{
	struct ups_snmp *ups = state;
	int r = bb_snmp_client_acquire(&ups->client);

	if (r < 0)
		return bb_log_error(ups->log, r, "cannot start the SNMP client");
	ups->loop = bb_snmp_client_loop(ups->client);
	ups_snmp_hand_over(ups, ups_snmp_begin);
	return ups->begun;
}

static void ups_snmp_stop(void *state)
{
	struct ups_snmp *ups = state;

	if (!ups->client)
		return;
	ups_snmp_hand_over(ups, ups_snmp_end);
	bb_snmp_client_release(ups->client);
	ups->client = NULL;
}

static void ups_snmp_close(void *state)
{
	struct ups_snmp *ups = state;

	plan_finish(&ups->plan);
	alarms_finish(&ups->alarms);
	secrets_wipe(&ups->secrets);
	(void)sem_destroy(&ups->confirmed); /* nobody waits */
}

BB_PLUGIN(ups_snmp) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "ups-snmp",
	.summary = "UPSs with UPS-MIB (RFC 1628), over SNMP v1, v2c and v3",
	.options = ups_snmp_options,
	.state_size = sizeof(struct ups_snmp),
	.device =
		{
			.check = ups_snmp_check,
			.open = ups_snmp_open,
			.describe = ups_snmp_describe,
			.start = ups_snmp_start,
			.stop = ups_snmp_stop,
			.close = ups_snmp_close,
			.schemes = "snmp",
		},
};
