/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_context.c - which subtrees are in which contexts, and Get, GetNext and GetBulk over them.
 *
 * Devices are names in a list of the test's own. A device's subtree has the instances ROOT.1, ROOT.2 … ROOT.9 whose value
 * is the number of the reading, and the BUSBAR-MIB has one, ROOT.1.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/macros.h>

#include "context.h"
#include "device_tree.h"

struct bb_device_list *__wrap_bb_registry_devices(struct bb_registry *registry);
void __wrap_bb_device_list_unref(struct bb_device_list *list);
const char *__wrap_bb_device_name(const struct bb_device *device);
int __wrap_device_tree_create(struct bb_registry *registry, const char *device, struct spin_lock *lock,
			      struct subtree **ret_subtree);
int __wrap_agent_tree_create(const struct agent_tree_setup *setup, struct subtree **ret_subtree);

static const struct oid base = {7, {1, 3, 6, 1, 4, 1, 99}}, ups = {7, {1, 3, 6, 1, 2, 1, 33}};

/* The world: names of devices, what they measure, and what is alive. */
static const char *devices[8];
static unsigned reading;
static int subtrees, pictures;
static struct spin_lock *locks[16];
static size_t lock_count;

/* ---- a small tree ---- */

struct small_tree {
	struct subtree subtree;
	uint32_t last; /* instances 1 to this */
};

struct small_picture {
	struct picture picture;
	struct oid root;
	uint32_t last;
	unsigned reading;
};

static void put(const struct small_picture *picture, uint32_t instance, struct codec_buffer *answer)
{
	struct oid name = picture->root;

	cr_assert_eq(oid_append(&name, &instance, 1), 0);
	codec_put_syntax(answer, CODEC_INTEGER);
	codec_put_oid(answer, &name, false);
	codec_put_u32(answer, picture->reading);
}

static void small_get(const struct picture *picture, const struct moment *moment, const struct oid *name,
		      struct codec_buffer *answer)
{
	const struct small_picture *small = (const struct small_picture *)picture;
	const uint32_t instance = name->length == small->root.length + 1 ? name->arcs[name->length - 1] : 0;

	(void)moment;
	if (instance >= 1 && instance <= small->last) {
		put(small, instance, answer);
		return;
	}
	codec_put_syntax(answer, CODEC_NO_SUCH_INSTANCE);
	codec_put_oid(answer, name, false);
}

static bool small_next(const struct picture *picture, const struct moment *moment, const struct codec_range *range,
		       struct codec_buffer *answer, struct oid *ret_name)
{
	const struct small_picture *small = (const struct small_picture *)picture;

	(void)moment;
	for (uint32_t instance = 1; instance <= small->last; instance++) {
		struct oid name = small->root;
		int order;

		cr_assert_eq(oid_append(&name, &instance, 1), 0);
		order = oid_compare(&name, &range->start);
		if (order < 0 || (order == 0 && !range->include))
			continue;
		if (range->end.length > 0 && oid_compare(&name, &range->end) >= 0)
			return false;
		put(small, instance, answer);
		*ret_name = name;
		return true;
	}
	return false;
}

static void small_picture_destroy(struct picture *picture)
{
	pictures--;
	free(picture);
}

static struct picture *small_picture(struct subtree *subtree, const struct moment *moment)
{
	static const struct picture_ops ops = {small_get, small_next, small_picture_destroy};
	struct small_picture *small = calloc(1, sizeof(*small));

	(void)moment;
	pictures++;
	*small = (struct small_picture){{&ops, 1}, subtree->root, ((struct small_tree *)subtree)->last, reading};
	return &small->picture;
}

static void small_destroy(struct subtree *subtree)
{
	subtrees--;
	free(subtree);
}

static int small_create(const struct oid *root, uint32_t last, struct subtree **ret_subtree)
{
	static const struct subtree_ops ops = {.picture = small_picture, .destroy = small_destroy};
	struct small_tree *tree = calloc(1, sizeof(*tree));

	subtrees++;
	*tree = (struct small_tree){{&ops, *root}, last};
	*ret_subtree = &tree->subtree;
	return 0;
}

int __wrap_device_tree_create(struct bb_registry *registry, const char *device, struct spin_lock *lock,
			      struct subtree **ret_subtree)
{
	(void)registry;
	(void)device;
	locks[lock_count++] = lock;
	return small_create(&ups, 9, ret_subtree);
}

int __wrap_agent_tree_create(const struct agent_tree_setup *setup, struct subtree **ret_subtree)
{
	return small_create(setup->base, 1, ret_subtree);
}

/* ---- a registry ---- */

struct bb_device_list *__wrap_bb_registry_devices(struct bb_registry *registry)
{
	struct bb_device_list *list = calloc(1, sizeof(*list) + sizeof(devices));

