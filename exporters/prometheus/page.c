/* SPDX-License-Identifier: Apache-2.0
 *
 * page.c - writes pages, see page.h.
 *
 * page_prepare() points every source of the plan (values and qualities of a device) at the readings of this page and
 * lays the rest of the facts out in the same shape, so that the loop over a hundred thousand series knows one kind of
 * value only: copy the prepared text, print an integer. A series whose value is not good is left out, and a family
 * without series is taken back.
 */
#include "page.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>

#include "number.h"
#include "plan.h"

/* Where the values of an enum plan_source of one device are at this moment; values NULL: nowhere. */
struct source {
	const int64_t *values;
	const uint8_t *qualities;
};

/* What the agent knows of a device, as if it were a reading. */
struct own {
	int64_t values[PLAN_OWN_COUNT];
	uint8_t qualities[PLAN_OWN_COUNT];
};

/* The line of busbar_device_info, made again when one of its texts changes. */
struct info {
	char *line; /* NULL: the device never answered */
	size_t length;
	char *texts; /* the texts it was made from, each with its NUL */
};

struct page {
	struct plan *plan;
	struct source *sources; /* PLAN_SOURCES for each device and for the agent */
	struct own *own;
	struct info *infos;
	int64_t *alarms;   /* 0 or 1, of all devices in a row */
	uint8_t *all_good; /* qualities for alarms */
};

int page_create(struct page **ret_page)
{
	struct page *page = calloc(1, sizeof(*page));

	if (!page)
		return -ENOMEM;
	*ret_page = page;
	return 0;
}

static void forget_plan(struct page *page)
{
	for (size_t i = 0; page->plan && page->infos && i < page->plan->device_count; i++) {
		free(page->infos[i].line);
		free(page->infos[i].texts);
	}
	plan_destroy(page->plan);
	free(page->sources);
	free(page->own);
	free(page->infos);
	free(page->alarms);
	free(page->all_good);
	*page = (struct page){0};
}

void page_destroy(struct page *page)
{
	if (page)
		forget_plan(page);
	free(page);
}

static int make_plan(struct page *page, const struct facts *facts)
{
	const size_t count = facts->device_count + 1;
	struct plan *plan;
	size_t most = 0;
	int r;

	forget_plan(page);
	r = plan_create(facts, &plan);
	if (r < 0)
		return r;
	page->plan = plan;

	const size_t alarms = plan->devices[count - 1].first_alarm + plan->devices[count - 1].alarms;

	for (size_t i = 0; i < count; i++)
		most = plan->devices[i].alarms > most ? plan->devices[i].alarms : most;
	page->sources = calloc(count * PLAN_SOURCES, sizeof(*page->sources));
	page->own = calloc(count, sizeof(*page->own));
	page->infos = calloc(count, sizeof(*page->infos));
	page->alarms = calloc(alarms + 1, sizeof(*page->alarms));
	page->all_good = malloc(most + 1);
	if (!page->sources || !page->own || !page->infos || !page->alarms || !page->all_good) {
		forget_plan(page);
		return -ENOMEM;
	}
	memset(page->all_good, BB_QUALITY_GOOD, most + 1);
	return 0;
}

static void set_own(struct own *own, enum plan_own which, bool known, int64_t value)
{
	own->values[which] = value;
	own->qualities[which] = known ? BB_QUALITY_GOOD : BB_QUALITY_UNKNOWN;
}

static void point_at_alarms(struct page *page, size_t device, const struct bb_alarm_set *set)
{
	int64_t *values = page->alarms + page->plan->devices[device].first_alarm;

	for (size_t i = 0; set && i < set->count; i++)
		values[i] = set->alarms[i].active;
	page->sources[device * PLAN_SOURCES + PLAN_ALARMS] = (struct source){values, page->all_good};
}

