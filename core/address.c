/* SPDX-License-Identifier: Apache-2.0
 *
 * address.c - "snmp://[fe80::1%eth0]:161/path" to its parts, see address.h.
 *
 * A text is first split into spans, which are checked where they stand, and copied once it is known to be good.
 */
#include "address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>

#include "text.h"

/* The parts of an address as spans of its text. */
struct spans {
	const char *scheme, *host, *path;
	size_t scheme_length, host_length;
	long port; /* -1: not said */
};

/* A host in brackets: an IPv6 number, with a zone perhaps. */
static bool is_ipv6(const char *host, size_t length)
{
	char number[INET6_ADDRSTRLEN];
	struct in6_addr address;
	const char *zone = memchr(host, '%', length);

	if (zone && (size_t)(zone - host) + 1 == length)
		return false;
	if (zone)
		length = (size_t)(zone - host);
	if (length >= sizeof(number))
		return false;
	memcpy(number, host, length);
	number[length] = '\0';
	return inet_pton(AF_INET6, number, &address) == 1;
}

static bool is_host_name(const char *host, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr("-._", host[i]))
			return false;
	return length <= 253;
}

/* "host", "host:port", "[v6]", "[v6]:port", ":port", up to @end. */
static int split_authority(const char *at, const char *end, struct spans *spans, struct option_fault *ret_fault)
{
	const char *port;
	int64_t number;
	char digits[16];

	if (*at == '[') {
		const char *close = memchr(at, ']', (size_t)(end - at));

		if (!close || !is_ipv6(at + 1, (size_t)(close - at - 1)))
			return option_fault(ret_fault, "brackets hold an IPv6 address, such as [::1]");
		spans->host = at + 1;
		spans->host_length = (size_t)(close - at - 1);
		port = close + 1;
		if (port < end && *port != ':')
			return option_fault(ret_fault, "only a port may follow the brackets, such as [::1]:161");
	} else {
		port = memchr(at, ':', (size_t)(end - at));
		if (!port)
			port = end;
		else if (memchr(port + 1, ':', (size_t)(end - port - 1)))
			return option_fault(ret_fault, "an IPv6 address stands in brackets, such as [::1]");
		spans->host = at;
		spans->host_length = (size_t)(port - at);
		if (!is_host_name(at, spans->host_length))
			return option_fault(ret_fault, "'%.*s' is not a host", (int)spans->host_length, at);
	}
	if (port >= end)
		return 0;
	port++;
	if ((size_t)(end - port) >= sizeof(digits))
		return option_fault(ret_fault, "the port must be a number up to 65535");
	memcpy(digits, port, (size_t)(end - port));
	digits[end - port] = '\0';
	if (strspn(digits, "0123456789") != (size_t)(end - port) || bb_decimal_parse(digits, 0, &number) < 0 ||
	    number > UINT16_MAX)
		return option_fault(ret_fault, "the port must be a number up to 65535, not '%s'", digits);
	spans->port = (long)number;
	return 0;
}

/* Copy the spans behind the struct, so that one free() takes all. */
static struct bb_address *make_address(const char *text, const struct spans *spans)
{
	size_t text_size = strlen(text) + 1, scheme_size = spans->scheme_length + 1, host_size = spans->host_length + 1;
	size_t path_size = strlen(spans->path) + 1;
	struct bb_address *address = calloc(1, sizeof(*address) + text_size + scheme_size + host_size + path_size);
	char *at;

	if (!address)
		return NULL;
	at = (char *)(address + 1);
	address->text = memcpy(at, text, text_size);
	at += text_size;
	address->scheme = memcpy(at, spans->scheme, spans->scheme_length); /* calloc() has ended it */
	at += scheme_size;
	address->host = memcpy(at, spans->host, spans->host_length);
	at += host_size;
	address->path = memcpy(at, spans->path, path_size);
	address->port = (uint16_t)(spans->port > 0 ? spans->port : 0);
	return address;
}

/* Is the scheme one of @schemes? NULL: any will do. */
static int check_scheme(const char *schemes, const struct spans *spans, struct option_fault *ret_fault)
{
	if (!schemes || text_has_word(schemes, spans->scheme, spans->scheme_length))
		return 0;
	return option_fault(ret_fault, "the scheme '%.*s' is not one of: %s", (int)spans->scheme_length, spans->scheme,
			    schemes);
}

int address_parse(const char *text, const char *schemes, struct bb_address **ret_address,
		  struct option_fault *ret_fault)
{
	size_t scheme_length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.");
	struct spans spans = {.scheme = text, .scheme_length = scheme_length, .port = -1};
	const char *host, *end;
	int r;

	if (scheme_length == 0 || strncmp(text + scheme_length, "://", 3) != 0) {
		const char *choices = schemes ? schemes : "snmp";

		return option_fault(ret_fault, "'%s' needs a scheme, such as %.*s://192.0.2.1", text,
				    (int)strcspn(choices, " "), choices);
	}
	r = check_scheme(schemes, &spans, ret_fault);
	if (r < 0)
		return r;
	host = text + scheme_length + 3;
	end = host + strcspn(host, "/");
	spans.path = *end ? end + 1 : end;
	r = split_authority(host, end, &spans, ret_fault);
	if (r < 0)
		return r;
	if (spans.port == 0)
		return option_fault(ret_fault, "the port must be 1 to 65535");
	if (spans.host_length == 0 && *spans.path == '\0')
		return option_fault(ret_fault, "'%s' names no host", text);
	*ret_address = make_address(text, &spans);
	return *ret_address ? 0 : -ENOMEM;
}

int address_parse_listen(const char *text, struct bb_address **ret_address, struct option_fault *ret_fault)
{
	struct spans spans = {.scheme = "", .path = "", .port = -1};
	int r = split_authority(text, text + strlen(text), &spans, ret_fault);

	if (r < 0)
		return r;
	if (spans.port < 0)
		return option_fault(ret_fault, "'%s' needs a port, such as 127.0.0.1:9628", text);
	*ret_address = make_address(text, &spans);
	return *ret_address ? 0 : -ENOMEM;
}

int bb_address_parse(const char *text, const char *schemes, struct bb_address **ret_address, char *ret_fault,
		     size_t size)
{
	struct option_fault fault;
	int r = address_parse(text, schemes, ret_address, &fault);

	if (r == -EINVAL)
		(void)snprintf(ret_fault, size, "%s", fault.text); /* a cut phrase will do */
	return r;
}
