/* SPDX-License-Identifier: Apache-2.0
 *
 * page.c - writes pages, see page.h.
 *
 * page_prepare() points every source of the plan (values and qualities of a device) at the readings of this page, so
 * that the loop over a hundred thousand series knows one kind of value: copy the prepared text, print an integer. A
 * series whose value is not good is left out, and a family without series is taken back.
 *
 * Writing a page while it is sent, piece by piece, was tried: HTTP wants its length first, and adding that up costs
 * more than the overlap gains, since the kernel overlaps sending with receiving anyway.
 */
#include "page.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>

#include "info.h"
#include "number.h"
#include "plan.h"

/* Where the values of an enum plan_source of one device are at this moment; all NULL: nowhere. */
struct source {
	const int64_t *values;
	const uint8_t *qualities;
	const struct bb_alarm *alarms; /* of PLAN_ALARMS and PLAN_ACKNOWLEDGED, instead of the others */
};

/* What the agent knows of a device, as if it were a reading. */
struct own {
	int64_t values[PLAN_OWN_COUNT];
	uint8_t qualities[PLAN_OWN_COUNT];
};

struct page {
	struct plan *plan;
	struct source *sources; /* PLAN_SOURCES for each device, and for the agent */
	struct own *own;        /* of each device, and of the agent */
	struct info *infos;     /* of each device */
	struct buffer head;     /* busbar_device_info: the lines of all devices */
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
	info_destroy(page->infos, page->plan ? page->plan->device_count : 0);
	plan_destroy(page->plan);
	free(page->sources);
	free(page->own);
	buffer_finish(&page->head);
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
	const size_t count = facts->device_count + 1; /* and the agent */
	int r;

	forget_plan(page);
	r = plan_create(facts, &page->plan);
	if (r < 0)
		return r;
	page->sources = calloc(count * PLAN_SOURCES, sizeof(*page->sources));
	page->own = calloc(count, sizeof(*page->own));
	page->infos = info_create(facts->device_count);
	if (!page->sources || !page->own || !page->infos) {
		forget_plan(page);
		return -ENOMEM;
	}
	return 0;
}

static void set_own(struct own *own, enum plan_own which, bool known, int64_t value)
{
	own->values[which] = value;
	own->qualities[which] = known ? BB_QUALITY_GOOD : BB_QUALITY_UNKNOWN;
}

static void point_at_device(struct source *sources, struct own *own, const struct facts_device *device)
{
	const struct bb_snapshot *snapshot = &device->snapshot;
	const struct bb_device_stats *stats = &device->stats;
	struct source reading = {0};

	if (snapshot->reading) {
		reading.values = bb_reading_values(snapshot->reading);
		reading.qualities = bb_reading_qualities(snapshot->reading);
	}
	sources[PLAN_DROP_REST] = snapshot->stale[BB_GROUP_REST] ? (struct source){0} : reading;
	sources[PLAN_DROP_URGENT] = snapshot->stale[BB_GROUP_URGENT] ? (struct source){0} : reading;
	sources[PLAN_KEEP] = reading;
	sources[PLAN_ALARMS] = (struct source){.alarms = snapshot->alarms ? snapshot->alarms->alarms : NULL};
	sources[PLAN_ACKNOWLEDGED] = sources[PLAN_ALARMS];
	sources[PLAN_OWN] = (struct source){.values = own->values, .qualities = own->qualities};

	set_own(own, PLAN_OWN_UP, true, snapshot->state == BB_DEVICE_UP);
	set_own(own, PLAN_OWN_AGE, snapshot->age_ms >= 0, snapshot->age_ms);
	set_own(own, PLAN_OWN_DURATION, stats->polls > stats->errors, stats->last_poll_us);
	set_own(own, PLAN_OWN_POLLS, true, (int64_t)stats->polls);
	set_own(own, PLAN_OWN_ERRORS, true, (int64_t)stats->errors);
	set_own(own, PLAN_OWN_BAD, true, (int64_t)stats->bad_values);
}

