/* SPDX-License-Identifier: Apache-2.0
 *
 * agentx - shows devices to SNMP managers, as RFC 1628 UPSs with the vendor's extensions, behind net-snmp's snmpd.
 *
 *	agentx.c       options, start and stop (here)
 *	session.c      the connection to snmpd; session_register.c, session_serve.c, wire.c and master.c, too
 *	codec_*.c      its messages (RFC 2741)
 *	context.c      what is where; answer.c answers, album.c keeps what a transaction looks at
 *	device_tree.c  a device as the UPS-MIB; agent_tree.c all of them as the BUSBAR-MIB
 *	set.c          what managers write
 *	notifier.c     what they are told; notification_*.c and repeat.c, too
 *
 * All of it runs on one thread with a loop, which waits for nobody: answers come from readings, and writes run on the
 * devices' links.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>

#include <busbar/plugin.h>

#include "context.h"
#include "master.h"
#include "notifier.h"
#include "session.h"
#include "set.h"

struct agentx {
	struct bb_registry *registry;
	const struct bb_log *log;
	const char *default_device; /* the configuration's */
	struct session_master master;
	struct oid base;
	bool allow_write;
	uint8_t priority;
	int64_t timeout_ms, retry_ms, ping_ms;

	struct bb_loop *thread;
	struct bb_task begin, update, finish;
	atomic_bool updating; /* update is on its way to the thread */
	atomic_uint_fast64_t events;
	sem_t done;
	int result;

	/* The thread's. */
	struct contexts *contexts;
	struct sets *sets;
	struct session *session;
	struct notifier *notifier;
};

static const struct bb_option agentx_options[] = {
	{.name = "master",
	 .type = BB_OPTION_STRING,
	 .preset = "unix:/var/agentx/master",
	 .help = "where snmpd takes subagents, as its line agentXSocket says: unix:/PATH or tcp:HOST:PORT"},
	{.name = "default-device",
	 .type = BB_OPTION_STRING,
	 .help = "the device that managers see without naming a context"},
	{.name = "base-oid",
	 .type = BB_OPTION_STRING,
	 .preset = "1.3.6.1.4.1.8072.9999.9999.1628",
	 .help = "where the BUSBAR-MIB is; the default is in the part of net-snmp's numbers that is free to play with"},
	{.name = "allow-write",
	 .type = BB_OPTION_BOOL,
	 .preset = "false",
	 .help = "let managers write, where snmpd lets them: names, tests, and switching the output off"},
	{.name = "priority",
	 .type = BB_OPTION_INT,
	 .preset = "127",
	 .min = 1,
	 .max = 255,
	 .help = "of what is registered with snmpd: when several subagents have the same, the lowest number wins"},
	{.name = "timeout",
	 .type = BB_OPTION_DURATION,
	 .preset = "5s",
	 .min = 100,
	 .max = 60000,
	 .help = "an answer of snmpd that takes longer does not come: the connection is made anew"},
	{.name = "retry",
	 .type = BB_OPTION_DURATION,
	 .preset = "2s",
	 .min = 100,
	 .max = 5000,
	 .help = "longest wait between two attempts to reach snmpd"},
	{.name = "ping",
	 .type = BB_OPTION_DURATION,
	 .preset = "15s",
	 .min = 1000,
	 .max = 600000,
	 .help = "how often snmpd must say that it is there"},
	{0},
};

/* ---- configuration ---- */

static int read_master(const struct bb_config *config, struct session_master *ret_master)
{
	const char *const text = bb_config_string(config, "master");
	const char *fault = "";
	const int r = session_master_parse(text, ret_master, &fault);

	return r == -EINVAL ? bb_config_error(config, "master", "'%s' %s", text, fault) : r;
}

static int read_base(const struct bb_config *config, struct oid *ret_base)
{
	static const struct oid mib_2 = {6, {1, 3, 6, 1, 2, 1}}, internet = {4, {1, 3, 6, 1}};
	const char *const text = bb_config_string(config, "base-oid");
	struct oid base;

	if (oid_parse(text, &base) < 0)
		return bb_config_error(config, "base-oid", "'%s' is no object identifier such as 1.3.6.1.4.1.8072",
				       text);
	if (base.length < 7 || base.length > 32 || !oid_is_below(&base, &internet) || oid_is_below(&base, &mib_2))
		return bb_config_error(config, "base-oid",
				       "'%s' must have 7 to 32 numbers, begin with 1.3.6.1, and not with 1.3.6.1.2.1",
				       text);
	*ret_base = base;
	return 0;
}

static int read_default_device(const struct bb_config *config)
{
	const char *const name = bb_config_string(config, "default-device");

	if (name && *name == '\0')
		return bb_config_error(config, "default-device", "must be the name of a device");
	return 0;
}

static int agentx_check(const struct bb_config *config)
{
	struct session_master master = {0};
	struct oid base;
	int r = read_master(config, &master);

	session_master_clear(&master);
	if (r >= 0)
		r = read_base(config, &base);
	return r < 0 ? r : read_default_device(config);
}

/* ---- the thread ---- */

static void session_changed(void *context, bool up)
{
	struct agentx *agentx = context;

	notifier_session_changed(agentx->notifier, up);
}

static void answer_set(void *context, const struct codec_header *request, enum codec_error error, unsigned index)
{
	struct agentx *agentx = context;

	session_answer(agentx->session, request, error, index);
}

static void count_figures(void *context, struct agent_figures *ret_figures)
{
	struct agentx *agentx = context;
	struct session_stats stats;

	session_stats(agentx->session, &stats);
	*ret_figures = (struct agent_figures){
		.events = atomic_load(&agentx->events),
		.requests = stats.requests,
		.notifications = stats.notifications,
		.connections = stats.connections,
	};
}