	(void)registry;
	while (devices[list->count]) {
		list->devices[list->count] = (struct bb_device *)(uintptr_t)devices[list->count];
		list->count++;
	}
	return list;
}

void __wrap_bb_device_list_unref(struct bb_device_list *list)
{
	free(list);
}

const char *__wrap_bb_device_name(const struct bb_device *device)
{
	return (const char *)device;
}

/* ---- contexts of the test ---- */

static struct contexts *contexts;
static struct codec_buffer request, answer;
static struct moment now = {.now_ms = 100000, .master_ms = 50000};

static void set_up(void)
{
	static const struct contexts_setup setup = {.default_device = "ups-a", .agent = {.base = &base}};

	devices[0] = "ups-a";
	devices[1] = "ups-b";
	cr_assert_eq(contexts_create(&setup, &contexts), 0);
	cr_assert_eq(contexts_update(contexts), 1);
}

static void tear_down(void)
{
	contexts_destroy(contexts);
	codec_buffer_free(&request);
	codec_buffer_free(&answer);
	cr_assert_eq(subtrees, 0, "%d subtrees are left", subtrees);
	cr_assert_eq(pictures, 0, "%d pictures are left", pictures);
}

TestSuite(agentx_context, .init = set_up, .fini = tear_down);

/* "ups-a:33 ups-b:33!" - context and last number of what is there; "!" marks what has gone. */
static const char *listed(void)
{
	static char text[512];
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < contexts_count(contexts); i++) {
		const struct context_entry *entry = contexts_at(contexts, i);

		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s:%u%s", i > 0 ? " " : "",
					   entry->context, entry->subtree->root.arcs[6], entry->gone ? "!" : "");
	}
	return text;
}

Test(agentx_context, each_device_has_a_context_and_the_default_one_has_the_busbar_mib_too)
{
	cr_assert_str_eq(listed(), ":33 :99 ups-a:33 ups-b:33");
	cr_assert_eq(contexts_update(contexts), 0, "nothing has changed since");
	cr_assert(contexts_has(contexts, "") && contexts_has(contexts, "ups-b"));
	cr_assert_not(contexts_has(contexts, "ups-c"));
}

Test(agentx_context, the_contexts_of_a_device_share_its_spin_lock)
{
	cr_assert_eq(lock_count, 3);
	cr_assert(locks[0] != locks[1], "ups-a's and ups-b's");
	cr_assert_eq(locks[0], locks[2], "ups-a's in the default context");
	cr_assert_leq(locks[0]->value, INT32_MAX);
}

Test(agentx_context, what_has_gone_stays_until_it_is_removed)
{
	devices[0] = "ups-b";
	devices[1] = "ups-c";
	cr_assert_eq(contexts_update(contexts), 1);
	cr_assert_str_eq(listed(), ":33! :99 ups-a:33! ups-b:33 ups-c:33");
	cr_assert_eq(contexts_update(contexts), 0);
	contexts_remove(contexts, 0);
	contexts_remove(contexts, 1);
	cr_assert_str_eq(listed(), ":99 ups-b:33 ups-c:33");
}

Test(agentx_context, what_comes_back_before_it_is_removed_has_never_gone)
{
	devices[0] = "ups-b";
	devices[1] = NULL;
	cr_assert_eq(contexts_update(contexts), 1);
	devices[0] = "ups-a";
	devices[1] = "ups-b";
	cr_assert_eq(contexts_update(contexts), 1);
	cr_assert_str_eq(listed(), ":33 :99 ups-a:33 ups-b:33");
	cr_assert_eq(lock_count, 3, "no subtree was made anew");
}

Test(agentx_context, a_name_belongs_to_the_subtree_above_it)
{
	const struct oid name = {9, {1, 3, 6, 1, 2, 1, 33, 1, 1}}, other = {7, {1, 3, 6, 1, 2, 1, 34}};

	cr_assert_eq(contexts_find(contexts, "ups-b", &name), contexts_at(contexts, 3)->subtree);
	cr_assert_eq(contexts_find(contexts, "", &base), contexts_at(contexts, 1)->subtree);
	cr_assert_null(contexts_find(contexts, "ups-b", &base));
	cr_assert_null(contexts_find(contexts, "ups-b", &other));
	cr_assert_null(contexts_find(contexts, "ups-c", &name));
}

/* ---- requests ---- */

static struct codec_reader answer_reader;
static struct codec_response response;

static void put_range(const char *start, bool include, const char *end)
{
	struct oid oid = {0};

	cr_assert_eq(oid_parse(start, &oid), 0);
	codec_put_oid(&request, &oid, include);
	oid = (struct oid){0};
	if (*end)
		cr_assert_eq(oid_parse(end, &oid), 0);
	codec_put_oid(&request, &oid, false);
}

