/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes: from an exporter's thread by way of the main loop to the worker that has the device's link, and back.
 *
 *   bb_device_write()   any thread        copies the request and posts it to the main loop
 *   write_arrived()     main loop         queues it on the device's link, behind other writes, before polls
 *   write_run()         the link's worker finds the point, checks the value, calls the plugin
 *   write_done()        main loop         emits the event, posts it to the loop of who asked
 *   write_tell()        that loop         calls done()
 *
 * A write that has to begin within a time ends in one of two ways. A timer of the main loop takes it out of the queue;
 * when it is not there any more the worker has it. The worker looks at the clock before it asks the plugin, because the
 * main loop may be late. So either the device never hears of it and the asker is told -ECANCELED, or neither.
 *
 * The point is looked up on the worker, because only there it is certain which generation the plugin knows. The device
 * cannot be closed while a write is between arriving and being done: device_when_idle() waits for that.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <busbar/decimal.h>

#include "device_data.h"
#include "events.h"
#include "link.h"
#include "registry.h"

#define VALUE_SIZE 64

struct bb_write {
	struct bb_task task; /* first: the task is the write */
	struct link_work work;
	struct bb_device *device; /* a reference */
	char *point, *source, *text;
	struct bb_value value;
	int result;
	char printed[VALUE_SIZE];
	enum bb_unit unit;
	void (*done)(void *context, int result);
	void *context;
	int64_t start_by_ms;    /* bb_clock_ms(); INT64_MAX: no limit */
	struct bb_timer *limit; /* fires then; main loop; NULL: no limit, or over */

	pthread_mutex_t lock;
	struct bb_loop *loop; /* where done() is called; NULL: forgotten */
};

static void write_free(struct bb_write *write)
{
	bb_device_unref(write->device);
	pthread_mutex_destroy(&write->lock);
	free(write->point);
	free(write->source);
	free(write->text);
	free(write);
}

/* ---- checking ---- */

static int check_value(const struct bb_point *point, const struct bb_value *value)
{
	switch (point->kind) {
	case BB_KIND_BOOL:
		return value->number == 0 || value->number == 1 ? 0 : -EINVAL;
	case BB_KIND_ENUM:
		return bb_point_member(point, value->number) ? 0 : -EINVAL;
	case BB_KIND_FLAGS:
		for (int bit = 0; bit < 63; bit++)
			if (value->number >> bit & 1 && !bb_point_member(point, bit))
				return -EINVAL;
		return value->number >= 0 ? 0 : -EINVAL;
	case BB_KIND_STRING:
		return value->text ? 0 : -EINVAL;
	case BB_KIND_COMMAND:
		return value->argument_count <= BB_LENGTH(value->arguments) ? 0 : -EINVAL;
	case BB_KIND_ALARM: /* what an alarm says is the device's */
		return -EACCES;
	case BB_KIND_UNSET:
	case BB_KIND_NUMBER:
	case BB_KIND_COUNTER:
	case BB_KIND_TIMESTAMP:
		break; /* the plugin knows what the device can hold */
	}
	return 0;
}

static void print_arguments(struct bb_write *write)
{
	const struct bb_value *value = &write->value;
	size_t length = 0;

	write->printed[0] = '\0';
	for (unsigned i = 0; i < value->argument_count && i < BB_LENGTH(value->arguments); i++)
		length += (size_t)snprintf(write->printed + length, sizeof(write->printed) - length, "%s%" PRId64,
					   i > 0 ? " " : "", value->arguments[i]);
}

/* The value as the event shows it: as outputs print it where the point is known. */
static void print_value(struct bb_write *write, const struct bb_point *point)
{
	const struct bb_member *member = NULL;

	static_assert(VALUE_SIZE >= 2 * BB_DECIMAL_SIZE, "room for two numbers");
	write->unit = point ? point->unit : BB_UNIT_NONE;
	if (point && point->kind == BB_KIND_ENUM)
		member = bb_point_member(point, write->value.number);
	if (member || write->text)
		(void)snprintf(write->printed, sizeof(write->printed), "%s", member ? member->name : write->text);
	else if (write->value.argument_count > 0)
		print_arguments(write);
	else if (!point || point->kind != BB_KIND_COMMAND)
		(void)bb_decimal_print(write->printed, write->value.number, point ? point->decimals : 0);
	else
		write->printed[0] = '\0';
}

/* ---- on the worker ---- */

static int write_to_plugin(struct bb_write *write, bool *ret_asked)
{
	struct bb_device *device = write->device;
	const struct bb_point *point;
	int place, r;

	if (!device->described)
		return -EAGAIN;
	place = generation_find(device->generation, write->point);
	if (place < 0 || (size_t)place >= device->generation->delivered)
		return place < 0 ? place : -EACCES; /* what is derived can only be read */
	point = device->generation->points[place];
	print_value(write, point);
	if (!point->writable)
		return -EACCES;
	r = check_value(point, &write->value);
	if (r < 0)
		return r;
	*ret_asked = true;
	return device->plugin->device.write(device->state, (size_t)place, &write->value);
}

static int write_run(struct link_work *work)
{
	struct bb_write *write = BB_CONTAINER(work, struct bb_write, work);
	bool asked = false;

	write->result = work->started_ms > write->start_by_ms ? -ECANCELED : write_to_plugin(write, &asked);
	return asked ? write->result : 0; /* a value that is refused here is no error of the link */
}

/* ---- on the main loop and back ---- */

