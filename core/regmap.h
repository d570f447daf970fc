/* SPDX-License-Identifier: Apache-2.0
 *
 * regmap.h - the core's side of register maps: where their files are, and how one is read and checked.
 *
 * busbarctl uses this too, without an agent: nothing in here logs, who calls says what becomes of a fault.
 */
#ifndef CORE_REGMAP_H
#define CORE_REGMAP_H

#include <busbar/regmap.h>

/** Somebody who wants to hear what is wrong with a file. @line is 0 where it is about the whole file. */
struct regmap_listener {
	void (*fault)(void *context, const char *file, unsigned line, const char *text);
	void *context;
};

/* ---- one file: regmap_file.c ---- */

#define REGMAP_VARIANTS_MAX 8
#define REGMAP_REPEATS_MAX  16

/** `# repeat:` or `# copy:` of the head of a file: rows that stand for several registers. */
struct regmap_repeat {
	unsigned first, last; /* addresses of the rows it is about */
	unsigned to;          /* the first register they make; a repeat begins with the row itself */
	unsigned times, every;
	unsigned number; /* what <n> is in the first of them */
	char *prefix;    /* of a copy: what comes before each point, with <n>; NULL: a repeat */
};

/** What the lines before the rows say. Texts are owned. */
struct regmap_head {
	char *id, *vendor, *models;
	int oem;
	bool low_word_first;
	bool absent_said; /* `# absent:` stands there, so it is about all signed rows */
	bool minus_1_is_absent, minus_9999_is_absent;
	size_t variant_count;
	struct {
		char *id, *model;
	} variants[REGMAP_VARIANTS_MAX];
	size_t repeat_count;
	struct regmap_repeat repeats[REGMAP_REPEATS_MAX];
};

/** Read the head of @path only. Returns 0, -EINVAL (the listener knows why), or the error of the file. */
int regmap_head_read(const char *path, const struct regmap_listener *listener, struct regmap_head *ret_head);
void regmap_head_finish(struct regmap_head *head);

/**
 * Read and check the map @id of @path (NULL: the one the file is named after), every fault of it goes to @listener.
 * Returns 0, -EINVAL (the listener knows why), the error of the file, or -ENOMEM. Free it with regmap_free().
 */
int regmap_load(const char *path, const char *id, const struct regmap_listener *listener, struct bb_regmap **ret_map);
void regmap_free(struct bb_regmap *map);

/* ---- all files: regmap.c ---- */

/**
 * Look into @directories (ended by NULL), the maps of a later one replace those of the same id of an earlier one. A
 * folder that is not there is empty. Only heads are read, but files of folders after the first, which are the user's,
 * are checked whole. Faults of files loaded later go to @listener too. Returns 0 or -ENOMEM.
 */
int regmap_open(const char *const *directories, const struct regmap_listener *listener);
void regmap_close(void);

/** The folder of the maps that come with busbar: ../share/busbar/maps beside the binary, or the installation's. */
int regmap_default_directory(char *buffer, size_t size);

/** Spelling of a type, as files and busbarctl have it: u16, s16, bit, string. Two words of u16 are a 32-bit number. */
const char *regmap_type_name(enum bb_register_type type);

/** Function codes of a register as text, such as "3/4" or "1/5". */
void regmap_print_functions(const struct bb_register *entry, char buffer[16]);

#endif