static void point_at_device(struct page *page, size_t device, const struct facts_device *facts)
{
	const struct bb_snapshot *snapshot = &facts->snapshot;
	struct source *sources = page->sources + device * PLAN_SOURCES;
	struct own *own = &page->own[device];
	struct source reading = {0};

	if (snapshot->reading) {
		reading.values = bb_reading_values(snapshot->reading);
		reading.qualities = bb_reading_qualities(snapshot->reading);
	}
	sources[PLAN_DROP_REST] = snapshot->stale[BB_GROUP_REST] ? (struct source){0} : reading;
	sources[PLAN_DROP_URGENT] = snapshot->stale[BB_GROUP_URGENT] ? (struct source){0} : reading;
	sources[PLAN_KEEP] = reading;
	sources[PLAN_OWN] = (struct source){own->values, own->qualities};
	point_at_alarms(page, device, snapshot->alarms);

	set_own(own, PLAN_OWN_UP, true, snapshot->state == BB_DEVICE_UP);
	set_own(own, PLAN_OWN_AGE, snapshot->age_ms >= 0, snapshot->age_ms);
	set_own(own, PLAN_OWN_DURATION, facts->stats.polls > facts->stats.errors, facts->stats.last_poll_us);
	set_own(own, PLAN_OWN_POLLS, true, (int64_t)facts->stats.polls);
	set_own(own, PLAN_OWN_ERRORS, true, (int64_t)facts->stats.errors);
	set_own(own, PLAN_OWN_BAD, true, (int64_t)facts->stats.bad_values);
}

/* The text of label @which, "" when the device does not say it. */
static const char *info_text(const struct plan_device *planned, const struct bb_reading *reading, size_t which)
{
	const int index = planned->info[which];

	if (index < 0 || bb_reading_qualities(reading)[index] != BB_QUALITY_GOOD)
		return "";
	return bb_reading_text(reading, (size_t)index);
}

/* Does the line still say what the device says? */
static bool info_is_current(const struct info *info, const struct plan_device *planned,
			    const struct bb_reading *reading)
{
	const char *had = info->texts;

	if (!had)
		return false;
	for (size_t i = 0; i < PLAN_INFO_LABELS; i++) {
		if (strcmp(had, info_text(planned, reading, i)) != 0)
			return false;
		had += strlen(had) + 1;
	}
	return true;
}

static int renew_info(struct info *info, const struct plan_device *planned, const struct facts_device *device)
{
	const struct bb_reading *reading = device->snapshot.reading;
	struct buffer line = {0}, texts = {0};

	buffer_add_text(&line, "busbar_device_info{");
	buffer_add_label(&line, "device", device->name);
	buffer_add_text(&line, ",");
	buffer_add_label(&line, "plugin", device->plugin);
	for (size_t i = 0; i < PLAN_INFO_LABELS; i++) {
		const char *text = info_text(planned, reading, i);

		buffer_add_text(&line, ",");
		buffer_add_label(&line, plan_info_labels[i], text);
		buffer_add(&texts, text, strlen(text) + 1);
	}
	buffer_add_text(&line, "} 1\n");
	if (line.failed || texts.failed) {
		buffer_finish(&line);
		buffer_finish(&texts);
		return -ENOMEM;
	}
	free(info->line);
	free(info->texts);
	*info = (struct info){.line = line.data, .length = line.length, .texts = texts.data};
	return 0;
}

int page_prepare(struct page *page, const struct facts *facts, size_t *ret_size)
{
	int r = 0;

	if (!page->plan || !plan_fits(page->plan, facts))
		r = make_plan(page, facts);
	if (r < 0)
		return r;

	const struct plan *plan = page->plan;
	const size_t agent = facts->device_count;
	size_t size = plan->headers.length + plan->prefixes.length + plan->entry_count * (NUMBER_SIZE + 1);

	for (size_t i = 0; i < agent; i++) {
		const struct facts_device *device = &facts->devices[i];

		point_at_device(page, i, device);
		if (!device->snapshot.reading)
			continue;
		if (!info_is_current(&page->infos[i], &plan->devices[i], device->snapshot.reading)) {
			r = renew_info(&page->infos[i], &plan->devices[i], device);
			if (r < 0)
				return r;
		}
		size += page->infos[i].length;
	}
	set_own(&page->own[agent], 0, true, 1); /* busbar_build_info */
	page->sources[agent * PLAN_SOURCES + PLAN_OWN] =
		(struct source){page->own[agent].values, page->own[agent].qualities};
	point_at_alarms(page, agent, facts->agent_alarms);

	/* Each link has two series; "# EOF" and what is copied beyond the end of a prefix come last. */
	size += 2 * (facts->link_labels.length + facts->link_count * (strlen(plan_link_families[1]) + 4 + NUMBER_SIZE));
	*ret_size = size + 16 + PLAN_SLACK;
	return 0;
}

