/* SPDX-License-Identifier: Apache-2.0
 *
 * syslog - tells every event to syslog servers (RFC 5424) and to the local journal.
 *
 *	syslog.c            options, start and stop (here)
 *	target.c            where messages go
 *	message.c           an event as a message; host.c says from which machine
 *	transport_udp.c     receivers that are told in the moment, on the main loop; journald.c, too
 *	receiver.c          receivers that get every event: their connections, one after the other
 *	delivery.c          what they get, from a cursor in the journal; flight.c says what arrived
 *	transport_stream.c  a connection; tls.c, too
 *
 * Receivers over TCP and TLS of one section share a thread with a loop. Nothing on it ever waits for a peer, so none of
 * them holds up another.
 */
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/plugin.h>

#include "datagram.h"
#include "host.h"
#include "receiver.h"

/* When the exporter ends, peers that have not acknowledged everything get this long. */
#define FINISH_PATIENCE_MS 500

/* One for each target; which member is used follows from its kind. */
struct outlet {
	const struct target *target;
	struct udp *udp;
	struct journald *journald;
	struct receiver *receiver; /* the thread's */
};

struct syslog {
	struct message_origin origin;
	struct target_list targets;
	struct outlet *outlets; /* as many */
	struct tls *tls;
	struct receiver_setup setup; /* what receivers have in common */

	struct bb_loop *thread; /* NULL: no receivers */
	struct bb_task begin, finish;
	size_t finishing; /* the thread's */
	sem_t done;
	int result;
};

static const struct bb_option syslog_options[] = {
	{.name = "server",
	 .type = BB_OPTION_STRING,
	 .help = "where messages go: tls://HOST[:6514], tcp://HOST[:514], udp://HOST[:514] or journald:"},
	{.name = "servers", .type = BB_OPTION_LIST, .help = "the same for several: a list; each gets every event"},
	{.name = "ca-file", .type = BB_OPTION_FILE, .help = "certificates to trust (PEM), instead of the system's"},
	{.name = "certificate-file",
	 .type = BB_OPTION_FILE,
	 .help = "our own certificate with its chain (PEM), if asked"},
	{.name = "key-file", .type = BB_OPTION_SECRET_FILE, .help = "its private key (PEM, without a pass phrase)"},
	{.name = "verify-name",
	 .type = BB_OPTION_STRING,
	 .help = "name or number that certificates must be made out for, instead of the host in the address"},
	{.name = "insecure",
	 .type = BB_OPTION_BOOL,
	 .preset = "false",
	 .help = "trust any certificate; the alarm tls-not-verified is active meanwhile"},
	{.name = "framing",
	 .type = BB_OPTION_ENUM,
	 .preset = "octet-counting",
	 .choices = "octet-counting lf",
	 .help = "how messages are told apart on tcp:// (RFC 6587); tls:// always counts octets"},
	{.name = "facility",
	 .type = BB_OPTION_ENUM,
	 .preset = "daemon",
	 .choices = "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock "
		    "local0 local1 local2 local3 local4 local5 local6 local7",
	 .help = "syslog's facility of all messages"},
	{.name = "enterprise",
	 .type = BB_OPTION_INT,
	 .preset = "32473",
	 .min = 1,
	 .max = UINT32_MAX,
	 .help = "private enterprise number in the structured data, busbar@NUMBER; the default is the one for "
		 "examples"},
	{.name = "hostname", .type = BB_OPTION_STRING, .help = "name of this machine in messages, instead of its own"},
	{.name = "timeout",
	 .type = BB_OPTION_DURATION,
	 .preset = "10s",
	 .min = 100,
	 .max = 300000,
	 .help = "a look-up, a connection or an answer that takes longer has failed"},
	{.name = "settle",
	 .type = BB_OPTION_DURATION,
	 .preset = "5s",
	 .min = 100,
	 .max = 3600000,
	 .help = "events count as delivered when their connection has stood this long after they arrived"},
	{.name = "retry",
	 .type = BB_OPTION_DURATION,
	 .preset = "30s",
	 .min = 100,
	 .max = 3600000,
	 .help = "longest wait between two attempts to reach a server"},
	{0},
};

