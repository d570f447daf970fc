/* SPDX-License-Identifier: Apache-2.0
 *
 * context.c - which subtrees there are in which contexts, see context.h.
 *
 * The list is compared with the registry whenever devices came or went. A subtree finds its device by name each time it
 * is asked, so it survives that its device is configured anew under the same name; only a name that has gone for good is
 * marked. The session takes it back from the master and then has it removed.
 */
#include "context.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <busbar/clock.h>

#include "device_tree.h"

/*
 * The spin lock of a device's tests is one, in however many contexts the device is seen. It stays when the device has
 * gone, because a SET that is under way may hold it, and a name that comes back goes on counting.
 */
struct named_lock {
	struct named_lock *next;
	struct spin_lock lock;
	char device[];
};

struct contexts {
	struct contexts_setup setup;
	struct context_entry **entries;
	size_t count, size;
	struct named_lock *locks;
	struct album album;
	bool default_is_missing; /* it has been said */
};

/* ---- the list ---- */

static int entry_compare(const struct context_entry *entry, const char *context, const struct oid *root)
{
	const int order = strcmp(entry->context, context);

	return order != 0 || !root ? order : oid_compare(&entry->subtree->root, root);
}

/* The first entry that does not come before @root in @context; @root NULL: before anything in it. */
static size_t lower_bound(const struct contexts *contexts, const char *context, const struct oid *root)
{
	size_t first = 0, end = contexts->count;

	while (first < end) {
		const size_t middle = first + (end - first) / 2;

		if (entry_compare(contexts->entries[middle], context, root) < 0)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

/* Takes @subtree, whatever comes of it. */
static int insert(struct contexts *contexts, const char *context, struct subtree *subtree)
{
	const size_t at = lower_bound(contexts, context, &subtree->root);
	struct context_entry *entry = calloc(1, sizeof(*entry));
	char *const name = strdup(context);

	if (contexts->count == contexts->size) {
		const size_t size = contexts->size ? contexts->size * 2 : 16;
		struct context_entry **const entries =
			realloc(contexts->entries, size * sizeof(struct context_entry *));

		if (entries) {
			contexts->entries = entries;
			contexts->size = size;
		}
	}
	if (!entry || !name || contexts->count == contexts->size) {
		subtree->ops->destroy(subtree);
		free(entry);
		free(name);
		return -ENOMEM;
	}
	*entry = (struct context_entry){.context = name, .subtree = subtree};
	memmove(contexts->entries + at + 1, contexts->entries + at,
		(contexts->count - at) * sizeof(struct context_entry *));
	contexts->entries[at] = entry;
	contexts->count++;
	return 0;
}

size_t contexts_count(const struct contexts *contexts)
{
	return contexts->count;
}

struct context_entry *contexts_at(struct contexts *contexts, size_t index)
{
	return contexts->entries[index];
}

void contexts_remove(struct contexts *contexts, size_t index)
{
	struct context_entry *const entry = contexts->entries[index];

	album_forget(&contexts->album, entry->subtree);
	entry->subtree->ops->destroy(entry->subtree);
	free(entry->context);
	free(entry);
	contexts->count--;
	memmove(contexts->entries + index, contexts->entries + index + 1,
		(contexts->count - index) * sizeof(struct context_entry *));
}

size_t contexts_range(const struct contexts *contexts, const char *context, size_t *ret_first)
{
	const size_t first = lower_bound(contexts, context, NULL);
	size_t end = first;

	while (end < contexts->count && strcmp(contexts->entries[end]->context, context) == 0)
		end++;
	*ret_first = first;
	return end - first;
}

bool contexts_has(const struct contexts *contexts, const char *context)
{
	size_t first;

	return contexts_range(contexts, context, &first) > 0;
}

struct subtree *contexts_find(struct contexts *contexts, const char *context, const struct oid *name)
{
	size_t first;
	const size_t count = contexts_range(contexts, context, &first);

	for (size_t i = 0; i < count; i++)
		if (oid_is_below(name, &contexts->entries[first + i]->subtree->root))
			return contexts->entries[first + i]->subtree;
	return NULL;
}

/* ---- what is being looked at ---- */

struct picture *contexts_look(struct contexts *contexts, struct subtree *subtree, uint32_t transaction,
			      const struct moment *moment)
{
	return album_look(&contexts->album, subtree, transaction, moment);
}

void contexts_tidy(struct contexts *contexts, int64_t now_ms)
{
	album_tidy(&contexts->album, now_ms);
}

void contexts_forget_transactions(struct contexts *contexts)
{
	album_forget(&contexts->album, NULL);
}

/* ---- devices ---- */

/* A TestAndIncr begins anywhere, so that a manager does not take a restarted agent for the one it knew (RFC 2579). */
static uint32_t random_start(void)
{
	uint32_t value;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0)
		value = (uint32_t)bb_clock_us(); /* any number will do */
	return value & INT32_MAX;
}

static struct spin_lock *lock_of(struct contexts *contexts, const char *device)
{
	const size_t size = strlen(device) + 1;
	struct named_lock *named = contexts->locks;

	while (named && strcmp(named->device, device) != 0)
		named = named->next;
	if (named)
		return &named->lock;
	named = malloc(sizeof(*named) + size);
	if (!named)
		return NULL;
	named->next = contexts->locks;
	named->lock = (struct spin_lock){random_start()};
	memcpy(named->device, device, size);
	contexts->locks = named;
	return &named->lock;
}

/* An entry of a device, that is, not the BUSBAR-MIB, which stays for as long as we do. */
static bool is_of_device(const struct contexts *contexts, const struct context_entry *entry)
{
	return oid_compare(&entry->subtree->root, contexts->setup.agent.base) != 0;
}

/* See that @device is in @context. Returns whether that is new, or a negative errno. */
static int ensure(struct contexts *contexts, const char *context, const char *device)
{
	struct spin_lock *const lock = lock_of(contexts, device);
	struct subtree *subtree;
	size_t first;
	const size_t count = contexts_range(contexts, context, &first);
	int r;

	for (size_t i = 0; i < count; i++) {
		struct context_entry *const entry = contexts->entries[first + i];
		const bool was_gone = entry->gone;

		if (is_of_device(contexts, entry)) {
			entry->gone = false;
			return was_gone;
		}
	}
	if (!lock)
		return -ENOMEM;
	r = device_tree_create(contexts->setup.registry, device, lock, &subtree);
	if (r >= 0)
		r = insert(contexts, context, subtree);
	return r < 0 ? r : 1;
}

static bool is_in(const struct bb_device_list *list, const char *device)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(bb_device_name(list->devices[i]), device) == 0)
			return true;
	return false;
}

