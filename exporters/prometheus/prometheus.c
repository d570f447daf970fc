/* SPDX-License-Identifier: Apache-2.0
 *
 * prometheus - publishes all devices to Prometheus and whatever else reads its text format.
 *
 *	prometheus.c   options, start and stop (here)
 *	server.c       HTTP; listen.c, deadline.c, negotiate.c and memory.c serve it
 *	page.c         writes a page; plan.c and families.c prepare it, facts.c says of what
 *
 * But for events, which tally.c counts, nothing is counted, summed or remembered here: a page is the registry at the
 * moment of the scrape.
 */
#include <errno.h>

#include <busbar/listen.h>
#include <busbar/plugin.h>

#include "server.h"
#include "tally.h"

struct prometheus {
	struct tally tally;
	struct server *server;
	struct bb_timer *timer;
};

static const struct bb_option prometheus_options[] = {
	{.name = "listen",
	 .type = BB_OPTION_LISTEN,
	 .preset = "127.0.0.1:9628",
	 .help = "address and port to serve http://.../metrics on; port 0: the log says which"},
	{.name = "max-connections",
	 .type = BB_OPTION_INT,
	 .preset = "64",
	 .min = 1,
	 .max = 10000,
	 .help = "most connections at a time"},
	{.name = "max-connections-per-address",
	 .type = BB_OPTION_INT,
	 .preset = "16",
	 .min = 1,
	 .max = 10000,
	 .help = "most connections at a time from one client address"},
	{.name = "request-timeout",
	 .type = BB_OPTION_DURATION,
	 .preset = "10s",
	 .min = 100,
	 .max = 600000,
	 .help = "a request that is not received and answered within this is dropped"},
	{0},
};

static int prometheus_check(const struct bb_config *config)
{
	struct sockaddr_storage address;

	if (bb_listen_address(bb_config_address(config, "listen"), &address) < 0)
		return bb_config_error(config, "listen", "needs a numeric address or localhost, not '%s'",
				       bb_config_address(config, "listen")->host);
	return 0;
}

static void check_deadlines(void *context)
{
	struct prometheus *prometheus = context;

	server_check_deadlines(prometheus->server);
}

static int prometheus_start(struct bb_exporter *exporter, const struct bb_config *config, void *state)
{
	struct prometheus *prometheus = state;
	const struct bb_log *log = bb_exporter_log(exporter);
	const struct bb_address *listen = bb_config_address(config, "listen");
	struct server_options options = {
		.listen = listen->text,
		.max_connections = (unsigned)bb_config_int(config, "max-connections"),
		.max_connections_per_address = (unsigned)bb_config_int(config, "max-connections-per-address"),
		.request_timeout_ms = bb_config_int(config, "request-timeout"),
	};
	char where[BB_LISTEN_TEXT_SIZE];
	int r = bb_listen_address(listen, &options.address);

	if (r >= 0)
		r = server_start(&options, bb_exporter_registry(exporter), &prometheus->tally, log, where,
				 &prometheus->server);
	if (r < 0)
		return r;
	if (!bb_listen_is_loopback(&options.address))
		(void)bb_log_warning(log, 0, "listening on %s: whoever reaches this machine can read all devices",
				     listen->text);

	/* A deadline is noticed at most a quarter late, and a second at most. */
	const int64_t period_ms = options.request_timeout_ms < 4000 ? options.request_timeout_ms / 4 : 1000;

	prometheus->timer = bb_timer_create(bb_exporter_loop(exporter), check_deadlines, prometheus);
	if (!prometheus->timer)
		return bb_log_error(log, -ENOMEM, "cannot start");
	bb_timer_start(prometheus->timer, period_ms, period_ms);
	bb_log_notice(log, "listening on http://%s/metrics", where);
	return 0;
}

static void prometheus_event(void *state, const struct bb_event *event)
{
	struct prometheus *prometheus = state;

	tally_add(&prometheus->tally, event);
}

static void prometheus_stop(void *state)
{
	struct prometheus *prometheus = state;

	bb_timer_destroy(prometheus->timer);
	server_stop(prometheus->server);
}

BB_PLUGIN(prometheus) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_EXPORTER,
	.name = "prometheus",
	.summary = "serves all readings to Prometheus over HTTP",
	.options = prometheus_options,
	.state_size = sizeof(struct prometheus),
	.exporter = {.check = prometheus_check,
		     .start = prometheus_start,
		     .stop = prometheus_stop,
		     .event = prometheus_event},
};
