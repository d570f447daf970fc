/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/config.h - options described by tables, read as checked values.
 *
 * A plugin states its options as an array of bb_option that ends with an entry without a name. That table
 * is the one source for parsing, for errors with file, line and column, for `busbarctl plugin NAME` and for
 * the manual page. Before a plugin sees its bb_config, every key is known, every value has its type and
 * range, what is required is there, and what was not said has its default. So the accessors cannot fail:
 * asking for an option that is not in the table is a bug of the plugin and stops the agent in a debug build.
 */
#ifndef BUSBAR_CONFIG_H
#define BUSBAR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Type of an option; it decides how its text is written. */
enum bb_option_type {
	BB_OPTION_STRING,      /* any text */
	BB_OPTION_BOOL,        /* true, false (also yes, no, on, off) */
	BB_OPTION_INT,         /* 24 */
	BB_OPTION_DURATION,    /* 250ms, 5s, 2m, 12h, 7d: kept in milliseconds */
	BB_OPTION_SIZE,        /* 64KiB, 1MiB, 2GiB, or plain bytes: kept in bytes */
	BB_OPTION_DECIMAL,     /* 2.5: kept with three decimals */
	BB_OPTION_ENUM,        /* one of @choices; bb_config_int() gives its index */
	BB_OPTION_ADDRESS,     /* a URI, see struct bb_address */
	BB_OPTION_LISTEN,      /* HOST:PORT or [V6]:PORT or :PORT, a bb_address without a scheme */
	BB_OPTION_FILE,        /* path of a readable file, relative to the config file */
	BB_OPTION_SECRET,      /* text; refused when the config file is readable by others */
	BB_OPTION_SECRET_FILE, /* path of a file that others cannot read */
	BB_OPTION_LIST,        /* a list of texts */
	BB_OPTION_SECTIONS,    /* sections of their own table: a list of mappings, or name: mapping or list */
};

/** One option. Static, in an array that ends with { 0 }. */
struct bb_option {
	const char *name; /* kebab case, as written in the config */
	enum bb_option_type type;
	const char *preset;               /* the default as it would be written, NULL for none */
	const char *help;                 /* one line: what it is, in which unit */
	int64_t min, max;                 /* INT, DURATION (ms), SIZE, DECIMAL (thousandths): range when min < max */
	const char *choices;              /* ENUM: the words, separated by one space; ADDRESS: the schemes allowed */
	const struct bb_option *sections; /* SECTIONS: their options, ends with { 0 } */
	bool required;
};

/** A parsed address. Texts are never NULL; "" where the address does not have that part. */
struct bb_address {
	const char *text;   /* as written */
	const char *scheme; /* "snmp", "modbus-tcp" …; "" for LISTEN */
	const char *host;   /* name or number, without the brackets of IPv6 */
	uint16_t port;      /* 0: not said */
	const char *path;   /* after the first slash, without it */
};

/**
 * Read @text as an ADDRESS, for options that hold several of them. @schemes: those allowed, separated by one space.
 * Returns 0; -EINVAL, with what is wrong in @ret_fault (@size bytes, cut to fit); or -ENOMEM. The address is one
 * allocation, for free(). Any thread.
 */
int bb_address_parse(const char *text, const char *schemes, struct bb_address **ret_address, char *ret_fault,
		     size_t size);

/** The checked options of one device or exporter. Borrowed; lives until close() or stop() has returned. */
struct bb_config;

/* Accessors. Any thread, since a bb_config never changes. */

/** Was the option written in the file (rather than defaulted)? */
bool bb_config_is_set(const struct bb_config *config, const char *option);

/** STRING, ENUM (its word), SECRET, FILE and SECRET_FILE (absolute path), or any other as written; NULL: no value. */
const char *bb_config_string(const struct bb_config *config, const char *option);

/** INT, BOOL, DURATION in ms, SIZE in bytes, DECIMAL in thousandths, ENUM as index. 0 when it has no value. */
int64_t bb_config_int(const struct bb_config *config, const char *option);

/** BOOL. False when it has no value. */
bool bb_config_bool(const struct bb_config *config, const char *option);

/** ADDRESS or LISTEN; NULL when it has no value. */
const struct bb_address *bb_config_address(const struct bb_config *config, const char *option);

/** LIST: the texts, ended by NULL; an empty list when it has no value. */
const char *const *bb_config_list(const struct bb_config *config, const char *option);

/**
 * SECTIONS: the checked options of each section in the order they were written, ended by NULL; an empty list when it
 * has no value. bb_config_name() of one is the key it stood under (`units: { 1: [ …, … ] }` gives two of the name "1"),
 * or its number in a plain list. They live as long as @config.
 */
const struct bb_config *const *bb_config_sections(const struct bb_config *config, const char *option);

/** Name of the device, exporter or section this is for. */
const char *bb_config_name(const struct bb_config *config);

/**
 * Refuse the value of @option: logs "file:line:column: option: what is wrong" and returns -EINVAL.
 * For a plugin's own check() and open(). @option NULL points at the section. Thread: the caller's of check or open.
 */
int bb_config_error(const struct bb_config *config, const char *option, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
