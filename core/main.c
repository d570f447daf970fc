/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - busbard: arguments, signals, the main loop, and the order of starting and stopping.
 *
 * The agent stays in the foreground; the service manager keeps it, is told when it is ready, and hears from its watchdog
 * timer, which stops beating when the main loop does.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <busbar/clock.h>
#include <busbar/exporter.h>

#include "agent.h"
#include "api.h"
#include "log.h"
#include "notify.h"

#define DEFAULT_CONFIG BUSBAR_SYSCONFDIR "/busbar.yaml"
#define DEFAULT_SOCKET "/run/busbar/busbar.sock"

/* Exit statuses beside EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2

struct arguments {
	const char *config;
	const char *socket;
	bool check;
};

struct daemon {
	struct bb_loop *loop;
	struct agent *agent;
	struct api *api;
	struct bb_watch *signals;
	struct bb_timer *watchdog;
	int signal_fd;
};

static void print_help(void)
{
	(void)printf(
		"Usage: busbard [-c CONFIG] [-s SOCKET] [--check]\n"
		"\n"
		"Monitors UPSs, batteries and sensors, and publishes what it reads.\n"
		"\n"
		"  -c, --config FILE    configuration (default " DEFAULT_CONFIG ")\n"
		"  -s, --socket PATH    local socket for busbarctl (default: `socket:` of the configuration,\n"
		"                       else " DEFAULT_SOCKET ")\n"
		"      --check          read and check the configuration, say what is wrong with it, and leave\n"
		"  -h, --help           show this\n"
		"  -V, --version        show the version\n"
		"\n"
		"SIGHUP reads the configuration again, SIGTERM and SIGINT stop. See busbard(8), busbar.yaml(5).\n");
}

/* Returns −1 to go on, else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"socket", required_argument, NULL, 's'},
		{"check", no_argument, NULL, 'k'},        {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
	};
	struct arguments arguments = {.config = DEFAULT_CONFIG};
	int option;

	while ((option = getopt_long(argc, argv, "c:s:hV", options, NULL)) != -1)
		switch (option) {
		case 'c':
			arguments.config = optarg;
			break;
		case 's':
			arguments.socket = optarg;
			break;
		case 'k':
			arguments.check = true;
			break;
		case 'h':
			print_help();
			return EXIT_SUCCESS;
		case 'V':
			(void)printf("busbard %s\n", bb_version());
			return EXIT_SUCCESS;
		default: /* getopt has said what is wrong */
			(void)fprintf(stderr, "Try 'busbard --help'.\n");
			return EXIT_USAGE;
		}
	if (optind < argc) {
		(void)fprintf(stderr, "busbard: unexpected argument '%s'\nTry 'busbard --help'.\n", argv[optind]);
		return EXIT_USAGE;
	}
	*ret_arguments = arguments;
	return -1;
}

/* Every device and client has a descriptor: take as many as the service manager lets us have. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			(void)bb_log_warning(NULL, -errno, "cannot raise the limit of open files");
	}
}

static void daemon_signal(void *context, unsigned events)
{
	struct daemon *daemon = context;
	struct signalfd_siginfo info;
	char reloading[64];

	(void)events; /* it is only ever readable */
	if (read(daemon->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return; /* the next signal wakes us again */
	if (info.ssi_signo != SIGHUP) {
		bb_log_notice(NULL, "stopping: received SIG%s", sigabbrev_np((int)info.ssi_signo));
		bb_loop_stop(daemon->loop);
		return;
	}
	(void)snprintf(reloading, sizeof(reloading), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)bb_clock_us());
	(void)notify_send(reloading);      /* whether it is heard or not, we do as we were told; so below */
	(void)agent_reload(daemon->agent); /* what is wrong has been said, and the agent goes on in any case */
	(void)notify_send("READY=1");
}

static int daemon_take_signals(struct daemon *daemon)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
		return bb_log_error(NULL, -errno, "cannot block signals");
	daemon->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (daemon->signal_fd < 0)
		return bb_log_error(NULL, -errno, "cannot take signals");
	return bb_watch_create(daemon->loop, daemon->signal_fd, BB_WATCH_READ, daemon_signal, daemon, &daemon->signals);
}

static void daemon_beat(void *context)
{
	(void)context;
	(void)notify_send("WATCHDOG=1"); /* when it is not heard we are restarted: nothing here could do better */
}

static int daemon_start_watchdog(struct daemon *daemon)
{
	const int64_t period_ms = notify_watchdog_ms();

	if (period_ms == 0)
		return 0;
	daemon->watchdog = bb_timer_create(daemon->loop, daemon_beat, NULL);
	if (!daemon->watchdog)
		return -ENOMEM;
	bb_timer_start(daemon->watchdog, period_ms, period_ms);
	return 0;
}

static int daemon_start(struct daemon *daemon, const struct arguments *arguments)
{
	const struct bb_config *config = agent_configuration(daemon->agent)->agent;
	const char *socket_path = arguments->socket ? arguments->socket : bb_config_string(config, "socket");
	int r = daemon_take_signals(daemon);

	if (r < 0)
		return r;
	/* The socket first: when another agent answers on it, we must not touch its devices. */
	r = api_create(daemon->loop, daemon->agent, socket_path ? socket_path : DEFAULT_SOCKET,
		       bb_config_string(config, "socket-group"), &daemon->api);
	if (r < 0)
		return r;
	r = agent_start(daemon->agent);
	if (r < 0)
		return r;
	r = daemon_start_watchdog(daemon);
	if (r < 0)
		return r;
	r = notify_send("READY=1");
	if (r < 0)
		(void)bb_log_warning(NULL, r, "cannot tell the service manager that we are ready");
	bb_log_notice(NULL, "busbar %s is running: %zu devices, %zu exporters", bb_version(),
		      agent_configuration(daemon->agent)->device_count,
		      agent_configuration(daemon->agent)->exporter_count);
	return 0;
}

/*
 * Signals first: the loop runs while devices are waited for, and a reload then would open what has just been closed.
 * What a hung plugin call still uses must not be freed under it: then the kernel does the rest.
 */
static void daemon_stop(struct daemon *daemon)
{
	bb_watch_destroy(daemon->signals);
	if (daemon->signal_fd >= 0)
		close(daemon->signal_fd);
	(void)notify_send("STOPPING=1"); /* or the service manager waits as long as it is told to */
	bb_timer_destroy(daemon->watchdog);
	api_destroy(daemon->api);
	if (!agent_stop(daemon->agent))
		_exit(EXIT_SUCCESS);
}

static int daemon_run(const struct arguments *arguments)
{
	struct daemon daemon = {.signal_fd = -1};
	int r = bb_loop_create(&daemon.loop);

	if (r < 0)
		return bb_log_error(NULL, r, "cannot make the main loop");
	r = agent_create(daemon.loop, arguments->config, &daemon.agent);
	if (r >= 0)
		r = agent_load(daemon.agent);
	if (r >= 0 && !arguments->check) {
		r = daemon_start(&daemon, arguments);
		if (r >= 0)
			r = bb_loop_run(daemon.loop);
		daemon_stop(&daemon);
	}
	agent_destroy(daemon.agent);
	bb_loop_destroy(daemon.loop);
	return r;
}

int main(int argc, char **argv)
{
	struct arguments arguments;
	int status = parse_arguments(argc, argv, &arguments);

	if (status >= 0)
		return status;
	(void)mallopt(M_ARENA_MAX, 2); /* an arena per worker would cost megabytes and save nothing */
	(void)signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	return daemon_run(&arguments) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
