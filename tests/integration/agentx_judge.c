/* SPDX-License-Identifier: Apache-2.0
 *
 * agentx_judge - a subagent of net-snmp's own library: what a manager may expect of one that serves the same objects.
 *
 *	agentx_judge MASTER CONTEXT
 *
 * Reads what to serve from standard input, a line each, and prints "ready" when it has been registered:
 *
 *	scalar OID TYPE VALUE                      without the .0; TYPE - and no VALUE: an object without instance
 *	table ENTRY FIRST LAST INDEXES             columns FIRST to LAST, that many numbers in an index
 *	cell ENTRY COLUMN INDEX TYPE VALUE         of a table that stands above it
 *
 * Types are i INTEGER, u Gauge32, c Counter32, C Counter64, t TimeTicks, s OCTET STRING (hex, - for none), o OBJECT
 * IDENTIFIER. The library's helpers for scalars and tables decide everything that is not a value: order, what comes
 * next, and which exception an object that is not there gets.
 */
/* clang-format off */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/table_tdata.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 64
#define LINE_SIZE   4096

struct value {
	u_char type; /* 0: there is none */
	size_t length;
	union {
		long number;
		struct counter64 counter64;
		u_char bytes[1024];
		oid name[MAX_OID_LEN];
	};
};

struct row {
	struct value cells[COLUMNS_MAX];
};

struct table {
	struct table *next;
	oid entry[MAX_OID_LEN];
	size_t length;
	unsigned indexes;
	netsnmp_tdata *data;
};

static struct table *tables;
static const char *context;

static void fail(const char *what)
{
	(void)fprintf(stderr, "agentx_judge: cannot use %s\n", what ? what : "a line that ends too early");
	exit(EXIT_FAILURE);
}

static char *word(void)
{
	char *text = strtok(NULL, " \n");

	if (!text)
		fail(NULL);
	return text;
}

static size_t read_name(const char *text, oid *ret_name)
{
	size_t length = MAX_OID_LEN;

	if (!read_objid(text, ret_name, &length))
		fail(text);
	return length;
}

static size_t read_hex(const char *text, u_char *ret_bytes, size_t size)
{
	size_t count = 0;
	unsigned byte;

	if (strcmp(text, "-") == 0)
		return 0;
	for (; sscanf(text, "%2x", &byte) == 1; text += 2) {
		if (count == size)
			fail("so long a string");
		ret_bytes[count++] = (u_char)byte;
	}
	return count;
}

/* The rest of the line: a type and a value. */
static void read_value(struct value *ret_value)
{
	const char type = *word(), *text;
	unsigned long long number;

	if (type == '-')
		return;
	text = word();
	number = strtoull(text, NULL, 10);
	ret_value->length = sizeof(ret_value->number);
	ret_value->number = (long)number;
	switch (type) {
	case 'i':
		ret_value->type = ASN_INTEGER;
		ret_value->number = strtol(text, NULL, 10);
		break;
	case 'u':
		ret_value->type = ASN_GAUGE;
		break;
	case 'c':
		ret_value->type = ASN_COUNTER;
		break;
	case 't':
		ret_value->type = ASN_TIMETICKS;
		break;
	case 'C':
		ret_value->type = ASN_COUNTER64;
		ret_value->length = sizeof(ret_value->counter64);
		ret_value->counter64 = (struct counter64){(u_long)(number >> 32), (u_long)(number & 0xffffffff)};
		break;
	case 's':
		ret_value->type = ASN_OCTET_STR;
		ret_value->length = read_hex(text, ret_value->bytes, sizeof(ret_value->bytes));
		break;
	case 'o':
		ret_value->type = ASN_OBJECT_ID;
		ret_value->length = read_name(text, ret_value->name) * sizeof(oid);
		break;
	default:
		fail(text);
	}
}

static void answer(netsnmp_request_info *request, const struct value *value)
{
	(void)snmp_set_var_typed_value(request->requestvb, value->type, value->bytes, value->length);
}

static int serve_scalar(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
			netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
	const struct value *value = registration->my_reg_void;

	(void)handler;
	if (value->type != 0)
		answer(request, value);
	else
		(void)netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
	return SNMP_ERR_NOERROR;
}

