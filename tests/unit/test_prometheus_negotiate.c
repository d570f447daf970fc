/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of exporters/prometheus/negotiate.c.
 */
#include <criterion/criterion.h>

#include <busbar/macros.h>

#include "negotiate.h"

static const struct {
	const char *accept;
	enum page_format format;
} formats[] = {
	{NULL, PAGE_TEXT},
	{"", PAGE_TEXT},
	{"*/*", PAGE_TEXT},
	{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", PAGE_TEXT},
	/* Prometheus 2.42 */
	{"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
	 "text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	 PAGE_OPENMETRICS},
	/* Prometheus 2.5 to 2.34 */
	{"application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", PAGE_TEXT},
	{"application/openmetrics-text", PAGE_OPENMETRICS},
	{"APPLICATION/OpenMetrics-Text; Version=\"1.0.0\"", PAGE_OPENMETRICS},
	{"application/openmetrics-text;q=0.4, text/plain;q=0.5", PAGE_TEXT},
	{"application/openmetrics-text;q=0.5, text/plain;q=0.5", PAGE_OPENMETRICS},
	{"application/openmetrics-text;q=0", PAGE_TEXT},
	{"application/openmetrics-text;q=0.5, */*", PAGE_TEXT},
	{"application/openmetrics-text;q=0.5, text/plain;q=0.1, */*", PAGE_OPENMETRICS},
	{"text/plain;version=0.0.4;q=0.3,application/openmetrics-text;version=1.0.0;q=0.300", PAGE_OPENMETRICS},
	{";;,;=,,q=;application/openmetrics-text", PAGE_TEXT},
	{"application/openmetrics-text;q=banana", PAGE_TEXT},
};

static const struct {
	const char *accept_encoding;
	bool gzip;
} encodings[] = {
	{NULL, false},
	{"", false},
	{"identity", false},
	{"gzip", true},
	{"GZIP;q=1.0", true},
	{"deflate, br , gzip ;q=0.5", true},
	{"gzip;q=0", false},
	{"gzip;q=0.000, identity", false},
	{"gzip;q=0.5, identity;q=0.9", false},
	{"*", true},
	{"*;q=0", false},
	{"gzip;q=0, *", false},
	{"gzipped", false},
	{"x-gzip", true},
};

Test(prometheus_negotiate, the_format_is_what_the_client_likes_best_and_knows_by_name)
{
	for (size_t i = 0; i < BB_LENGTH(formats); i++)
		cr_expect_eq(negotiate_format(formats[i].accept), formats[i].format, "Accept: %s",
			     formats[i].accept ? formats[i].accept : "(none)");
}

Test(prometheus_negotiate, gzip_is_used_only_for_who_takes_it)
{
	for (size_t i = 0; i < BB_LENGTH(encodings); i++)
		cr_expect_eq(negotiate_gzip(encodings[i].accept_encoding), encodings[i].gzip, "Accept-Encoding: %s",
			     encodings[i].accept_encoding ? encodings[i].accept_encoding : "(none)");
}
