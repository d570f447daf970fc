/* SPDX-License-Identifier: Apache-2.0
 *
 * option_value.c - one option's text to its checked value, see option_value.h.
 *
 * Each type has a function that reads its text; a table at the end says which. Numbers of all kinds go through
 * bb_decimal_parse(), so that no type has an overflow of its own.
 */
#include "option_value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <busbar/decimal.h>
#include <busbar/macros.h>

#include "address.h"
#include "text.h"

/* A unit and how many of the kept unit it is. Largest last, for printing. */
struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};

static const struct unit size_units[] = {
	{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {NULL, 0},
};

int option_fault(struct option_fault *ret_fault, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(ret_fault->text, sizeof(ret_fault->text), format, arguments); /* a cut phrase will do */
	va_end(arguments);
	return -EINVAL;
}

/* Print @number as one would write it for an option of this type, in the largest unit that leaves no rest. */
static void print_number(char *buffer, size_t size, const struct bb_option *option, int64_t number)
{
	const struct unit *units = option->type == BB_OPTION_DURATION ? duration_units : size_units;
	const struct unit *best = units;
	char digits[BB_DECIMAL_SIZE];

	if (option->type == BB_OPTION_INT || option->type == BB_OPTION_DECIMAL) {
		(void)bb_decimal_print_short(digits, number, option->type == BB_OPTION_DECIMAL ? 3 : 0);
		(void)snprintf(buffer, size, "%s", digits);
		return;
	}
	if (number == 0 && option->type == BB_OPTION_DURATION)
		best++; /* "0s" reads better than "0ms" and "0d" */
	for (const struct unit *unit = units; unit->name && number != 0; unit++)
		if (number % unit->factor == 0)
			best = unit;
	(void)bb_decimal_print(digits, number / best->factor, 0);
	(void)snprintf(buffer, size, "%s%s", digits, best->name);
}

/* A table without a range still means no negative durations and sizes. */
static int check_range(const struct bb_option *option, int64_t number, struct option_fault *ret_fault)
{
	char low[64], high[64];
	bool positive = option->type == BB_OPTION_DURATION || option->type == BB_OPTION_SIZE;

	if (option->min < option->max) {
		if (number >= option->min && number <= option->max)
			return 0;
		print_number(low, sizeof(low), option, option->min);
		print_number(high, sizeof(high), option, option->max);
		return option_fault(ret_fault, "out of range, must be %s to %s", low, high);
	}
	if (positive && number < 0)
		return option_fault(ret_fault, "must not be negative");
	return 0;
}

struct context {
	const struct bb_option *option;
	const char *text;
	const struct option_origin *origin;
	struct option_value *value; /* text is set already */
	struct option_fault *fault;
};

static int parse_string(const struct context *context)
{
	const unsigned char *at = (const unsigned char *)context->text;

	for (; *at; at++)
		if (*at < ' ' || *at == 0x7f)
			return option_fault(context->fault, "contains a control character");
	return 0;
}

static int parse_secret(const struct context *context)
{
	if (context->origin->open_to_others)
		return option_fault(context->fault,
				    "a secret in a file that others can read; take their right to read it "
				    "(chmod o-r) or name a file that holds the secret");
	return parse_string(context);
}

static int parse_bool(const struct context *context)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};

	for (size_t i = 0; i < BB_LENGTH(words); i++) {
		if (strcasecmp(context->text, words[i]) == 0) {
			context->value->number = i % 2;
			return 0;
		}
	}
	return option_fault(context->fault, "must be true or false, not '%s'", context->text);
}

/* INT and DECIMAL. */
static int parse_number(const struct context *context)
{
	bool whole = context->option->type == BB_OPTION_INT;
	int r = bb_decimal_parse(context->text, whole ? 0 : 3, &context->value->number);

	if (r == -EINVAL || (whole && strchr(context->text, '.')))
		return option_fault(context->fault, "must be a %s, not '%s'", whole ? "whole number" : "number",
				    context->text);
	if (r == -ERANGE)
		context->value->number = context->text[0] == '-' ? INT64_MIN : INT64_MAX;
	if (r == -ERANGE && context->option->min >= context->option->max)
		return option_fault(context->fault, "too large");
	return check_range(context->option, context->value->number, context->fault);
}