static char *copy(char *out, const char *text, size_t length)
{
	memcpy(out, text, length);
	return out + length;
}

/* Most prefixes fit in one block of a size that the compiler knows, which is a few instructions and no call. */
static inline char *copy_prefix(char *out, const char *prefix, size_t length)
{
	memcpy(out, prefix, PLAN_SLACK);
	if (length > PLAN_SLACK)
		memcpy(out + PLAN_SLACK, prefix + PLAN_SLACK, length - PLAN_SLACK);
	return out + length;
}

/* Write @count series. @prefixes moves on past their texts. */
static char *render_entries(const struct source *sources, const struct plan_entry *entries, size_t count,
			    const char **prefixes, char *out)
{
	const char *prefix = *prefixes;

	for (const struct plan_entry *entry = entries; entry < entries + count; entry++) {
		const char *text = prefix;
		const struct source *source = &sources[entry->source];
		int64_t value;

		prefix += entry->prefix;
		if (!source->values || source->qualities[entry->index] != BB_QUALITY_GOOD)
			continue;
		value = source->values[entry->index];
		out = copy_prefix(out, text, entry->prefix);
		switch ((enum plan_kind)entry->kind) {
		case PLAN_MEMBER:
			*out++ = value == entry->argument ? '1' : '0';
			break;
		case PLAN_BIT:
			*out++ = (char)('0' + (((uint64_t)value >> entry->argument) & 1));
			break;
		case PLAN_SCALED:
			value = bb_decimal_scale(value, entry->argument, 1);
			/* fall through */
		case PLAN_NUMBER:
			out = number_print(out, value, entry->decimals);
			break;
		}
		*out++ = '\n';
	}
	*prefixes = prefix;
	return out;
}

static char *render_header(const struct plan *plan, const struct plan_header *header, enum page_format format,
			   char *out)
{
	return copy(out, plan->headers.data + header->offset[format], header->length[format]);
}

static char *render_infos(const struct page *page, const struct facts *facts, enum page_format format, char *out)
{
	char *const begin = out;
	char *const first = out = render_header(page->plan, &page->plan->info, format, out);

	for (size_t i = 0; i < facts->device_count; i++) {
		if (facts->devices[i].snapshot.reading)
			out = copy(out, page->infos[i].line, page->infos[i].length);
	}
	return out == first ? begin : out;
}

static char *render_links(const struct plan *plan, const struct facts *facts, enum page_format format, char *out)
{
	for (int family = 0; family < 2 && facts->link_count; family++) {
		const char *name = plan_link_families[family];

		out = render_header(plan, &plan->links[family], format, out);
		for (size_t i = 0; i < facts->link_count; i++) {
			const struct facts_link *link = &facts->links[i];

			out = copy(out, name, strlen(name));
			*out++ = '{';
			out = copy(out, facts->link_labels.data + link->name, link->name_length);
			*out++ = '}';
			*out++ = ' ';
			out = number_print(out, (int64_t)(family ? link->errors : link->polls), 0);
			*out++ = '\n';
		}
	}
	return out;
}

size_t page_render(const struct page *page, const struct facts *facts, enum page_format format, char *out)
{
	const struct plan *plan = page->plan;
	const struct plan_entry *entries = plan->entries;
	const char *prefixes = plan->prefixes.data;
	char *const begin = out;

	assert(plan->device_count == facts->device_count);
	out = render_infos(page, facts, format, out);
	for (size_t i = 0; i < plan->family_count; i++) {
		const struct plan_family *family = &plan->families[i];
		char *const before = out;
		char *const first = out = render_header(plan, &family->header, format, out);

		out = render_entries(page->sources, entries, family->entries, &prefixes, out);
		entries += family->entries;
		if (out == first)
			out = before; /* no series: no header */
	}
	out = render_links(plan, facts, format, out);
	if (format == PAGE_OPENMETRICS)
		out = copy(out, "# EOF\n", 6);
	return (size_t)(out - begin);
}

size_t page_series(const struct page *page)
{
	return page->plan ? page->plan->entry_count : 0;
}
