/* SPDX-License-Identifier: Apache-2.0
 *
 * access.c - the options of ups-snmp: the table, what must not stand together, and the files with secrets.
 */
#include "access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <busbar/macros.h>

#define SNMP_PORT 161

/* RFC 3414, 11.2: passphrases are at least 8 characters. net-snmp refuses shorter ones. */
#define PASSPHRASE_MIN 8

const struct bb_option ups_snmp_options[] = {
	{.name = "address",
	 .type = BB_OPTION_ADDRESS,
	 .choices = "snmp",
	 .required = true,
	 .help = "where the agent is: snmp://HOST or snmp://HOST:PORT"},
	{.name = "version", .type = BB_OPTION_ENUM, .preset = "2c", .choices = "1 2c 3", .help = "version of SNMP"},
	{.name = "community", .type = BB_OPTION_SECRET, .preset = "public", .help = "community of versions 1 and 2c"},
	{.name = "community-file", .type = BB_OPTION_SECRET_FILE, .help = "file whose first line is the community"},
	{.name = "user", .type = BB_OPTION_STRING, .help = "user name of version 3"},
	{.name = "auth-file",
	 .type = BB_OPTION_SECRET_FILE,
	 .help = "file with the passphrases of version 3: first line authentication, second line privacy"},
	{.name = "level",
	 .type = BB_OPTION_ENUM,
	 .choices = "noAuthNoPriv authNoPriv authPriv",
	 .help = "security level of version 3; authPriv with an auth-file, else noAuthNoPriv"},
	{.name = "auth",
	 .type = BB_OPTION_ENUM,
	 .preset = "SHA",
	 .choices = "MD5 SHA SHA-224 SHA-256 SHA-384 SHA-512",
	 .help = "authentication protocol of version 3"},
	{.name = "privacy",
	 .type = BB_OPTION_ENUM,
	 .preset = "AES",
	 .choices = "DES AES AES-192 AES-256",
	 .help = "privacy protocol of version 3"},
	{.name = "context", .type = BB_OPTION_STRING, .preset = "", .help = "context name of version 3"},
	{.name = "timeout",
	 .type = BB_OPTION_DURATION,
	 .preset = "2s",
	 .min = 50,
	 .max = 60000,
	 .help = "how long to wait for an answer before asking again"},
	{.name = "retries",
	 .type = BB_OPTION_INT,
	 .preset = "1",
	 .min = 0,
	 .max = 10,
	 .help = "how often to ask again before the device counts as silent"},
	{0},
};

static enum bb_snmp_version options_version(const struct bb_config *config)
{
	static const enum bb_snmp_version versions[] = {BB_SNMP_V1, BB_SNMP_V2C, BB_SNMP_V3};

	return versions[bb_config_int(config, "version")];
}

static enum bb_snmp_level options_level(const struct bb_config *config)
{
	static const enum bb_snmp_level levels[] = {BB_SNMP_NO_AUTH, BB_SNMP_AUTH, BB_SNMP_AUTH_PRIV};

	if (bb_config_is_set(config, "level"))
		return levels[bb_config_int(config, "level")];
	return bb_config_is_set(config, "auth-file") ? BB_SNMP_AUTH_PRIV : BB_SNMP_NO_AUTH;
}

/* The first @size - 1 bytes of a file, as text. */
static int options_read_file(const char *path, char *buffer, size_t size)
{
	size_t length = 0;
	ssize_t got = 1;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (length + 1 < size && (got = read(fd, buffer + length, size - 1 - length)) > 0)
		length += (size_t)got;
	if (got < 0) {
		got = -errno;
		(void)close(fd); /* only read from */
		return (int)got;
	}
	(void)close(fd); /* only read from */
	buffer[length] = '\0';
	return 0;
}

/* The next line that counts, without blanks around it; NULL at the end. */
static const char *secrets_next_line(const char **text, size_t *ret_length)
{
	while (**text) {
		const char *line = *text;
		size_t length = strcspn(line, "\n");

		*text += length + (line[length] == '\n');
		while (length > 0 && strchr(" \t\r", line[length - 1]))
			length--;
		while (length > 0 && strchr(" \t", *line))
			line++, length--;
		if (length == 0 || *line == '#')
			continue;
		*ret_length = length;
		return line;
	}
	return NULL;
}

static bool secrets_has_key(const char **line, size_t *length, const char *key)
{
	const size_t size = strlen(key);

	if (*length < size || strncasecmp(*line, key, size) != 0)
		return false;
	*line += size;
	*length -= size;
	while (*length > 0 && **line == ' ')
		(*line)++, (*length)--;
	return true;
}

int secrets_parse(const char *text, struct secrets *secrets, const char **ret_reason)
{
	const char *line;
	size_t length;

	secrets->auth[0] = secrets->privacy[0] = '\0';
	while ((line = secrets_next_line(&text, &length))) {
		char *place = secrets->auth[0] == '\0' ? secrets->auth : secrets->privacy;

		if (secrets_has_key(&line, &length, "auth:"))
			place = secrets->auth;
		else if (secrets_has_key(&line, &length, "privacy:"))
			place = secrets->privacy;
		*ret_reason = place[0] != '\0'          ? "has more than two passphrases"
			      : length < PASSPHRASE_MIN ? "has a passphrase of less than 8 characters"
			      : length >= SECRET_SIZE   ? "has a passphrase of more than 255 characters"
							: NULL;
		if (*ret_reason)
			return -EINVAL;
		memcpy(place, line, length);
		place[length] = '\0';
	}
	if (secrets->auth[0] == '\0') {
		*ret_reason = "has no authentication passphrase";
		return -EINVAL;
	}
	if (secrets->privacy[0] == '\0')
		memcpy(secrets->privacy, secrets->auth, sizeof(secrets->privacy));
	return 0;
}

