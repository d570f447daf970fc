/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/write.h - writing to a point of a device, for exporters whose clients may control something.
 *
 * Whether a client may write at all is the exporter's to decide, before it asks. From there on the core sees to it
 * that the device takes the point, that the value is one the point can have, that the write runs on the device's
 * link behind other writes and before polls that wait there, and that an event of kind BB_EVENT_WRITE says who wrote
 * what and what came of it.
 *
 * Who must answer by a certain time says so with start_within_ms, and has a timer of its own a little later. Either
 * done() has come by then, with -ECANCELED if the write never began and never will; or the device has it in hand and
 * takes its time. Then the exporter forgets the write, says that it failed, and the event says how it ended.
 */
#ifndef BUSBAR_WRITE_H
#define BUSBAR_WRITE_H

#include <stdint.h>

#include <busbar/loop.h>

struct bb_device;
struct bb_write; /* opaque: one write under way */

/** A value to write: number is set for all kinds but strings; a command has up to two arguments. */
struct bb_value {
	int64_t number; /* scaled by the point's decimals; an enum's member; a flag word; 0 or 1 for a bool */
	const char *text;
	int64_t arguments[2];
	unsigned argument_count;
};

/** What to write. Texts are copied. */
struct bb_write_request {
	const char *point; /* its name */
	struct bb_value value;
	const char *source;      /* who asks, for the event: "modbus 10.0.0.9:40112 unit 1" */
	int64_t start_within_ms; /* counted from bb_device_write(): what has not begun by then never does; 0: no limit */
	struct bb_loop *loop;    /* where @done is called */
	void (*done)(void *context, int result);
	void *context;
};

/**
 * Write to @device; @done is called exactly once, later, on the request's loop, unless the write is forgotten first. Its
 * @result: 0 when the device has taken the value; -ENOENT the device has no such point; -EACCES it cannot be written;
 * -EOPNOTSUPP the plugin does not write; -EINVAL the value is none of its kind or members; -ERANGE the device cannot
 * say that value; -EREMOTEIO the device refused it; -EIO it took it and has another value all the same; -EAGAIN the
 * device has not answered yet, or is busy; -ENODEV it has been taken out of the configuration; -ECANCELED it had not
 * begun within start_within_ms, and has been withdrawn: the device has heard nothing of it and will not; -ETIMEDOUT or
 * what else keeps it from answering: then the value may or may not have been written. With -ECANCELED @done comes when
 * that time is over, even while the link is busy.
 * Returns 0 or -ENOMEM: then there is no write and no event. Any thread.
 */
int bb_device_write(struct bb_device *device, const struct bb_write_request *request, struct bb_write **ret_write);

/**
 * Lose interest: @done will not be called. The write itself goes on. Not after @done has been called; accepts NULL.
 * Thread: the one of the request's loop; an exporter that stops forgets its writes.
 */
void bb_write_forget(struct bb_write *write);

#endif
