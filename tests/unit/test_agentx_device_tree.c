/* SPDX-License-Identifier: Apache-2.0
 *
 * test_agentx_device_tree.c - the UPS-MIB of a device: when its picture is made anew, and what may be written to it.
 */
#include "agentx_support.h"
#include "fake_device.h"

#include "device_tree.h"

#include <busbar/macros.h>

static struct bb_registry *registry;
static struct bb_device *device;
static struct spin_lock lock;
static struct subtree *tree;

static const struct bb_point_spec specs[] = {
	{.name = "battery.charge"},
	{.name = "ups.id", .writable = true},
	{.name = "ups.attached"},
	{.name = "ups.test.id", .writable = true},
	{.name = "ups.timer.shutdown", .writable = true},
	{.name = "ups.beeper.status", .writable = true},
};

static int tree_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	(void)config;
	*(struct bb_device **)state = bb_builder_device(builder);
	return bb_builder_add_points(builder, specs, BB_LENGTH(specs));
}

static int tree_poll(void *state, struct bb_reading *reading)
{
	(void)state;
	script.polls++;
	return bb_reading_set(reading, 0, 970);
}

static const struct bb_plugin tree_plugin = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "tree",
	.state_size = sizeof(struct bb_device *),
	.device = {.open = tree_open, .poll = tree_poll, .close = fake_close},
};

static void add_device(void)
{
	static const char *const options[] = {"interval=1s", "stale-after=10s", NULL};
	struct configuration_section section;

	cr_assert_eq(configuration_make_device(&tree_plugin, "ups-a", options, &section), 0);
	cr_assert_eq(device_create(registry, &tree_plugin, section.config, &device), 0);
	cr_assert_eq(device_open(device, NULL), 0);
	cr_assert_eq(registry_add(registry, device), 0);
}

static void remove_device(void)
{
	registry_remove(registry, device);
	fake_free(device);
}

static void start(void)
{
	script = (struct fake_script){0};
	lock.value = 17;
	cr_assert_eq(registry_create(NULL, &registry), 0);
	add_device();
	cr_assert_eq(device_tree_create(registry, "ups-a", &lock, &tree), 0);
}

static void stop(void)
{
	tree->ops->destroy(tree);
	remove_device();
	registry_destroy(registry);
}

TestSuite(agentx_device_tree, .init = start, .fini = stop);

static struct moment moment_now(void)
{
	return (struct moment){.now_ms = bb_clock_ms(), .lead_ms = bb_clock_wall_ms() - bb_clock_ms()};
}

static struct picture *look(void)
{
	const struct moment moment = moment_now();
	struct picture *picture = tree->ops->picture(tree, &moment);

	cr_assert_not_null(picture);
	return picture;
}

static uint16_t type_of(const struct picture *picture, const char *name)
{
	const struct moment moment = moment_now();
	const struct oid oid = support_oid(name);
	struct codec_buffer buffer = {0};
	struct codec_varbind varbind;

	picture->ops->get(picture, &moment, &oid, &buffer);
	cr_assert_eq(support_parse(&buffer, &varbind, 1), 1);
	codec_buffer_free(&buffer);
	return varbind.type;
}

#define CHARGE "1.3.6.1.2.1.33.1.2.4.0"

Test(agentx_device_tree, is_registered_as_the_ups_mib)
{
	const struct oid root = support_oid("1.3.6.1.2.1.33");

	cr_expect_eq(oid_compare(&tree->root, &root), 0);
}

Test(agentx_device_tree, a_picture_is_kept_until_a_poll_makes_it_old)
{
	struct picture *first, *again, *later;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	first = look();
	again = look();
	cr_expect_eq(first, again);
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	later = look();
	cr_expect_neq(first, later);
	cr_expect_eq(type_of(first, CHARGE), CODEC_INTEGER, "who holds on to it still sees it");
	cr_expect_eq(type_of(later, CHARGE), CODEC_INTEGER);
	picture_unref(first);
	picture_unref(again);
	picture_unref(later);
}

