/* SPDX-License-Identifier: Apache-2.0
 *
 * modbus - serves devices as Modbus TCP units, each seen through a register map.
 *
 * A building-management system reads a UPS as it read the card before it: same unit, same registers. units.c knows what
 * is shown, image.c keeps the words, client.c and server.c the connections. All of it runs on one thread.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/plugin.h>

#include "server.h"
#include "units.h"

struct modbus {
	struct units *units;
	struct server *server;
	struct server_network *networks;
	size_t network_count;
};

static const struct bb_option modbus_options[] = {
	{.name = "listen",
	 .type = BB_OPTION_LISTEN,
	 .preset = "127.0.0.1:502",
	 .help = "address and port to listen on; port 0 lets the kernel choose"},
	{.name = "units",
	 .type = BB_OPTION_SECTIONS,
	 .sections = units_options,
	 .required = true,
	 .help = "for each unit id, the devices it shows and the map of each"},
	{.name = "allow",
	 .type = BB_OPTION_LIST,
	 .help = "networks that may connect, such as 10.0.0.0/8 (default: everybody who can reach it)"},
	{.name = "max-connections",
	 .type = BB_OPTION_INT,
	 .preset = "256",
	 .min = 1,
	 .max = 10000,
	 .help = "connections at a time"},
	{.name = "max-connections-per-address",
	 .type = BB_OPTION_INT,
	 .preset = "64",
	 .min = 1,
	 .max = 10000,
	 .help = "connections at a time of one address"},
	{.name = "idle-timeout",
	 .type = BB_OPTION_DURATION,
	 .preset = "5m",
	 .min = 1000,
	 .max = 86400000,
	 .help = "a connection without a request for so long is closed"},
	{.name = "request-timeout",
	 .type = BB_OPTION_DURATION,
	 .preset = "10s",
	 .min = 100,
	 .max = 600000,
	 .help = "a connection with half a request, or an answer not taken, for so long is closed"},
	{0},
};

/* "10.0.0.0/8", "2001:db8::/32", or an address alone. 0 or -EINVAL. */
static int parse_network(const char *text, struct server_network *ret_network)
{
	const char *slash = strchr(text, '/');
	struct bb_address address = {.text = text, .scheme = "", .host = "", .path = ""};
	char *host = slash != NULL ? strndup(text, (size_t)(slash - text)) : strdup(text);
	struct server_network network = {0};
	char *end = NULL;
	int r = -ENOMEM;

	if (host == NULL)
		return r;
	address.host = host;
	r = *host == '\0' ? -EINVAL : bb_listen_address(&address, &network.address);
	free(host);
	if (r < 0)
		return r;
	network.bits = network.address.ss_family == AF_INET ? 32 : 128;
	if (slash != NULL) {
		const unsigned long bits = strtoul(slash + 1, &end, 10);

		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > network.bits)
			return -EINVAL;
		network.bits = (unsigned)bits;
	}
	*ret_network = network;
	return 0;
}

static int read_networks(const struct bb_config *config, struct modbus *modbus)
{
	const char *const *texts = bb_config_list(config, "allow");
	size_t count = 0;

	while (texts[count] != NULL)
		count++;
	if (count == 0)
		return 0;
	modbus->networks = calloc(count, sizeof(*modbus->networks));
	if (modbus->networks == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (parse_network(texts[i], &modbus->networks[i]) < 0)
			return bb_config_error(config, "allow", "'%s' is no network such as 10.0.0.0/8", texts[i]);
	modbus->network_count = count;
	return 0;
}

static int modbus_check(const struct bb_config *config)
{
	struct modbus modbus = {0};
	struct sockaddr_storage address;
	int r = read_networks(config, &modbus);

	free(modbus.networks);
	if (r < 0)
		return r;
	if (bb_listen_address(bb_config_address(config, "listen"), &address) < 0)
		return bb_config_error(config, "listen", "must be a numeric address or localhost");
	return units_check(config);
}

static size_t modbus_answer(void *context, struct client *client, const uint8_t *frame, size_t length,
			    uint8_t reply[BB_MODBUS_TCP_MAX])
{
	struct modbus *modbus = context;

	return units_answer(modbus->units, client, frame, length, reply);
}

static int modbus_start(struct bb_exporter *exporter, const struct bb_config *config, void *state)
{
	struct modbus *modbus = state;
	const struct bb_log *log = bb_exporter_log(exporter);
	struct server_options options = {
		.most_clients = (size_t)bb_config_int(config, "max-connections"),
		.most_per_address = (size_t)bb_config_int(config, "max-connections-per-address"),
		.idle_ms = bb_config_int(config, "idle-timeout"),
		.stall_ms = bb_config_int(config, "request-timeout"),
		.answer = modbus_answer,
		.context = modbus,
	};
	char where[BB_LISTEN_TEXT_SIZE];
	int r = read_networks(config, modbus);

	if (r >= 0)
		r = bb_listen_address(bb_config_address(config, "listen"), &options.address);
	if (r >= 0)
		r = units_create(config, bb_exporter_registry(exporter), &modbus->units);
	if (r < 0)
		return r; /* check() has said why, or it is memory */
	options.networks = modbus->networks;
	options.network_count = modbus->network_count;
	r = server_start(&options, log, where, &modbus->server);
	if (r < 0)
		return r;
	if (!bb_listen_is_loopback(&options.address) && modbus->network_count == 0)
		(void)bb_log_warning(log, 0, "%s is open to every address that can reach it: see option allow", where);
	bb_log_notice(log, "listening on modbus-tcp://%s", where);
	return 0;
}

static void modbus_stop(void *state)
{
	struct modbus *modbus = state;

	server_stop(modbus->server);
	units_destroy(modbus->units);
	free(modbus->networks);
	*modbus = (struct modbus){0};
}

BB_PLUGIN(modbus) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_EXPORTER,
	.name = "modbus",
	.summary = "serves devices as Modbus TCP units, through register maps",
	.options = modbus_options,
	.state_size = sizeof(struct modbus),
	.exporter = {.check = modbus_check, .start = modbus_start, .stop = modbus_stop},
};