/* ---- configuration ---- */

static bool has_kind(const struct target_list *list, enum target_kind kind)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->targets[i].kind == kind)
			return true;
	return false;
}

static int check_host_name(const struct bb_config *config)
{
	const char *name = bb_config_string(config, "hostname");
	struct message_origin origin;

	if (!name)
		return 0;
	message_set_host(&origin, name);
	if (strcmp(origin.host, name) != 0)
		return bb_config_error(config, "hostname",
				       "'%s' cannot be a name: ASCII without blanks, at most %d characters", name,
				       MESSAGE_HOST_MAX);
	return 0;
}

static int syslog_check(const struct bb_config *config)
{
	static const char *const of_tls[] = {"ca-file", "certificate-file", "key-file", "verify-name", "insecure"};
	struct target_list list = {0};
	struct tls *tls = NULL;
	int r = check_host_name(config);

	if (r >= 0)
		r = targets_read(config, &list);
	if (r >= 0 && has_kind(&list, TARGET_TLS))
		r = tls_create(config, &tls); /* files that cannot be used are found now, not at three in the morning */
	else if (r >= 0)
		for (size_t i = 0; i < BB_LENGTH(of_tls); i++)
			if (bb_config_is_set(config, of_tls[i]))
				r = bb_config_error(config, of_tls[i], "is of no use: no server begins with tls://");
	if (r >= 0 && bb_config_is_set(config, "framing") && !has_kind(&list, TARGET_TCP))
		r = bb_config_error(config, "framing", "is of no use: no server begins with tcp://");
	tls_destroy(tls);
	targets_free(&list);
	return r;
}

/* ---- the thread of receivers ---- */

static void receivers_begin(struct bb_task *task)
{
	struct syslog *syslog = BB_CONTAINER(task, struct syslog, begin);

	for (size_t i = 0; i < syslog->targets.count && syslog->result >= 0; i++) {
		struct outlet *outlet = &syslog->outlets[i];
		struct receiver_setup setup = syslog->setup;

		if (!target_is_stream(outlet->target))
			continue;
		setup.target = outlet->target;
		setup.count_octets |= outlet->target->kind == TARGET_TLS; /* RFC 5425, 4.3 */
		syslog->result = receiver_start(&setup, &outlet->receiver);
	}
	sem_post(&syslog->done);
}

static void receiver_finished(void *context)
{
	struct syslog *syslog = context;

	if (--syslog->finishing == 0)
		sem_post(&syslog->done);
}

static void receivers_finish(struct bb_task *task)
{
	struct syslog *syslog = BB_CONTAINER(task, struct syslog, finish);

	syslog->finishing = 1; /* this function: so that the last receiver to finish does not end what is not begun */
	for (size_t i = 0; i < syslog->targets.count; i++)
		if (syslog->outlets[i].receiver) {
			syslog->finishing++;
			receiver_finish(syslog->outlets[i].receiver, FINISH_PATIENCE_MS, receiver_finished, syslog);
		}
	receiver_finished(syslog);
}

static void wait_done(struct syslog *syslog)
{
	while (sem_wait(&syslog->done) < 0 && errno == EINTR)
		continue;
}

/* ---- life ---- */

static int start_thread(struct syslog *syslog)
{
	int r = bb_loop_thread_start("syslog", &syslog->thread);

	if (r < 0)
		return bb_log_error(syslog->setup.log, r, "no thread for connections");
	syslog->setup.loop = syslog->thread;
	syslog->begin.run = receivers_begin;
	bb_loop_post(syslog->thread, &syslog->begin);
	wait_done(syslog); /* it opens no more than cursors */
	return syslog->result;
}

static int start_outlet(struct syslog *syslog, struct outlet *outlet, struct bb_loop *main_loop)
{
	const struct datagram_setup setup = {outlet->target, &syslog->origin, syslog->setup.log, main_loop};

	if (outlet->target->kind == TARGET_UDP)
		return udp_start(&setup, &outlet->udp);
	if (outlet->target->kind == TARGET_JOURNALD)
		return journald_start(&setup, &outlet->journald);
	return 0;
}