/* Ask with what is in @request; answer_reader then stands before the first variable. */
static void ask(enum codec_type type, const char *context, uint32_t transaction)
{
	const struct codec_header header = {type, 0, 7, transaction, 9, 0};
	struct codec_reader reader = {request.bytes, request.bytes + request.length, false};
	struct codec_header back;
	struct codec_octets none;

	answer.length = 0;
	cr_assert_eq(contexts_answer(contexts, &now, &header, context, &reader, &answer), 0);
	request.length = 0;
	cr_assert_eq(codec_header_parse(answer.bytes, &back), 0);
	cr_assert(back.type == CODEC_RESPONSE && back.session == 7 && back.transaction == transaction &&
		  back.packet == 9);
	cr_assert_eq(back.length, answer.length - CODEC_HEADER_SIZE);
	cr_assert_eq(codec_reader_init(&answer_reader, &back, answer.bytes + CODEC_HEADER_SIZE, &none), 0);
	cr_assert_eq(codec_read_response(&answer_reader, &response), 0);
}

/* The variables of the answer: "1.2=0 1.3#130", a value behind =, the exception behind #. */
static const char *variables(void)
{
	static char text[4096];
	size_t length = 0;

	text[0] = '\0';
	while (!codec_at_end(&answer_reader)) {
		struct codec_varbind varbind;
		char name[OID_TEXT_SIZE];

		cr_assert_eq(codec_read_varbind(&answer_reader, &varbind), 0);
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s%s%u", length > 0 ? " " : "",
					   oid_print(&varbind.name, name), varbind.type == CODEC_INTEGER ? "=" : "#",
					   varbind.type == CODEC_INTEGER ? varbind.number : varbind.type);
	}
	return text;
}

Test(agentx_context, get_tells_missing_objects_from_missing_instances)
{
	put_range("1.3.6.1.2.1.33.2", true, "");
	put_range("1.3.6.1.2.1.33.10", true, "");
	put_range("1.3.6.1.2.1.34.1", true, "");
	ask(CODEC_GET, "ups-b", 1);
	cr_assert_eq(response.error, CODEC_NO_ERROR);
	cr_assert_eq(response.uptime, 5000);
	cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.2=0 1.3.6.1.2.1.33.10#129 1.3.6.1.2.1.34.1#128");
}

Test(agentx_context, get_next_heeds_both_ends_of_the_range)
{
	put_range("1.3.6.1.2.1.33.2", false, "1.3.6.1.2.1.34");
	put_range("1.3.6.1.2.1.33.2", true, "1.3.6.1.2.1.34");
	put_range("1.3.6.1.2.1.33.2", false, "1.3.6.1.2.1.33.3");
	put_range("1.3.6.1.2.1.33.9", false, "1.3.6.1.2.1.34");
	ask(CODEC_GET_NEXT, "ups-b", 1);
	cr_assert_str_eq(variables(),
			 "1.3.6.1.2.1.33.3=0 1.3.6.1.2.1.33.2=0 1.3.6.1.2.1.33.2#130 1.3.6.1.2.1.33.9#130");
}

Test(agentx_context, get_next_goes_on_from_one_subtree_to_the_next)
{
	put_range("1.3", false, "");
	put_range("1.3.6.1.2.1.33.9", false, "");
	put_range("1.3.6.1.2.1.33.9", false, "1.3.6.1.4.1.99");
	put_range("1.3.6.1.4.1.99.1", false, "");
	ask(CODEC_GET_NEXT, "", 1);
	cr_assert_str_eq(variables(),
			 "1.3.6.1.2.1.33.1=0 1.3.6.1.4.1.99.1=0 1.3.6.1.2.1.33.9#130 1.3.6.1.4.1.99.1#130");
}

Test(agentx_context, get_bulk_repeats_the_last_ones)
{
	codec_put_u16(&request, 1);
	codec_put_u16(&request, 3);
	put_range("1.3.6.1.2.1.33.5", false, "");
	put_range("1.3.6.1.2.1.33", false, "");
	put_range("1.3.6.1.2.1.33.8", true, "1.3.6.1.2.1.34");
	ask(CODEC_GET_BULK, "ups-a", 1);
	cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.6=0 1.3.6.1.2.1.33.1=0 1.3.6.1.2.1.33.8=0 1.3.6.1.2.1.33.2=0 "
				      "1.3.6.1.2.1.33.9=0 1.3.6.1.2.1.33.3=0 1.3.6.1.2.1.33.9#130");
}

Test(agentx_context, get_bulk_stops_when_nothing_is_left)
{
	codec_put_u16(&request, 0);
	codec_put_u16(&request, 65535);
	put_range("1.3.6.1.2.1.33.8", false, "");
	ask(CODEC_GET_BULK, "ups-a", 1);
	cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.9=0 1.3.6.1.2.1.33.9#130");
}

