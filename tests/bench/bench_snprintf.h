/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_snprintf.h - the baseline: a page written as exporters usually write it, with one snprintf() per series that
 * puts family, labels and value together. The series are taken from a page of ours, so that both write the same.
 */
#ifndef TESTS_BENCH_SNPRINTF_H
#define TESTS_BENCH_SNPRINTF_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABELS_MAX 6

struct series {
	char *header; /* HELP and TYPE before it, NULL for none */
	char *family;
	char *names[LABELS_MAX], *values[LABELS_MAX]; /* of labels */
	int labels;
	double value;
	int decimals;
};

/* Cut name="value",name="value"} into its parts; what the simulator says has neither quotes nor commas in values. */
static inline void parse_labels(char *text, struct series *series)
{
	char *save = NULL;

	for (char *name = strtok_r(text, ",}", &save); name && series->labels < LABELS_MAX;
	     name = strtok_r(NULL, ",}", &save)) {
		char *value = strchr(name, '=');

		if (!value)
			continue;
		*value++ = '\0';
		value++;
		value[strcspn(value, "\"")] = '\0';
		series->names[series->labels] = name;
		series->values[series->labels++] = value;
	}
}

/* Take a page apart; @text is cut up and must stay. */
static inline struct series *parse_page(char *text, size_t *ret_count)
{
	size_t count = 0, room = 1024;
	struct series *all = malloc(room * sizeof(*all));
	char *save = NULL, *header = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (*line == '#') {
			char *joined = malloc((header ? strlen(header) : 0) + strlen(line) + 2);

			(void)sprintf(joined, "%s%s\n", header ? header : "", line);
			header = joined;
			continue;
		}

		struct series series = {.header = header, .family = line};
		char *value = strrchr(line, ' '), *labels = strchr(line, '{'), *point;

		*value++ = '\0';
		series.value = strtod(value, NULL);
		point = strchr(value, '.');
		series.decimals = point ? (int)strlen(point + 1) : 0;
		if (labels) {
			*labels++ = '\0';
			parse_labels(labels, &series);
		}
		if (count == room) {
			room *= 2;
			all = realloc(all, room * sizeof(*all));
		}
		all[count++] = series;
		header = NULL;
	}
	*ret_count = count;
	return all;
}

/* Write the page with other values than before. Returns its length. */
static inline size_t write_plainly(const struct series *all, size_t count, unsigned round, char *out)
{
	char *end = out;

	for (size_t i = 0; i < count; i++) {
		const struct series *s = &all[i];
		const double value = s->value + round % 8;

		if (s->header)
			end += snprintf(end, 4096, "%s", s->header);
		switch (s->labels) {
		case 0:
			end += snprintf(end, 4096, "%s %.*f\n", s->family, s->decimals, value);
			break;
		case 1:
			end += snprintf(end, 4096, "%s{%s=\"%s\"} %.*f\n", s->family, s->names[0], s->values[0],
					s->decimals, value);
			break;
		case 2:
			end += snprintf(end, 4096, "%s{%s=\"%s\",%s=\"%s\"} %.*f\n", s->family, s->names[0],
					s->values[0], s->names[1], s->values[1], s->decimals, value);
			break;
		default: /* busbar_device_info, once a device */
			end += snprintf(end, 4096, "%s{%s=\"%s\",%s=\"%s\",%s=\"%s\"} %.*f\n", s->family, s->names[0],
					s->values[0], s->names[1], s->values[1], s->names[2], s->values[2], s->decimals,
					value);
			break;
		}
	}
	return (size_t)(end - out);
}

#endif