/* DURATION and SIZE: a number, perhaps a blank, a unit. */
static int parse_quantity(const struct context *context)
{
	bool duration = context->option->type == BB_OPTION_DURATION;
	const struct unit *unit = duration ? duration_units : size_units;
	size_t length = strspn(context->text, "+-.0123456789");
	const char *name = context->text + length + strspn(context->text + length, " ");
	char digits[64];
	int64_t thousandths;
	int r;

	if (length == 0)
		return option_fault(context->fault, "must be a %s such as %s, not '%s'", duration ? "duration" : "size",
				    duration ? "250ms, 5s, 2m, 12h" : "4096, 64KiB, 1MiB", context->text);
	while (unit->name && strcmp(unit->name, name) != 0)
		unit++;
	if (!unit->name)
		return option_fault(context->fault,
				    duration ? "'%s' needs a unit such as ms, s, m, h"
					     : "'%s' needs no unit (bytes) or KiB, MiB, GiB",
				    context->text);
	if (length >= sizeof(digits))
		return option_fault(context->fault, "too large");
	memcpy(digits, context->text, length);
	digits[length] = '\0';
	r = bb_decimal_parse(digits, 3, &thousandths);
	if (r == -EINVAL)
		return option_fault(context->fault, "'%s' is not a number", digits);
	if (r == -ERANGE)
		return option_fault(context->fault, "too large");
	context->value->number = bb_decimal_scale(thousandths, unit->factor, 1000);
	return check_range(context->option, context->value->number, context->fault);
}

static int parse_enum(const struct context *context)
{
	char **words = option_words(context->option->choices);
	const char *suggestion;
	int r = 0;

	if (!words)
		return -ENOMEM;
	for (context->value->number = 0; words[context->value->number]; context->value->number++)
		if (strcmp(words[context->value->number], context->text) == 0)
			goto done;
	suggestion = bb_text_suggest(context->text, (const char *const *)words);
	if (suggestion)
		r = option_fault(context->fault, "must be one of: %s; not '%s', did you mean '%s'?",
				 context->option->choices, context->text, suggestion);
	else
		r = option_fault(context->fault, "must be one of: %s; not '%s'", context->option->choices,
				 context->text);
done:
	text_list_free(words);
	return r;
}

static int parse_address(const struct context *context)
{
	int r = parse_string(context);

	return r < 0 ? r
		     : address_parse(context->text, context->option->choices, &context->value->address, context->fault);
}

static int parse_listen(const struct context *context)
{
	int r = parse_string(context);

	return r < 0 ? r : address_parse_listen(context->text, &context->value->address, context->fault);
}

static int check_secret_mode(mode_t mode, struct option_fault *ret_fault)
{
	if (mode & 0007)
		return option_fault(ret_fault, "others can get at this secret (its mode is %04o); try chmod 0640",
				    mode & 07777);
	if (mode & 0020)
		return option_fault(ret_fault, "its group can write this secret (its mode is %04o); try chmod 0640",
				    mode & 07777);
	return 0;
}