static bool mark_gone(struct contexts *contexts, const struct bb_device_list *list)
{
	bool changed = false;

	for (size_t i = 0; i < contexts->count; i++) {
		struct context_entry *const entry = contexts->entries[i];
		const char *const device = *entry->context ? entry->context : contexts->setup.default_device;

		if (entry->gone || !is_of_device(contexts, entry) || is_in(list, device))
			continue;
		entry->gone = true;
		changed = true;
	}
	return changed;
}

static void say_default(struct contexts *contexts, bool missing)
{
	const char *const device = contexts->setup.default_device;

	if (missing && !contexts->default_is_missing)
		(void)bb_log_warning(contexts->setup.log, 0,
				     "there is no device '%s': the default context has no UPS until there is one",
				     device); /* the rest is served */
	contexts->default_is_missing = missing;
}

int contexts_update(struct contexts *contexts)
{
	const char *const default_device = contexts->setup.default_device;
	struct bb_device_list *const list = bb_registry_devices(contexts->setup.registry);
	int changed = mark_gone(contexts, list), r = 0;

	for (size_t i = 0; i < list->count && r >= 0; i++) {
		r = ensure(contexts, bb_device_name(list->devices[i]), bb_device_name(list->devices[i]));
		changed |= r > 0;
	}
	if (default_device && r >= 0) {
		const bool missing = !is_in(list, default_device);

		say_default(contexts, missing);
		if (!missing)
			r = ensure(contexts, "", default_device);
		changed |= r > 0;
	}
	bb_device_list_unref(list);
	return r < 0 ? r : changed;
}

/* ---- life ---- */

int contexts_create(const struct contexts_setup *setup, struct contexts **ret_contexts)
{
	struct contexts *contexts = calloc(1, sizeof(*contexts));
	struct subtree *subtree;
	int r = -ENOMEM;

	if (contexts) {
		contexts->setup = *setup;
		r = agent_tree_create(&setup->agent, &subtree);
	}
	if (r >= 0)
		r = insert(contexts, "", subtree);
	if (r < 0) {
		contexts_destroy(contexts);
		return r;
	}
	*ret_contexts = contexts;
	return 0;
}

void contexts_destroy(struct contexts *contexts)
{
	struct named_lock *next;

	if (!contexts)
		return;
	while (contexts->count > 0)
		contexts_remove(contexts, contexts->count - 1);
	for (struct named_lock *named = contexts->locks; named; named = next) {
		next = named->next;
		free(named);
	}
	free(contexts->entries);
	free(contexts);
}
