/* SPDX-License-Identifier: Apache-2.0
 *
 * option_value.h - one option's text to its checked value: durations, sizes, addresses, files …
 *
 * Knows nothing of YAML or of places in files; what is wrong with a text comes back as a phrase that options.c puts
 * behind file, line and key. Thread: any.
 */
#ifndef CORE_OPTION_VALUE_H
#define CORE_OPTION_VALUE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include <busbar/config.h>

/** Which file an option named, and its state when it was checked: a changed secret is a changed option. */
struct option_file {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

/** A checked value. All zero: no value. */
struct option_value {
	char *text;                  /* as written; of FILE and SECRET_FILE the absolute path */
	int64_t number;              /* see bb_config_int() */
	struct bb_address *address;  /* ADDRESS and LISTEN, in one allocation */
	char **list;                 /* LIST, ended by NULL */
	struct option_file *file;    /* FILE and SECRET_FILE */
	struct bb_config **sections; /* SECTIONS, ended by NULL; made, compared and freed by options.c */
};

/** Where the text was written. */
struct option_origin {
	const char *folder;  /* relative paths begin here */
	bool open_to_others; /* others can read the file it stands in */
};

/** What is wrong: a phrase such as "needs a unit such as ms, s, m, h". */
struct option_fault {
	char text[320];
};

/** Fill @ret_fault as printf does. Returns -EINVAL. */
int option_fault(struct option_fault *ret_fault, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Check @text, of any type but LIST and SECTIONS, and make @ret_value of it. Returns 0, -ENOMEM, or -EINVAL with @ret_fault.
 * Free the value with option_value_free().
 */
int option_value_parse(const struct bb_option *option, const char *text, const struct option_origin *origin,
		       struct option_value *ret_value, struct option_fault *ret_fault);

/** Free what @value holds, secrets overwritten. */
void option_value_free(struct option_value *value);

/** Do two values of @option mean the same? A file does while nobody has touched it. */
bool option_value_equal(const struct bb_option *option, const struct option_value *a, const struct option_value *b);

/** Split @words at single spaces. NULL when memory lacks; free it with text_list_free(). */
char **option_words(const char *words);

#endif