Test(agentx_device_tree, time_alone_makes_a_picture_old_when_values_get_stale)
{
	struct moment moment = moment_now();
	struct picture *fresh, *stale;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	fresh = tree->ops->picture(tree, &moment);
	moment.now_ms += 60000;
	stale = tree->ops->picture(tree, &moment);
	cr_expect_eq(type_of(fresh, CHARGE), CODEC_INTEGER);
	cr_expect_eq(type_of(stale, CHARGE), CODEC_NO_SUCH_INSTANCE);
	picture_unref(fresh);
	picture_unref(stale);
}

Test(agentx_device_tree, another_value_of_the_spin_lock_makes_a_picture_old)
{
	struct picture *before, *after;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	before = look();
	lock.value++;
	after = look();
	cr_expect_neq(before, after);
	picture_unref(before);
	picture_unref(after);
}

Test(agentx_device_tree, a_device_that_goes_leaves_nothing_and_shows_again_when_it_is_back)
{
	struct picture *picture;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	picture_unref(look());
	remove_device();
	picture = look();
	cr_expect_eq(type_of(picture, CHARGE), CODEC_NO_SUCH_INSTANCE);
	cr_expect_eq(type_of(picture, "1.3.6.1.2.1.33.1.6.1.0"), CODEC_NO_SUCH_INSTANCE);
	picture_unref(picture);
	add_device();
	picture = look();
	cr_expect_eq(type_of(picture, CHARGE), CODEC_NO_SUCH_INSTANCE, "it has not answered yet");
	cr_expect_eq(type_of(picture, "1.3.6.1.2.1.33.1.6.1.0"), CODEC_GAUGE32);
	picture_unref(picture);
	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	picture = look();
	cr_expect_eq(type_of(picture, CHARGE), CODEC_INTEGER);
	picture_unref(picture);
}

/* ---- SETs ---- */

static enum codec_error set_number(const char *name, uint16_t type, int64_t number, struct set_target *target)
{
	struct codec_varbind varbind = {.type = type, .name = support_oid(name), .number = (uint32_t)number};

	if (type == CODEC_OCTET_STRING)
		varbind.octets = (struct codec_octets){(const uint8_t *)"rack 7", 6};
	else if (type == CODEC_OBJECT_IDENTIFIER)
		varbind.oid = support_oid("1.3.6.1.2.1.33.1.7.7.4");
	return tree->ops->test(tree, &varbind, target);
}

Test(agentx_device_tree, what_can_be_written_names_the_device_the_point_and_the_value)
{
	struct set_target target = {0};

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_assert_eq(set_number("1.3.6.1.2.1.33.1.1.5.0", CODEC_OCTET_STRING, 0, &target), CODEC_NO_ERROR);
	cr_expect(target.device == device && !target.lock && !target.needs_lock);
	cr_expect_str_eq(target.point, "ups.id");
	cr_expect_str_eq(target.text, "rack 7");
	bb_device_unref(target.device);

	cr_assert_eq(set_number("1.3.6.1.2.1.33.1.8.2.0", CODEC_INTEGER, 120, &target), CODEC_NO_ERROR);
	cr_expect_str_eq(target.point, "ups.timer.shutdown");
	cr_expect_eq(target.value.number, 120);
	bb_device_unref(target.device);
}

Test(agentx_device_tree, a_test_needs_the_spin_lock_and_the_spin_lock_no_device)
{
	struct set_target target = {0};

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	cr_assert_eq(set_number("1.3.6.1.2.1.33.1.7.1.0", CODEC_OBJECT_IDENTIFIER, 0, &target), CODEC_NO_ERROR);
	cr_expect(target.needs_lock && target.device == device && target.value.number == 4);
	bb_device_unref(target.device);

	cr_assert_eq(set_number("1.3.6.1.2.1.33.1.7.2.0", CODEC_INTEGER, 17, &target), CODEC_NO_ERROR);
	cr_expect(target.lock == &lock && !target.device && target.value.number == 17);
}

