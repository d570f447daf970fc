/* SPDX-License-Identifier: Apache-2.0
 *
 * codec_names.c - what the errors of SNMP and AgentX are called, for the log, see codec.h.
 */
#include "codec.h"

#include <busbar/macros.h>

/* As their standards write them: RFC 3416, section 3, and RFC 2741, section 6.2.16. */
static const char *const snmp_errors[] = {
	"noError",
	"tooBig",
	"noSuchName",
	"badValue",
	"readOnly",
	"genErr",
	"noAccess",
	"wrongType",
	"wrongLength",
	"wrongEncoding",
	"wrongValue",
	"noCreation",
	"inconsistentValue",
	"resourceUnavailable",
	"commitFailed",
	"undoFailed",
	"authorizationError",
	"notWritable",
	"inconsistentName",
};

static const char *const agentx_errors[] = {
	"openFailed",          "notOpen",           "indexWrongType",     "indexAlreadyAllocated",
	"indexNoneAvailable",  "indexNotAllocated", "unsupportedContext", "duplicateRegistration",
	"unknownRegistration", "unknownAgentCaps",  "parseError",         "requestDenied",
	"processingError",
};

const char *codec_error_name(unsigned error)
{
	if (error < BB_LENGTH(snmp_errors))
		return snmp_errors[error];
	if (error >= CODEC_OPEN_FAILED && error - CODEC_OPEN_FAILED < BB_LENGTH(agentx_errors))
		return agentx_errors[error - CODEC_OPEN_FAILED];
	return "unknown error";
}
