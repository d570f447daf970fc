/* SPDX-License-Identifier: Apache-2.0
 *
 * writes.c - what a client writes, see writes.h.
 *
 * Everything is checked before anything is written: each register is granted, each value is one it can have. Then the
 * registers are written one after the other; the first that fails ends it, and its exception is the answer, so what
 * stood before it in the request has been written, as on any Modbus device.
 */
#include "writes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/exporter.h>
#include <busbar/write.h>

#define WRITE_COIL      5
#define WRITE_REGISTER  6
#define WRITE_COILS     15
#define COIL_ON         0xFF00
#define SOURCE_SIZE     (INET6_ADDRSTRLEN + 32)
#define WRITE_WORDS_MAX 1968 /* coils one request can carry (Application Protocol, 6.11) */

struct writes {
	struct client *client;
	struct image *image;
	struct bb_registry *registry;
	struct bb_modbus_request request; /* its data are in @words */
	struct bb_write *write;           /* under way */
	unsigned next;                    /* word of the request that is next */
	char source[SOURCE_SIZE];
	uint8_t data[2];  /* of single writes, for the echo */
	uint16_t words[]; /* as for bb_register_decode() */
};

static enum bb_space space_of(const struct bb_modbus_request *request)
{
	return request->function == WRITE_COIL || request->function == WRITE_COILS ? BB_SPACE_COIL : BB_SPACE_HOLDING;
}

/* The values of the request as words. 0, or 03 when a coil is neither on nor off. */
static int take_words(const struct bb_modbus_request *request, uint16_t *ret_words)
{
	if (request->function == WRITE_COIL) {
		const unsigned value = (unsigned)request->data[0] << 8 | request->data[1];

		if (value != 0 && value != COIL_ON)
			return BB_MODBUS_ILLEGAL_VALUE;
		ret_words[0] = value != 0;
		return 0;
	}
	for (unsigned i = 0; i < request->quantity; i++)
		ret_words[i] = (uint16_t)(request->function == WRITE_COILS
						  ? request->data[i / 8] >> i % 8 & 1
						  : request->data[2 * i] << 8 | request->data[2 * i + 1]);
	return 0;
}

/* Is every register granted, whole, and the value one it can have? 0 or the exception. */
static int check(const struct image *image, const struct bb_modbus_request *request, const uint16_t *words)
{
	for (unsigned i = 0; i < request->quantity;) {
		const struct bb_register *entry;
		const struct view *view;
		int64_t value;

		if (!image_find(image, space_of(request), (uint16_t)(request->address + i), &view, &entry) ||
		    !view->allow_write || !entry->writable || entry->point == NULL ||
		    entry->type == BB_REGISTER_STRING || entry->address != request->address + i ||
		    i + entry->count > request->quantity)
			return BB_MODBUS_ILLEGAL_ADDRESS;
		if (entry->kind != BB_KIND_COMMAND && bb_register_decode(entry, words + i, &value) != BB_QUALITY_GOOD)
			return BB_MODBUS_ILLEGAL_VALUE;
		i += entry->count;
	}
	return 0;
}

static uint8_t exception_of(int result)
{
	switch (result) {
	case 0:
		return 0;
	case -ENOENT:
	case -EACCES:
	case -EOPNOTSUPP:
		return BB_MODBUS_ILLEGAL_ADDRESS;
	case -EINVAL:
	case -ERANGE:
		return BB_MODBUS_ILLEGAL_VALUE;
	case -EAGAIN:
	case -ENODEV:
		return BB_MODBUS_BUSY;
	case -ETIMEDOUT:
		return BB_MODBUS_GATEWAY_TARGET;
	}
	return BB_MODBUS_DEVICE_FAILURE;
}

static void finish(struct writes *writes, uint8_t exception)
{
	struct client *client = writes->client;
	uint8_t reply[BB_MODBUS_TCP_MAX];
	size_t length;

	writes->request.data = writes->data;
	length = exception ? bb_modbus_reply_exception(reply, &writes->request, exception)
			   : bb_modbus_reply_write(reply, &writes->request);
	client->pending = NULL;
	free(writes);
	client_reply(client, reply, length);
}

static void written(void *context, int result);

/* Write the register that is next; false when it could not be begun. */
static bool write_next(struct writes *writes)
{
	const uint16_t address = (uint16_t)(writes->request.address + writes->next);
	struct bb_write_request request = {
		.source = writes->source,
		.loop = writes->client->loop,
		.done = written,
		.context = writes,
	};
	const struct bb_register *entry;
	struct bb_device *device;
	const struct view *view;
	int r;

	if (!image_find(writes->image, space_of(&writes->request), address, &view, &entry))
		return false; /* check() has found it a moment ago: maps do not change */
	device = bb_registry_find(writes->registry, view->device);
	if (device == NULL)
		return false;
	request.point = entry->point;
	if (entry->kind == BB_KIND_COMMAND) {
		request.value.arguments[0] = writes->words[writes->next];
		request.value.argument_count = 1;
	} else {
		(void)bb_register_decode(entry, writes->words + writes->next, &request.value.number); /* checked */
	}
	writes->next += entry->count;
	r = bb_device_write(device, &request, &writes->write);
	bb_device_unref(device);
	return r >= 0;
}

static void written(void *context, int result)
{
	struct writes *writes = context;
	const uint8_t exception = exception_of(result);

	writes->write = NULL;
	if (exception || writes->next >= writes->request.quantity)
		finish(writes, exception);
	else if (!write_next(writes))
		finish(writes, BB_MODBUS_DEVICE_FAILURE);
}

/* "modbus 10.0.0.9:40112 unit 1", for the event. */
static void name_source(const struct client *client, uint8_t unit, char source[SOURCE_SIZE])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&client->peer;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&client->peer;
	const bool is_v4 = client->peer.ss_family == AF_INET;
	char host[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(client->peer.ss_family, is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr,
			host, sizeof(host)); /* the buffer is large enough */
	(void)snprintf(source, SOURCE_SIZE, is_v4 ? "modbus %s:%u unit %u" : "modbus [%s]:%u unit %u", host,
		       ntohs(is_v4 ? v4->sin_port : v6->sin6_port), unit);
}

int writes_begin(struct client *client, struct image *image, struct bb_registry *registry,
		 const struct bb_modbus_request *request)
{
	struct writes *writes;
	int exception;

	if (!image_allows_writes(image))
		return BB_MODBUS_ILLEGAL_FUNCTION;
	if (request->quantity > WRITE_WORDS_MAX)
		return BB_MODBUS_ILLEGAL_VALUE;
	writes = calloc(1, sizeof(*writes) + request->quantity * sizeof(writes->words[0]));
	if (writes == NULL)
		return BB_MODBUS_DEVICE_FAILURE;
	writes->client = client;
	writes->image = image;
	writes->registry = registry;
	writes->request = *request;
	memcpy(writes->data, request->data,
	       sizeof(writes->data) < request->data_length ? sizeof(writes->data) : request->data_length);
	name_source(client, request->unit, writes->source);
	exception = take_words(request, writes->words);
	if (!exception)
		exception = check(image, request, writes->words);
	if (!exception && !write_next(writes))
		exception = BB_MODBUS_DEVICE_FAILURE;
	if (exception) {
		free(writes);
		return exception;
	}
	client->pending = writes;
	return 0;
}

void writes_forget(struct client *client)
{
	if (client->pending == NULL)
		return;
	bb_write_forget(client->pending->write);
	free(client->pending);
	client->pending = NULL;
}