Test(agentx_device_tree, what_cannot_be_written_is_refused_for_the_right_reason)
{
	static const struct {
		const char *name;
		uint16_t type;
		int64_t number;
		enum codec_error error;
	} cases[] = {
		{"1.3.6.1.2.1.33.1.2.4.0", CODEC_INTEGER, 1, CODEC_NOT_WRITABLE},      /* read-only in the MIB */
		{"1.3.6.1.2.1.33.1.1.6.0", CODEC_OCTET_STRING, 0, CODEC_NOT_WRITABLE}, /* the device does not take it */
		{"1.3.6.1.2.1.33.1.9.1.0", CODEC_INTEGER, 230, CODEC_NO_CREATION}, /* the device has no such point */
		{"1.3.6.1.2.1.33.1.9.1.0", CODEC_OCTET_STRING, 0, CODEC_WRONG_TYPE},
		{"1.3.6.1.2.1.33.1.8.2.1", CODEC_INTEGER, 1, CODEC_NO_CREATION},
		{"1.3.6.1.2.1.33.1.8.2", CODEC_INTEGER, 1, CODEC_NO_CREATION},
		{"1.3.6.1.2.1.33.1.8.2.0", CODEC_OCTET_STRING, 0, CODEC_WRONG_TYPE},
		{"1.3.6.1.2.1.33.1.8.2.0", CODEC_INTEGER, -2, CODEC_WRONG_VALUE},
		{"1.3.6.1.2.1.33.1.9.8.0", CODEC_INTEGER, 4, CODEC_WRONG_VALUE},
		{"1.3.6.1.2.1.33.1.8.6.0", CODEC_INTEGER, 1, CODEC_NOT_WRITABLE}, /* internal, so none of ours */
		{"1.3.6.1.2.1.33.4.1.0", CODEC_INTEGER, 1, CODEC_NOT_WRITABLE},
		{"1.3.6.1.2.1.33.1.7.2.0", CODEC_INTEGER, -1, CODEC_WRONG_VALUE},
	};
	struct set_target target = {.value.number = 4711};

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	for (size_t i = 0; i < BB_LENGTH(cases); i++) {
		const enum codec_error error = set_number(cases[i].name, cases[i].type, cases[i].number, &target);

		cr_expect_eq(error, cases[i].error, "%s: %s", cases[i].name, codec_error_name(error));
	}
	cr_expect(target.value.number == 4711 && !target.device && !target.lock, "nothing was written");
}

Test(agentx_device_tree, nothing_can_be_written_before_the_first_answer)
{
	struct set_target target = {0};

	cr_expect_eq(set_number("1.3.6.1.2.1.33.1.8.2.0", CODEC_INTEGER, 1, &target), CODEC_NO_CREATION);
}

/* ---- notifications ---- */

Test(agentx_device_tree, a_notification_gets_the_value_or_an_empty_one_of_the_same_syntax)
{
	static const char *const names[] = {CHARGE, "1.3.6.1.2.1.33.1.2.3.0", "1.3.6.1.2.1.33.1.7.4.0",
					    "1.3.6.1.2.1.33.1.7.1.0"};
	const struct moment moment = moment_now();
	struct codec_varbind varbinds[BB_LENGTH(names)];
	struct codec_buffer buffer = {0};
	struct picture *picture;

	cr_assert_eq(device_poll(device, BB_GROUP_REST), 0);
	picture = look();
	for (size_t i = 0; i < BB_LENGTH(names); i++) {
		const struct oid name = support_oid(names[i]);

		device_tree_put_or_empty(i == 2 ? NULL : picture, &moment, &name, &buffer);
	}
	cr_assert_eq(support_parse(&buffer, varbinds, BB_LENGTH(names)), BB_LENGTH(names));
	cr_expect(varbinds[0].type == CODEC_INTEGER && varbinds[0].number == 97);
	cr_expect(varbinds[1].type == CODEC_INTEGER && varbinds[1].number == 0);
	cr_expect(varbinds[2].type == CODEC_OCTET_STRING && varbinds[2].octets.length == 0);
	cr_expect(varbinds[3].type == CODEC_OBJECT_IDENTIFIER && varbinds[3].oid.length == 2);
	codec_buffer_free(&buffer);
	picture_unref(picture);
}
