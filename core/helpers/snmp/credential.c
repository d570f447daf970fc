/* SPDX-License-Identifier: Apache-2.0
 *
 * credential.c - the user of a version 3 agent: protocols and passphrases checked, turned into keys, bound to an engine.
 *
 * Passphrases are kept until the engine has been found, since an agent that never answers needs no keys; then they are
 * wiped, and the keys stay, because a replaced card is another engine that they have to be bound to.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static int credential_refuse(const struct bb_snmp_agent *agent, const char *what)
{
	return bb_log_error(agent->log, -EINVAL, "SNMPv3 to %s: %s", agent->name, what);
}

static int credential_init_auth(struct bb_snmp_agent *agent, const struct bb_snmp_options *options)
{
	struct engine *engine = &agent->engine;
	const int type = options->auth ? usm_lookup_auth_type(options->auth) : -1;

	if (type < 0)
		return credential_refuse(agent, "this authentication protocol is not known here");
	if (!options->auth_passphrase || strlen(options->auth_passphrase) < USM_LENGTH_P_MIN)
		return credential_refuse(agent, "an authentication passphrase has at least 8 characters");
	engine->auth = sc_get_auth_oid(type, &engine->auth_length);
	engine->auth_passphrase = strdup(options->auth_passphrase);
	return engine->auth && engine->auth_passphrase ? 0 : credential_refuse(agent, "out of memory");
}

static int credential_init_privacy(struct bb_snmp_agent *agent, const struct bb_snmp_options *options)
{
	struct engine *engine = &agent->engine;
	const int type = options->privacy ? usm_lookup_priv_type(options->privacy) : -1;

	if (type < 0)
		return credential_refuse(agent, "this privacy protocol is not known here");
	if (!options->privacy_passphrase || strlen(options->privacy_passphrase) < USM_LENGTH_P_MIN)
		return credential_refuse(agent, "a privacy passphrase has at least 8 characters");
	engine->privacy = sc_get_priv_oid(type, &engine->privacy_length);
	engine->privacy_passphrase = strdup(options->privacy_passphrase);
	return engine->privacy && engine->privacy_passphrase ? 0 : credential_refuse(agent, "out of memory");
}

int credential_init(struct bb_snmp_agent *agent, const struct bb_snmp_options *options)
{
	struct engine *engine = &agent->engine;
	int r = 0;

	if (agent->user[0] == '\0')
		return credential_refuse(agent, "a user is needed");
	engine->auth = usmNoAuthProtocol;
	engine->auth_length = OID_LENGTH(usmNoAuthProtocol);
	engine->privacy = usmNoPrivProtocol;
	engine->privacy_length = OID_LENGTH(usmNoPrivProtocol);
	if (agent->level >= BB_SNMP_AUTH)
		r = credential_init_auth(agent, options);
	if (r == 0 && agent->level >= BB_SNMP_AUTH_PRIV)
		r = credential_init_privacy(agent, options);
	return r;
}

static void credential_wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void credential_unbind(struct bb_snmp_agent *agent)
{
	if (agent->engine.user)
		(void)usm_free_user(agent->engine.user); /* returns NULL always */
	agent->engine.user = NULL;
}

void credential_finish(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;

	credential_unbind(agent);
	credential_wipe(&engine->auth_passphrase);
	credential_wipe(&engine->privacy_passphrase);
	explicit_bzero(&engine->auth_key, sizeof(engine->auth_key));
	explicit_bzero(&engine->privacy_key, sizeof(engine->privacy_key));
}

int credential_derive(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;
	struct key_cache *cache = &agent->client->keys;
	int r = 0;

	if (engine->auth_passphrase)
		r = key_derive(cache, engine->auth, engine->auth_length, engine->auth_passphrase, &engine->auth_key);
	if (r == 0 && engine->privacy_passphrase)
		r = key_derive(cache, engine->auth, engine->auth_length, engine->privacy_passphrase,
			       &engine->privacy_key);
	if (r < 0)
		return bb_log_error(agent->log, r, "cannot derive SNMPv3 keys for %s", agent->name);
	credential_wipe(&engine->auth_passphrase);
	credential_wipe(&engine->privacy_passphrase);
	return 0;
}

/* Bind the keys to the engine. net-snmp makes the user and puts it into its table; it is lent from here on. */
int credential_bind(struct bb_snmp_agent *agent)
{
	struct engine *engine = &agent->engine;
	netsnmp_session session;
	int r;

	snmp_sess_init(&session);
	session.version = SNMP_VERSION_3;
	session.securityModel = SNMP_SEC_MODEL_USM;
	session.securityName = agent->user;
	session.securityNameLen = strlen(agent->user);
	session.securityEngineID = engine->id;
	session.securityEngineIDLen = engine->id_length;
	session.securityAuthProto = (oid *)engine->auth; /* copied */
	session.securityAuthProtoLen = engine->auth_length;
	session.securityPrivProto = (oid *)engine->privacy; /* copied */
	session.securityPrivProtoLen = engine->privacy_length;
	memcpy(session.securityAuthKey, engine->auth_key.bytes, engine->auth_key.length);
	session.securityAuthKeyLen = engine->auth_key.length;
	memcpy(session.securityPrivKey, engine->privacy_key.bytes, engine->privacy_key.length);
	session.securityPrivKeyLen = engine->privacy_key.length;
	r = usm_create_user_from_session(&session) == SNMPERR_SUCCESS ? 0 : -EPROTO;
	explicit_bzero(&session, sizeof(session));
	if (r < 0)
		return r;
	engine->user = usm_get_user(engine->id, engine->id_length, agent->user);
	if (!engine->user)
		return -ENOMEM;
	(void)usm_remove_user(engine->user); /* it is there: just found */
	engine->user->next = engine->user->prev = NULL;
	return 0;
}