void secrets_wipe(struct secrets *secrets)
{
	explicit_bzero(secrets, sizeof(*secrets));
}

static int secrets_read_community(const struct bb_config *config, struct secrets *secrets)
{
	const char *path = bb_config_string(config, "community-file");
	char text[2 * SECRET_SIZE];
	const char *rest = text, *line;
	size_t length = 0;
	int r;

	if (!path) {
		const char *community = bb_config_string(config, "community");

		length = strlen(community);
		if (length >= SECRET_SIZE)
			return bb_config_error(config, "community", "is longer than %d characters", SECRET_SIZE - 1);
		memcpy(secrets->community, community, length + 1);
		return 0;
	}
	r = options_read_file(path, text, sizeof(text));
	if (r < 0)
		return bb_config_error(config, "community-file", "cannot be read: %s", strerror(-r));
	line = secrets_next_line(&rest, &length);
	if (line && length < SECRET_SIZE)
		memcpy(secrets->community, line, length);
	explicit_bzero(text, sizeof(text));
	if (!line || length >= SECRET_SIZE)
		return bb_config_error(config, "community-file", "has no community in its first line");
	return 0;
}

int secrets_read(const struct bb_config *config, struct secrets *ret_secrets)
{
	const char *path = bb_config_string(config, "auth-file");
	char text[4 * SECRET_SIZE];
	const char *reason = NULL;
	int r;

	memset(ret_secrets, 0, sizeof(*ret_secrets));
	if (options_version(config) != BB_SNMP_V3)
		return secrets_read_community(config, ret_secrets);
	if (!path || options_level(config) == BB_SNMP_NO_AUTH)
		return 0;
	r = options_read_file(path, text, sizeof(text));
	if (r < 0)
		return bb_config_error(config, "auth-file", "cannot be read: %s", strerror(-r));
	r = secrets_parse(text, ret_secrets, &reason);
	explicit_bzero(text, sizeof(text));
	return r < 0 ? bb_config_error(config, "auth-file", "%s", reason) : 0;
}

static int options_check_v3(const struct bb_config *config)
{
	static const char *const others[] = {"community", "community-file"};
	const char *user = bb_config_string(config, "user");

	for (size_t i = 0; i < BB_LENGTH(others); i++)
		if (bb_config_is_set(config, others[i]))
			return bb_config_error(config, others[i], "version 3 has users instead of communities");
	if (!user || *user == '\0')
		return bb_config_error(config, "version", "version 3 needs the option user");
	if (strlen(user) > 32) /* RFC 3414, usmUserName */
		return bb_config_error(config, "user", "is longer than 32 characters");
	if (options_level(config) != BB_SNMP_NO_AUTH && !bb_config_is_set(config, "auth-file"))
		return bb_config_error(config, "level", "needs passphrases: set auth-file");
	if (options_level(config) == BB_SNMP_NO_AUTH && bb_config_is_set(config, "auth-file"))
		return bb_config_error(config, "auth-file", "is of no use with the level noAuthNoPriv");
	return 0;
}

static int options_check_community(const struct bb_config *config)
{
	static const char *const others[] = {"user", "auth-file", "level", "auth", "privacy", "context"};

	for (size_t i = 0; i < BB_LENGTH(others); i++)
		if (bb_config_is_set(config, others[i]))
			return bb_config_error(config, others[i], "belongs to version 3, but the version is %s",
					       bb_config_string(config, "version"));
	if (bb_config_is_set(config, "community") && bb_config_is_set(config, "community-file"))
		return bb_config_error(config, "community-file", "and community cannot both be set");
	return 0;
}

int ups_snmp_check(const struct bb_config *config)
{
	const struct bb_address *address = bb_config_address(config, "address");
	struct secrets secrets;
	int r;

	if (address->host[0] == '\0')
		return bb_config_error(config, "address", "names no host");
	if (address->path[0] != '\0')
		return bb_config_error(config, "address", "has a path, which SNMP does not know");
	r = options_version(config) == BB_SNMP_V3 ? options_check_v3(config) : options_check_community(config);
	if (r < 0)
		return r;
	r = secrets_read(config, &secrets);
	secrets_wipe(&secrets);
	return r;
}

void ups_snmp_access(const struct bb_config *config, const struct secrets *secrets, const char *host,
		     struct bb_snmp_options *ret_options)
{
	const struct bb_address *address = bb_config_address(config, "address");

	*ret_options = (struct bb_snmp_options){
		.host = host,
		.port = address->port ? address->port : SNMP_PORT,
		.version = options_version(config),
		.community = secrets->community,
		.user = bb_config_string(config, "user"),
		.level = options_level(config),
		.auth = bb_config_string(config, "auth"),
		.auth_passphrase = secrets->auth,
		.privacy = bb_config_string(config, "privacy"),
		.privacy_passphrase = secrets->privacy,
		.context = bb_config_string(config, "context"),
		.timeout_ms = bb_config_int(config, "timeout"),
		.retries = (int)bb_config_int(config, "retries"),
	};
	if (!ret_options->user)
		ret_options->user = "";
	if (!ret_options->context)
		ret_options->context = "";
}
