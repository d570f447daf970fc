/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_agentx_bare - what a subagent costs that is written with net-snmp's own library: the baseline for busbard.
 *
 *	bench_agentx_bare MASTER ROWS CONTEXT
 *
 * Serves bacsModuleTable (6 columns) with ROWS rows in that context from an array that is sorted once and never
 * changes. One handler for the whole subtree that searches the array by itself: the fastest way that the library has,
 * without any of its table helpers. Prints "ready" when it has been registered.
 */
/* clang-format off */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
/* clang-format on */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 6

static const oid entry_name[] = {1, 3, 6, 1, 2, 1, 33, 5, 2, 5, 1};
#define NAME_LENGTH (OID_LENGTH(entry_name) + 2)

struct instance {
	oid name[NAME_LENGTH];
	long value;
};

static struct instance *instances;
static size_t instance_count;

/* The first instance at @name or behind it; strictly behind it without @include. */
static size_t find(const oid *name, size_t length, int include)
{
	size_t low = 0, high = instance_count;

	while (low < high) {
		const size_t middle = (low + high) / 2;
		const int order = snmp_oid_compare(instances[middle].name, NAME_LENGTH, name, length);

		if (order < 0 || (order == 0 && !include))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
		  netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
	(void)handler;
	(void)registration;
	for (; request; request = request->next) {
		netsnmp_variable_list *variable = request->requestvb;
		const int next = info->mode == MODE_GETNEXT;
		const size_t at = find(variable->name, variable->name_length, next ? request->inclusive : 1);

		if (request->processed)
			continue;
		if (at == instance_count || (!next && snmp_oid_compare(instances[at].name, NAME_LENGTH, variable->name,
								       variable->name_length) != 0)) {
			if (!next)
				(void)netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
			continue;
		}
		if (next)
			(void)snmp_set_var_objid(variable, instances[at].name, NAME_LENGTH);
		(void)snmp_set_var_typed_value(variable, ASN_INTEGER, &instances[at].value, sizeof(long));
	}
	return SNMP_ERR_NOERROR;
}

static int make_instances(size_t rows)
{
	instance_count = rows * COLUMNS;
	instances = calloc(instance_count, sizeof(*instances));
	if (!instances)
		return -1;
	for (size_t i = 0; i < instance_count; i++) {
		memcpy(instances[i].name, entry_name, sizeof(entry_name));
		instances[i].name[OID_LENGTH(entry_name)] = 1 + i / rows;
		instances[i].name[OID_LENGTH(entry_name) + 1] = 1 + i % rows;
		instances[i].value = (long)(i * 7 % 14000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	netsnmp_handler_registration *registration;

	if (argc != 4 || make_instances(strtoul(argv[2], NULL, 10)) < 0) {
		(void)fprintf(stderr, "usage: bench_agentx_bare MASTER ROWS CONTEXT\n");
		return EXIT_FAILURE;
	}
	(void)setenv("SNMPCONFPATH", "/nonexistent", 1);
	(void)setenv("MIBS", "", 1);
	snmp_enable_stderrlog();
	(void)netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
	(void)netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, argv[1]);
	(void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_DONT_PERSIST_STATE, 1);
	(void)init_agent("bench");
	registration = netsnmp_create_handler_registration("bench", handle, entry_name, OID_LENGTH(entry_name),
							   HANDLER_CAN_RONLY);
	if (!registration)
		return EXIT_FAILURE;
	registration->contextName = strdup(argv[3]);
	if (netsnmp_register_handler(registration) != MIB_REGISTERED_OK)
		return EXIT_FAILURE;
	init_snmp("bench");
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		(void)agent_check_and_process(1);
}