static int begin(struct agentx *agentx)
{
	char master[MASTER_TEXT_SIZE];
	const struct contexts_setup contexts = {
		.registry = agentx->registry,
		.default_device = agentx->default_device,
		.agent = {agentx->registry, &agentx->base, agentx->log, count_figures, agentx},
		.log = agentx->log,
	};
	const struct sets_setup sets = {
		.loop = agentx->thread,
		.allowed = agentx->allow_write,
		.answer = answer_set,
		.context = agentx,
	};
	struct session_setup session = {
		.loop = agentx->thread,
		.log = agentx->log,
		.master = &agentx->master,
		.id = &agentx->base,
		.priority = agentx->priority,
		.timeout_ms = agentx->timeout_ms,
		.retry_ms = agentx->retry_ms,
		.ping_ms = agentx->ping_ms,
		.changed = session_changed,
		.context = agentx,
	};
	struct notifier_setup notifier = {
		.loop = agentx->thread,
		.log = agentx->log,
		.registry = agentx->registry,
		.base = &agentx->base,
		.master = master,
	};
	int r;

	master_print(&agentx->master, master); /* one name for it, however it was spelled */
	r = contexts_create(&contexts, &agentx->contexts);
	if (r >= 0)
		r = contexts_update(agentx->contexts);
	if (r >= 0)
		r = sets_create(&sets, &agentx->sets);
	session.contexts = agentx->contexts;
	session.sets = agentx->sets;
	if (r >= 0)
		r = session_start(&session, &agentx->session);
	notifier.contexts = agentx->contexts;
	notifier.session = agentx->session;
	if (r >= 0)
		r = notifier_create(&notifier, &agentx->notifier);
	return r < 0 ? bb_log_error(agentx->log, r, "cannot start") : 0;
}

static void thread_begin(struct bb_task *task)
{
	struct agentx *agentx = BB_CONTAINER(task, struct agentx, begin);

	agentx->result = begin(agentx);
	sem_post(&agentx->done);
}

static void thread_update(struct bb_task *task)
{
	struct agentx *agentx = BB_CONTAINER(task, struct agentx, update);
	int r;

	atomic_store(&agentx->updating, false); /* what changes from here on needs another look */
	r = contexts_update(agentx->contexts);
	if (r < 0)
		(void)bb_log_error(agentx->log, r, "not all devices are served"); /* those that are there go on */
	if (r != 0)
		session_contexts_changed(agentx->session);
}

static void thread_finish(struct bb_task *task)
{
	struct agentx *agentx = BB_CONTAINER(task, struct agentx, finish);

	session_stop(agentx->session); /* first, because the others hear of it what will not come any more */
	notifier_destroy(agentx->notifier);
	sets_destroy(agentx->sets);
	contexts_destroy(agentx->contexts);
	sem_post(&agentx->done);
}

static void run_on_thread(struct agentx *agentx, struct bb_task *task, void (*run)(struct bb_task *task))
{
	task->run = run;
	bb_loop_post(agentx->thread, task);
	while (sem_wait(&agentx->done) < 0 && errno == EINTR)
		continue;
}

/* ---- life ---- */

static int agentx_start(struct bb_exporter *exporter, const struct bb_config *config, void *state)
{
	struct agentx *agentx = state;
	int r = sem_init(&agentx->done, 0, 0) < 0 ? -errno : 0;

	agentx->registry = bb_exporter_registry(exporter);
	agentx->log = bb_exporter_log(exporter);
	agentx->default_device = bb_config_string(config, "default-device");
	agentx->allow_write = bb_config_bool(config, "allow-write");
	agentx->priority = (uint8_t)bb_config_int(config, "priority");
	agentx->timeout_ms = bb_config_int(config, "timeout");
	agentx->retry_ms = bb_config_int(config, "retry");
	agentx->ping_ms = bb_config_int(config, "ping");
	if (r >= 0)
		r = read_master(config, &agentx->master);
	if (r >= 0)
		r = read_base(config, &agentx->base);
	if (r < 0)
		return r; /* check() has said why, or it is memory */
	r = bb_loop_thread_start("agentx", &agentx->thread);
	if (r < 0)
		return bb_log_error(agentx->log, r, "no thread");
	run_on_thread(agentx, &agentx->begin, thread_begin); /* it waits for nothing but a cursor */
	return agentx->result;
}

static void agentx_stop(void *state)
{
	struct agentx *agentx = state;

	if (agentx->thread) {
		run_on_thread(agentx, &agentx->finish, thread_finish);
		bb_loop_thread_stop(agentx->thread);
	}
	session_master_clear(&agentx->master);
	sem_destroy(&agentx->done);
}

static void agentx_event(void *state, const struct bb_event *event)
{
	struct agentx *agentx = state;

	(void)event; /* what becomes of it is the journal's and notifier.c's */
	atomic_fetch_add(&agentx->events, 1);
}

static void agentx_devices_changed(void *state)
{
	struct agentx *agentx = state;

	if (!agentx->thread || agentx->result < 0 || atomic_exchange(&agentx->updating, true))
		return;
	agentx->update.run = thread_update;
	bb_loop_post(agentx->thread, &agentx->update);
}

BB_PLUGIN(agentx) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_EXPORTER,
	.name = "agentx",
	.summary = "shows devices to SNMP managers, behind net-snmp's snmpd",
	.options = agentx_options,
	.state_size = sizeof(struct agentx),
	.exporter = {.check = agentx_check,
		     .start = agentx_start,
		     .stop = agentx_stop,
		     .event = agentx_event,
		     .devices_changed = agentx_devices_changed,
		     .tests = notification_names},
};