static void point_at_agent(struct source *sources, struct own *own, const struct facts *facts)
{
	const struct bb_alarm_set *alarms = facts->agent_alarms;

	set_own(own, 0, true, 1); /* busbar_build_info */
	sources[PLAN_OWN] = (struct source){.values = own->values, .qualities = own->qualities};
	sources[PLAN_ALARMS] = (struct source){.alarms = alarms ? alarms->alarms : NULL};
	sources[PLAN_ACKNOWLEDGED] = sources[PLAN_ALARMS];
	sources[PLAN_EVENTS] = (struct source){.values = facts->events.values, .qualities = facts->events.qualities};
}

int page_prepare(struct page *page, const struct facts *facts, size_t *ret_size)
{
	const size_t agent = facts->device_count;
	int r = 0;

	if (!page->plan || !plan_fits(page->plan, facts))
		r = make_plan(page, facts);
	if (r < 0)
		return r;

	const struct plan *plan = page->plan;

	buffer_reset(&page->head);
	for (size_t i = 0; r >= 0 && i < agent; i++) {
		const struct facts_device *device = &facts->devices[i];

		point_at_device(page->sources + i * PLAN_SOURCES, &page->own[i], device);
		if (device->snapshot.reading)
			r = info_add(info_at(page->infos, i), &plan->devices[i], device, &page->head);
	}
	point_at_agent(page->sources + agent * PLAN_SOURCES, &page->own[agent], facts);

	/* Each link has two series; "# EOF" and what is copied beyond the end of a prefix come last. */
	*ret_size = plan->headers.length + page->head.length + plan->prefixes.length +
		    plan->entry_count * (NUMBER_SIZE + 1) +
		    2 * (facts->link_labels.length +
			 facts->link_count * (strlen(plan_link_families[1]) + strlen("{} \n") + NUMBER_SIZE)) +
		    sizeof("# EOF\n") + PLAN_SLACK;
	return r;
}

static char *copy(char *out, const char *text, size_t length)
{
	if (length)
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

/* Write the series of @family that have a good value. */
static char *render_series(const struct page *page, const struct plan_family *family, char *out)
{
	const struct plan *plan = page->plan;
	const struct plan_entry *const end = plan->entries + family->first + family->count;
	const char *prefix = plan->prefixes.data + family->prefixes;

	for (const struct plan_entry *entry = plan->entries + family->first; entry < end;
	     prefix += entry->prefix, entry++) {
		const struct source *source = &page->sources[entry->source];
		int64_t value;

		if (source->alarms) {
			const struct bb_alarm *alarm = &source->alarms[entry->index];

			out = copy_prefix(out, prefix, entry->prefix);
			*out++ = (entry->kind == PLAN_ALARM ? alarm->active : alarm->acknowledged) ? '1' : '0';
			*out++ = '\n';
			continue;
		}
		if (!source->values || source->qualities[entry->index] != BB_QUALITY_GOOD)
			continue;
		value = source->values[entry->index];
		out = copy_prefix(out, prefix, entry->prefix);
		switch ((enum plan_kind)entry->kind) {
		case PLAN_MEMBER:
			*out++ = value == entry->argument ? '1' : '0';
			break;
		case PLAN_BIT:
			*out++ = (char)('0' + (((uint64_t)value >> entry->argument) & 1));
			break;
		case PLAN_SCALED:
			out = number_print(out, bb_decimal_scale(value, entry->argument, 1), entry->decimals);
			break;
		case PLAN_NUMBER:
		case PLAN_ALARM: /* done above */
		case PLAN_SEEN:
			out = number_print(out, value, entry->decimals);
			break;
		}
		*out++ = '\n';
	}
	return out;
}

static char *render_header(const struct plan *plan, const struct plan_header *header, enum page_format format,
			   char *out)
{
	return copy(out, plan->headers.data + header->offset[format], header->length[format]);
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
	char *const begin = out;

	assert(plan->device_count == facts->device_count);
	if (page->head.length)
		out = render_header(plan, &plan->info, format, out);
	out = copy(out, page->head.data, page->head.length);
	for (size_t i = 0; i < plan->family_count; i++) {
		char *const before = out;
		char *const first = out = render_header(plan, &plan->families[i].header, format, out);

		out = render_series(page, &plan->families[i], out);
		if (out == first)
			out = before; /* no series: no header */
	}
	out = render_links(plan, facts, format, out);
	if (format == PAGE_OPENMETRICS)
		out = copy(out, "# EOF\n", strlen("# EOF\n"));
	return (size_t)(out - begin);
}
