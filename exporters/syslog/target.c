/* SPDX-License-Identifier: Apache-2.0
 *
 * target.c - the addresses of receivers: udp://HOST[:PORT], tcp://…, tls://…, and journald: for the local journal.
 *
 * Each receiver with a duty of delivery has a cursor in the journal, whose name is made from the section's and the
 * address: it must stay the same from one start to the next, and differ from that of every other receiver.
 */
#include "target.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <busbar/text.h>

static const struct scheme {
	const char *name;
	unsigned short port; /* when none is said */
} schemes[] = {
	[TARGET_UDP] = {"udp", 514},  /* RFC 5426, 3.3 */
	[TARGET_TCP] = {"tcp", 514},  /* registered for something else, but what receivers listen on */
	[TARGET_TLS] = {"tls", 6514}, /* RFC 5425, 4.1 */
	[TARGET_JOURNALD] = {"journald", 0},
};

static const char all_schemes[] = "tls tcp udp journald";

#define JOURNALD_SOCKET "run/systemd/journal/socket" /* without the first slash, as in an address */

/*
 * The cursor's name: what a cursor's name cannot hold becomes '_', and whatever was changed or cut gets a number made
 * from the whole, so that two receivers never share a cursor.
 */
static void name_cursor(struct target *target, const char *section)
{
	char whole[512];
	bool changed;
	size_t length;
	int r = snprintf(whole, sizeof(whole), "%s:%s:%s:%u", section, schemes[target->kind].name, target->host,
			 (unsigned)target->port);

	changed = r < 0 || (size_t)r >= TARGET_CURSOR_SIZE;
	for (length = 0; whole[length] && length < TARGET_CURSOR_SIZE - 1; length++) {
		const unsigned char byte = (unsigned char)tolower((unsigned char)whole[length]);
		const bool fine = islower(byte) || isdigit(byte) || strchr(":._-", byte);

		changed |= !fine;
		target->cursor[length] = fine ? (char)byte : '_';
	}
	target->cursor[length] = '\0';
	if (changed) {
		const size_t end = length < TARGET_CURSOR_SIZE - 10 ? length : TARGET_CURSOR_SIZE - 10;

		(void)snprintf(target->cursor + end, 10, "-%08x", (unsigned)bb_text_hash(whole, strlen(whole)));
	}
}

static int target_fill(struct target *target, const struct bb_address *address, const char *section)
{
	size_t kind = 0;

	while (strcmp(schemes[kind].name, address->scheme) != 0)
		kind++; /* bb_address_parse() knows these schemes only */
	target->kind = (enum target_kind)kind;
	target->port = address->port ? address->port : schemes[kind].port;
	target->host = strdup(address->host);
	if (target->kind == TARGET_JOURNALD) {
		if (asprintf(&target->path, "/%s", address->path) < 0)
			target->path = NULL;
		target->name = strdup("journald:");
	} else {
		const char *const format = strchr(address->host, ':') ? "%s://[%s]:%u" : "%s://%s:%u";

		target->path = strdup("");
		if (asprintf(&target->name, format, address->scheme, address->host, (unsigned)target->port) < 0)
			target->name = NULL;
	}
	if (!target->host || !target->path || !target->name)
		return -ENOMEM;
	name_cursor(target, section);
	return 0;
}

static int target_read(struct target_list *list, const struct bb_config *config, const char *option, const char *text)
{
	struct target *target = &list->targets[list->count++];
	struct bb_address *address;
	char fault[256];
	int r;

	if (strcmp(text, "journald:") == 0)
		text = "journald:///" JOURNALD_SOCKET;
	r = bb_address_parse(text, all_schemes, &address, fault, sizeof(fault));
	if (r == -EINVAL)
		return bb_config_error(config, option, "%s", fault);
	if (r < 0)
		return r;
	r = target_fill(target, address, bb_config_name(config));
	if (r >= 0 && (target->kind == TARGET_JOURNALD) != (target->host[0] == '\0'))
		r = bb_config_error(config, option, "'%s' must be %s", text,
				    target->kind == TARGET_JOURNALD ? "journald: or journald:///PATH"
								    : "SCHEME://HOST");
	else if (r >= 0 && target->kind != TARGET_JOURNALD && address->path[0] != '\0')
		r = bb_config_error(config, option, "nothing may follow the port in '%s'", text);
	free(address);
	for (size_t i = 0; r >= 0 && i + 1 < list->count; i++)
		if (strcasecmp(list->targets[i].name, target->name) == 0)
			r = bb_config_error(config, option, "'%s' is there twice", target->name);
	return r;
}

int targets_read(const struct bb_config *config, struct target_list *ret_list)
{
	const char *const *servers = bb_config_list(config, "servers");
	const char *server = bb_config_string(config, "server");
	struct target_list list = {0};
	size_t most = 1;
	int r = 0;

	while (servers[most - 1])
		most++;
	list.targets = calloc(most, sizeof(*list.targets));
	if (!list.targets)
		return -ENOMEM;
	if (server)
		r = target_read(&list, config, "server", server);
	for (size_t i = 0; r >= 0 && servers[i]; i++)
		r = target_read(&list, config, "servers", servers[i]);
	if (r >= 0 && list.count == 0)
		r = bb_config_error(config, NULL, "needs 'server' or 'servers': where the messages go");
	if (r < 0)
		targets_free(&list);
	else
		*ret_list = list;
	return r;
}

void targets_free(struct target_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->targets[i].name);
		free(list->targets[i].host);
		free(list->targets[i].path);
	}
	free(list->targets);
	*list = (struct target_list){0};
}

bool target_is_stream(const struct target *target)
{
	return target->kind == TARGET_TCP || target->kind == TARGET_TLS;
}