/* In sight, wherever alarms are. */
static int admit_insecurity(struct bb_exporter *exporter, const struct bb_config *config,
			    const struct target_list *targets)
{
	char text[160];

	if (!bb_config_bool(config, "insecure") || !has_kind(targets, TARGET_TLS))
		return 0;
	(void)snprintf(text, sizeof(text), "exporter %s takes any certificate for that of its servers",
		       bb_config_name(config)); /* a name has 32 characters at most */
	return bb_exporter_alarm(exporter, "tls-not-verified", true, text);
}

static int syslog_start(struct bb_exporter *exporter, const struct bb_config *config, void *state)
{
	struct syslog *syslog = state;
	struct receiver_setup *setup = &syslog->setup;
	int r = sem_init(&syslog->done, 0, 0) < 0 ? -errno : 0;

	host_describe(&syslog->origin, bb_config_string(config, "hostname"));
	syslog->origin.facility = (unsigned)bb_config_int(config, "facility");
	syslog->origin.enterprise = (uint32_t)bb_config_int(config, "enterprise");
	setup->origin = &syslog->origin;
	setup->log = bb_exporter_log(exporter);
	setup->verify_name = bb_config_string(config, "verify-name");
	setup->count_octets = bb_config_int(config, "framing") == 0;
	setup->timeout_ms = bb_config_int(config, "timeout");
	setup->settle_ms = bb_config_int(config, "settle");
	setup->retry_ms = bb_config_int(config, "retry");

	if (r >= 0)
		r = targets_read(config, &syslog->targets);
	if (r < 0)
		return r;
	syslog->outlets = calloc(syslog->targets.count, sizeof(*syslog->outlets));
	if (!syslog->outlets)
		return bb_log_error(setup->log, -ENOMEM, "cannot start");
	for (size_t i = 0; i < syslog->targets.count; i++)
		syslog->outlets[i].target = &syslog->targets.targets[i];
	if (has_kind(&syslog->targets, TARGET_TLS))
		r = tls_create(config, &syslog->tls);
	setup->tls = syslog->tls;
	if (r >= 0)
		r = admit_insecurity(exporter, config, &syslog->targets);
	for (size_t i = 0; i < syslog->targets.count && r >= 0; i++)
		r = start_outlet(syslog, &syslog->outlets[i], bb_exporter_loop(exporter));
	if (r >= 0 && (has_kind(&syslog->targets, TARGET_TCP) || has_kind(&syslog->targets, TARGET_TLS)))
		r = start_thread(syslog);
	return r;
}

static void syslog_stop(void *state)
{
	struct syslog *syslog = state;

	if (syslog->thread) {
		syslog->finish.run = receivers_finish;
		bb_loop_post(syslog->thread, &syslog->finish);
		wait_done(syslog);
		bb_loop_thread_stop(syslog->thread);
	}
	for (size_t i = 0; syslog->outlets && i < syslog->targets.count; i++) {
		udp_stop(syslog->outlets[i].udp);
		journald_stop(syslog->outlets[i].journald);
	}
	tls_destroy(syslog->tls);
	free(syslog->outlets);
	targets_free(&syslog->targets);
	sem_destroy(&syslog->done);
}

static void syslog_event(void *state, const struct bb_event *event)
{
	struct syslog *syslog = state;

	for (size_t i = 0; i < syslog->targets.count; i++) {
		if (syslog->outlets[i].udp)
			udp_send(syslog->outlets[i].udp, event);
		if (syslog->outlets[i].journald)
			journald_send(syslog->outlets[i].journald, event);
	}
}

BB_PLUGIN(syslog) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_EXPORTER,
	.name = "syslog",
	.summary = "tells every event to syslog servers over UDP, TCP and TLS, and to journald",
	.options = syslog_options,
	.state_size = sizeof(struct syslog),
	.exporter = {.check = syslog_check, .start = syslog_start, .stop = syslog_stop, .event = syslog_event},
};