/* FILE and SECRET_FILE: it must be there and open to us now, so that nobody is stopped for a file that is not. */
static int parse_file(const struct context *context)
{
	struct option_value *value = context->value;
	struct stat status;
	char *path;
	int fd, r = parse_string(context);

	if (r < 0)
		return r;
	if (context->text[0] == '\0')
		return option_fault(context->fault, "names no file");
	if (context->text[0] != '/') {
		if (asprintf(&path, "%s/%s", context->origin->folder, context->text) < 0)
			return -ENOMEM;
		free(value->text);
		value->text = path;
	}

	fd = open(value->text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO must not hold us up */
	if (fd < 0)
		return option_fault(context->fault, "cannot read %s: %s", value->text, strerror(errno));
	r = fstat(fd, &status) < 0 ? -errno : 0;
	close(fd);
	if (r < 0)
		return option_fault(context->fault, "cannot read %s: %s", value->text, strerror(-r));
	if (!S_ISREG(status.st_mode))
		return option_fault(context->fault, "%s is not a regular file", value->text);
	if (context->option->type == BB_OPTION_SECRET_FILE) {
		r = check_secret_mode(status.st_mode, context->fault);
		if (r < 0)
			return r;
	}
	value->file = malloc(sizeof(*value->file));
	if (!value->file)
		return -ENOMEM;
	*value->file = (struct option_file){
		.device = status.st_dev, .inode = status.st_ino, .size = status.st_size, .changed = status.st_mtim};
	return 0;
}

static int (*const parsers[])(const struct context *context) = {
	[BB_OPTION_STRING] = parse_string, [BB_OPTION_BOOL] = parse_bool,
	[BB_OPTION_INT] = parse_number,    [BB_OPTION_DURATION] = parse_quantity,
	[BB_OPTION_SIZE] = parse_quantity, [BB_OPTION_DECIMAL] = parse_number,
	[BB_OPTION_ENUM] = parse_enum,     [BB_OPTION_ADDRESS] = parse_address,
	[BB_OPTION_LISTEN] = parse_listen, [BB_OPTION_FILE] = parse_file,
	[BB_OPTION_SECRET] = parse_secret, [BB_OPTION_SECRET_FILE] = parse_file,
	[BB_OPTION_LIST] = parse_string, /* each of its texts */
};

int option_value_parse(const struct bb_option *option, const char *text, const struct option_origin *origin,
		       struct option_value *ret_value, struct option_fault *ret_fault)
{
	struct option_value value = {.text = strdup(text)};
	struct context context = {option, text, origin, &value, ret_fault};
	int r;

	if (!value.text)
		return -ENOMEM;
	r = parsers[option->type](&context);
	if (r < 0) {
		option_value_free(&value);
		return r;
	}
	*ret_value = value;
	return 0;
}

void option_value_free(struct option_value *value)
{
	if (value->text)
		explicit_bzero(value->text, strlen(value->text)); /* it may be a secret */
	free(value->text);
	free(value->address);
	free(value->file);
	text_list_free(value->list);
	*value = (struct option_value){0};
}

static bool lists_equal(char *const *a, char *const *b)
{
	if (!a || !b)
		return a == b;
	while (*a && *b && strcmp(*a, *b) == 0)
		a++, b++;
	return !*a && !*b;
}

static bool files_equal(const struct option_file *a, const struct option_file *b)
{
	if (!a || !b)
		return a == b;
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

bool option_value_equal(const struct bb_option *option, const struct option_value *a, const struct option_value *b)
{
	if (!a->text && !b->text)
		return lists_equal(a->list, b->list);
	if (!a->text || !b->text)
		return false;
	switch (option->type) {
	case BB_OPTION_BOOL:
	case BB_OPTION_INT:
	case BB_OPTION_DURATION:
	case BB_OPTION_SIZE:
	case BB_OPTION_DECIMAL:
		return a->number == b->number; /* 60s is 1m */
	default:
		return strcmp(a->text, b->text) == 0 && files_equal(a->file, b->file);
	}
}

char **option_words(const char *words)
{
	size_t count = 1;
	char **list;

	for (const char *at = words; *at; at++)
		count += *at == ' ';
	list = calloc(count + 1, sizeof(*list));
	if (!list)
		return NULL;
	for (size_t i = 0; *words; i++) {
		size_t length = strcspn(words, " ");

		list[i] = strndup(words, length);
		if (!list[i]) {
			text_list_free(list);
			return NULL;
		}
		words += length + (words[length] == ' ');
	}
	return list;
}