Test(agentx_context, get_bulk_stops_when_the_master_would_not_take_more)
{
	codec_put_u16(&request, 0);
	codec_put_u16(&request, 65535);
	for (int i = 0; i < 1000; i++)
		put_range("1.3.6.1.2.1.33", false, "");
	ask(CODEC_GET_BULK, "ups-a", 1);
	cr_assert_eq(response.error, CODEC_NO_ERROR);
	cr_assert_leq(answer.length, CODEC_MESSAGE_MAX);
	cr_assert_gt(answer.length, CODEC_MESSAGE_MAX / 3, "there was room for more");
}

Test(agentx_context, an_answer_that_the_master_would_not_take_is_an_error)
{
	for (int i = 0; i < 5000; i++)
		put_range("1.3.6.1.2.1.33", false, "");
	ask(CODEC_GET_NEXT, "ups-a", 1);
	cr_assert_eq(response.error, CODEC_GEN_ERR);
	cr_assert(codec_at_end(&answer_reader));
}

Test(agentx_context, a_transaction_sees_one_reading_whatever_others_do)
{
	put_range("1.3.6.1.2.1.33.1", true, "");
	ask(CODEC_GET, "ups-a", 1);
	reading = 1;
	put_range("1.3.6.1.2.1.33.1", true, "");
	ask(CODEC_GET, "ups-a", 2);
	cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.1=1", "another transaction");
	put_range("1.3.6.1.2.1.33.1", false, "");
	ask(CODEC_GET_NEXT, "ups-a", 1);
	cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.2=0");
	put_range("1.3.6.1.2.1.33.1", false, "");
	ask(CODEC_GET_NEXT, "ups-b", 1);
	cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.2=1", "it has not looked at ups-b before");
	contexts_forget_transactions(contexts);
	put_range("1.3.6.1.2.1.33.1", true, "");
	ask(CODEC_GET, "ups-a", 1);
	cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.1=1", "a new session has the same numbers for others");
}

Test(agentx_context, pictures_are_kept_for_a_while_and_not_without_limit)
{
	for (uint32_t transaction = 1; transaction <= 3 * ALBUM_PAGES; transaction++) {
		reading = transaction;
		put_range("1.3.6.1.2.1.33.1", true, "");
		ask(CODEC_GET, "ups-a", transaction);
		put_range("1.3.6.1.2.1.33.1", true, "");
		ask(CODEC_GET, "ups-a", 1);
		cr_assert_str_eq(variables(), "1.3.6.1.2.1.33.1=1", "what is used stays");
		cr_assert_leq(pictures, ALBUM_PAGES);
		now.now_ms++;
	}
	now.now_ms += ALBUM_AGE_MS + 1;
	put_range("1.3.6.1.2.1.33.1", true, "");
	ask(CODEC_GET, "ups-a", 1);
	cr_assert_eq(pictures, 1, "the others were too old");
	contexts_tidy(contexts, now.now_ms + ALBUM_AGE_MS);
	cr_assert_eq(pictures, 1);
	contexts_tidy(contexts, now.now_ms + ALBUM_AGE_MS + 1);
	cr_assert_eq(pictures, 0, "nobody has to ask for that");
}

Test(agentx_context, a_number_that_is_used_for_ever_does_not_keep_old_values)
{
	for (uint32_t second = 0; second <= 60; second++) {
		now.now_ms += 1000;
		reading = second;
		put_range("1.3.6.1.2.1.33.1", true, "");
		ask(CODEC_GET, "ups-a", 1);
		cr_assert_geq(atoi(strchr(variables(), '=') + 1) * 1000 + ALBUM_AGE_MS, (int)second * 1000);
	}
}

Test(agentx_context, a_removed_subtree_takes_its_pictures_along)
{
	put_range("1.3.6.1.2.1.33.1", true, "");
	ask(CODEC_GET, "ups-b", 1);
	devices[1] = NULL;
	cr_assert_eq(contexts_update(contexts), 1);
	contexts_remove(contexts, 3);
	cr_assert_eq(pictures, 0);
}

Test(agentx_context, requests_that_make_no_sense_get_errors)
{
	put_range("1.3.6.1.2.1.33.1", true, "");
	ask(CODEC_GET, "ups-c", 1);
	cr_assert_eq(response.error, CODEC_UNSUPPORTED_CONTEXT);
	put_range("1.3.6.1.2.1.33.1", true, "");
	codec_put_u32(&request, 5); /* half a range */
	ask(CODEC_GET_NEXT, "ups-a", 1);
	cr_assert_eq(response.error, CODEC_PARSE_ERROR);
	cr_assert_eq(response.index, 2);
	cr_assert(codec_at_end(&answer_reader), "what was found before is not told");
	codec_put_u16(&request, 1);
	ask(CODEC_GET_BULK, "ups-a", 1);
	cr_assert_eq(response.error, CODEC_PARSE_ERROR);
}