static void write_tell(struct bb_task *task)
{
	struct bb_write *write = (struct bb_write *)task;
	bool wanted;

	pthread_mutex_lock(&write->lock);
	wanted = write->loop != NULL;
	pthread_mutex_unlock(&write->lock);
	if (wanted)
		write->done(write->context, write->result);
	write_free(write);
}

static void write_emit(const struct bb_write *write)
{
	char text[160];

	if (write->result == -ECANCELED)
		(void)snprintf(text, sizeof(text), "not written: withdrawn, it had not begun in time");
	else if (write->result < 0)
		(void)snprintf(text, sizeof(text), "not written: %s", strerrordesc_np(-write->result));
	else
		(void)snprintf(text, sizeof(text), "written");
	(void)events_emit(&(struct bb_event){
		.kind = BB_EVENT_WRITE,
		.severity = write->result < 0 ? BB_SEVERITY_WARNING : BB_SEVERITY_INFO,
		.device = write->device->name,
		.point = write->point,
		.value = write->printed,
		.unit = bb_unit_name(write->unit),
		.source = write->source,
		.text = text,
	}); /* nobody needs the number of this one */
}

/*
 * It is decided: tell everybody, then who asked. The lock keeps the loop from going away meanwhile. Where done() is
 * called the main loop's timer cannot be touched, so it ends here.
 */
static void write_finish(struct bb_write *write)
{
	bool forgotten;

	bb_timer_destroy(write->limit);
	write->limit = NULL;
	write_emit(write);
	pthread_mutex_lock(&write->lock);
	forgotten = write->loop == NULL;
	if (!forgotten) {
		write->task.run = write_tell;
		bb_loop_post(write->loop, &write->task);
	}
	pthread_mutex_unlock(&write->lock);
	if (forgotten)
		write_free(write);
}

/* It was on the link, and is not any more. */
static void write_leave(struct bb_write *write)
{
	struct bb_device *device = bb_device_ref(write->device);

	write_finish(write);
	device_write_over(device);
	bb_device_unref(device);
}

static void write_done(struct link_work *work, int result)
{
	struct bb_write *write = BB_CONTAINER(work, struct bb_write, work);

	if (write->result == -EINPROGRESS)
		write->result = result < 0 ? result : -EIO; /* there was no worker to run it */
	write_leave(write);
}

static void write_late(void *context)
{
	struct bb_write *write = context;

	if (!link_withdraw(&write->work))
		return; /* the worker has it: it has begun, or the worker sees that it is late */
	write->result = -ECANCELED;
	write_leave(write);
}

static int write_limit(struct bb_write *write)
{
	const int64_t left_ms = write->start_by_ms - bb_clock_ms();

	if (write->start_by_ms == INT64_MAX)
		return 0;
	if (left_ms < 0)
		return -ECANCELED;
	write->limit = bb_timer_create(registry_loop(write->device->registry), write_late, write);
	if (!write->limit)
		return -ENOMEM;
	bb_timer_start(write->limit, left_ms, 0);
	return 0;
}

static int write_submit(struct bb_write *write)
{
	struct bb_device *device = write->device;
	int r;

	if (!device->link || device->idle) /* it is on its way out */
		return -ENODEV;
	if (!device->plugin->device.write || device_is_event_driven(device))
		return -EOPNOTSUPP;
	r = write_limit(write);
	if (r < 0)
		return r;
	write->work = (struct link_work){
		.run = write_run, .done = write_done, .is_write = true, .timeout_ms = device_timeout(device)};
	device->writes++;
	link_submit(device->link, &write->work);
	return -EINPROGRESS;
}

static void write_arrived(struct bb_task *task)
{
	struct bb_write *write = (struct bb_write *)task;

	print_value(write, NULL);
	write->result = -EINPROGRESS;

	const int r = write_submit(write);

	if (r == -EINPROGRESS)
		return; /* the link has it */
	write->result = r;
	write_finish(write);
}

int bb_device_write(struct bb_device *device, const struct bb_write_request *request, struct bb_write **ret_write)
{
	struct bb_write *write = calloc(1, sizeof(*write));

	if (!write)
		return -ENOMEM;
	pthread_mutex_init(&write->lock, NULL);
	write->device = bb_device_ref(device);
	write->point = strdup(request->point);
	write->source = strdup(request->source);
	write->text = request->value.text ? strdup(request->value.text) : NULL;
	if (!write->point || !write->source || (request->value.text && !write->text)) {
		write_free(write);
		return -ENOMEM;
	}
	write->value = request->value;
	write->value.text = write->text;
	write->loop = request->loop;
	write->done = request->done;
	write->context = request->context;
	write->start_by_ms = request->start_within_ms > 0 ? bb_clock_ms() + request->start_within_ms : INT64_MAX;
	write->task.run = write_arrived;
	*ret_write = write;
	bb_loop_post(registry_loop(device->registry), &write->task);
	return 0;
}

void bb_write_forget(struct bb_write *write)
{
	if (!write)
		return;
	pthread_mutex_lock(&write->lock);
	write->loop = NULL;
	pthread_mutex_unlock(&write->lock);
}

/* ---- waiting for writes ---- */

void device_write_over(struct bb_device *device)
{
	assert(device->writes > 0);
	if (--device->writes > 0 || !device->idle)
		return;
	device->idle(device->idle_context, device);
}

void device_when_idle(struct bb_device *device, void (*idle)(void *context, struct bb_device *device), void *context)
{
	assert(!device->idle);
	if (device->writes == 0) {
		idle(context, device);
		return;
	}
	device->idle = idle;
	device->idle_context = context;
}
