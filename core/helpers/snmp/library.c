/* SPDX-License-Identifier: Apache-2.0
 *
 * library.c - sets net-snmp up without init_snmp().
 *
 * init_snmp() reads configuration files, loads MIBs, changes the locale and leads to a persistent file. None of that
 * is needed to speak the protocol, so only the parts that are get called: the session layer, and the user-based
 * security model, which wants an engine id of our own (a random one) and a user without a name for discoveries.
 *
 * net-snmp cannot be taken down and set up again cleanly, so what is set up here stays until the process ends.
 */
#include <string.h>

#include "netsnmp.h"
#include <busbar/log.h>
#include <busbar/macros.h>

/* net-snmp complains mostly about what peers send; whoever asked is told by the answer, so this is for debugging. */
static int library_on_log(int major, int minor, void *arguments, void *context)
{
	const struct snmp_log_message *message = arguments;

	(void)major;
	(void)minor;
	(void)context;
	bb_log_debug(NULL, "net-snmp: %.*s", (int)strcspn(message->msg, "\n"), message->msg);
	return SNMP_ERR_NOERROR;
}

void library_init(void)
{
	static const int on[] = {
		NETSNMP_DS_LIB_DONT_READ_CONFIGS,       NETSNMP_DS_LIB_DONT_PERSIST_STATE,
		NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE,
		NETSNMP_DS_LIB_DISABLE_CONFIG_LOAD,
	};
	static bool done;
	netsnmp_session session;

	if (done)
		return;
	done = true;
	for (size_t i = 0; i < BB_LENGTH(on); i++)
		(void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, on[i], 1); /* fails for unknown ids only */
	(void)netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE, "busbar"); /* as above */
	snmp_enable_calllog();
	(void)snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING, library_on_log,
				     NULL); /* or memory */
	snmp_sess_init(&session);
	init_snmpv3("busbar");
	/* What the security model registered to be done after reading the configuration, of which there is none. */
	(void)snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_PREMIB_READ_CONFIG, NULL);
}