static int serve_table(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		       netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
	(void)handler;
	(void)registration;
	for (; request; request = request->next) {
		const struct row *row = netsnmp_tdata_extract_entry(request);
		const netsnmp_table_request_info *place = netsnmp_extract_table_info(request);

		if (request->processed)
			continue;
		if (row && place->colnum < COLUMNS_MAX && row->cells[place->colnum].type != 0)
			answer(request, &row->cells[place->colnum]);
		else
			(void)netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
	}
	return SNMP_ERR_NOERROR;
}

static netsnmp_handler_registration *registration_of(const char *text, Netsnmp_Node_Handler *handler)
{
	oid name[MAX_OID_LEN];
	const size_t length = read_name(text, name);
	netsnmp_handler_registration *registration =
		netsnmp_create_handler_registration(text, handler, name, length, HANDLER_CAN_RONLY);

	if (!registration)
		fail(text);
	registration->contextName = strdup(context);
	return registration;
}

static void add_scalar(void)
{
	netsnmp_handler_registration *registration = registration_of(word(), serve_scalar);
	struct value *value = calloc(1, sizeof(*value));

	if (!value)
		fail("so much memory");
	read_value(value);
	registration->my_reg_void = value;
	if (netsnmp_register_read_only_scalar(registration) != MIB_REGISTERED_OK)
		fail("a scalar twice");
}

static void add_table(void)
{
	const char *entry = word();
	struct table *table = calloc(1, sizeof(*table));
	netsnmp_table_registration_info *info = SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
	oid name[MAX_OID_LEN];
	char parent[LINE_SIZE];

	if (!table || !info)
		fail("so much memory");
	table->length = read_name(entry, table->entry);
	memcpy(name, table->entry, sizeof(name));
	(void)snprintf(parent, sizeof(parent), "%s", entry);
	*strrchr(parent, '.') = '\0'; /* the table: what is registered; the entry is its 1 */
	info->min_column = (unsigned)strtoul(word(), NULL, 10);
	info->max_column = (unsigned)strtoul(word(), NULL, 10);
	table->indexes = (unsigned)strtoul(word(), NULL, 10);
	for (unsigned i = 0; i < table->indexes; i++)
		netsnmp_table_helper_add_index(info, ASN_INTEGER);
	table->data = netsnmp_tdata_create_table(entry, 0);
	table->next = tables;
	tables = table;
	if (netsnmp_tdata_register(registration_of(parent, serve_table), table->data, info) != MIB_REGISTERED_OK)
		fail("a table twice");
}

static void add_cell(void)
{
	oid entry[MAX_OID_LEN], index[MAX_OID_LEN];
	const size_t length = read_name(word(), entry);
	const unsigned long column = strtoul(word(), NULL, 10);
	const size_t count = read_name(word(), index);
	struct table *table = tables;
	netsnmp_tdata_row *found;
	struct row *row;

	while (table && snmp_oid_compare(table->entry, table->length, entry, length) != 0)
		table = table->next;
	if (!table || column >= COLUMNS_MAX || count != table->indexes)
		fail("a cell of no table");
	found = netsnmp_tdata_row_get_byoid(table->data, index, count);
	if (!found) {
		found = netsnmp_tdata_create_row();
		row = calloc(1, sizeof(*row));
		if (!found || !row)
			fail("so much memory");
		for (size_t i = 0; i < count; i++) {
			const long number = (long)index[i];

			(void)netsnmp_tdata_row_add_index(found, ASN_INTEGER, &number, sizeof(number));
		}
		found->data = row;
		(void)netsnmp_tdata_add_row(table->data, found);
	}
	row = found->data;
	read_value(&row->cells[column]);
}

static void read_objects(void)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), stdin)) {
		const char *kind = strtok(line, " \n");

		if (!kind)
			continue;
		if (strcmp(kind, "scalar") == 0)
			add_scalar();
		else if (strcmp(kind, "table") == 0)
			add_table();
		else if (strcmp(kind, "cell") == 0)
			add_cell();
		else
			fail(kind);
	}
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: agentx_judge MASTER CONTEXT\n");
		return EXIT_FAILURE;
	}
	context = argv[2];
	(void)setenv("SNMPCONFPATH", "/nonexistent", 1);
	(void)setenv("MIBS", "", 1);
	snmp_enable_stderrlog();
	(void)netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
	(void)netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, argv[1]);
	(void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	(void)init_agent("judge");
	read_objects();
	init_snmp("judge");
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		(void)agent_check_and_process(1);
}
