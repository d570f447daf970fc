/* SPDX-License-Identifier: Apache-2.0
 *
 * busbar/plugin.h - the border between the core and its plugins. Start reading here.
 *
 * A plugin is a shared object with one exported symbol, made by BB_PLUGIN(). It sees only the headers in
 * busbar/, and no plugin reaches into another. The core loads every .so of its plugin folder with
 * RTLD_NOW|RTLD_LOCAL, compares the ABI before it looks at anything else, and refuses files and folders
 * that others could have written.
 *
 *   device life cycle                                     thread
 *
 *     check(config)                                       main loop
 *          │  config is good, nothing has changed yet
 *     open(builder, config, state) ── fails ─► close      main loop
 *          │
 *          │   plugins with poll                plugins with start
 *          │
 *     describe(builder, state)  ◄─┐        start(state)   worker of the link | main loop
 *          │  at first contact    │             │
 *     poll / watch(state, reading)┘             │         worker of the link | the plugin's own
 *          │  BB_RELEARN: describe again        │
 *          │                               stop(state)    main loop
 *     close(state)                                        main loop, when no call is in flight
 *
 * One device is in one of these calls at a time, step() included, which stands in for poll and watch on the main loop. Blocking calls are fine in describe, poll, watch and write:
 * they run on a worker that owns the link for the duration. They must respect bb_link_deadline().
 * A NULL operation means "not supported".
 *
 * ABI ledger
 *   1  2026-11-20  the first
 */
#ifndef BUSBAR_PLUGIN_H
#define BUSBAR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#include <busbar/backoff.h>
#include <busbar/clock.h>
#include <busbar/config.h>
#include <busbar/decimal.h>
#include <busbar/device.h>
#include <busbar/event.h>
#include <busbar/exporter.h>
#include <busbar/log.h>
#include <busbar/loop.h>
#include <busbar/macros.h>
#include <busbar/pace.h>
#include <busbar/point.h>
#include <busbar/reading.h>
#include <busbar/write.h>

#define BB_ABI_NUMBER 1

/** What poll() returns when the device has become another (rebooted, other modules): describe() comes next. */
#define BB_RELEARN 1

/** What step() returns when it waits for the descriptor it named. */
#define BB_WAIT 2

/** What step() returns when this poll may block: poll() or watch() is called on a worker instead. */
#define BB_BLOCKS 3

/** What the plugin was built against. The first member of a plugin, for all time. */
struct bb_abi {
	uint32_t number;      /* BB_ABI_NUMBER */
	uint32_t plugin_size; /* sizeof(struct bb_plugin) */
	uint32_t option_size; /* sizeof(struct bb_option) */
	uint32_t spec_size;   /* sizeof(struct bb_point_spec) */
};

#define BB_PLUGIN_ABI                                                                                                  \
	{                                                                                                              \
		BB_ABI_NUMBER, sizeof(struct bb_plugin), sizeof(struct bb_option), sizeof(struct bb_point_spec)        \
	}

/** What a plugin is for. */
enum bb_plugin_kind {
	BB_PLUGIN_DEVICE = 1,
	BB_PLUGIN_EXPORTER = 2,
};

/** Operations of a device plugin. @state is the instance: state_size bytes, zeroed before open(). */
struct bb_device_ops {
	/** Check options against each other; must change nothing. 0, or -EINVAL through bb_config_error(). */
	int (*check)(const struct bb_config *config);
	/** Prepare. A device that is switched off is no error. 0 or a negative errno; close() follows in any case. */
	int (*open)(struct bb_builder *builder, const struct bb_config *config, void *state);
	/** Add the points that only the device can tell. 0 or a negative errno: it will be tried again. */
	int (*describe)(struct bb_builder *builder, void *state);
	/** Fill everything. 0, BB_RELEARN, or a negative errno: nothing is published then. */
	int (*poll)(void *state, struct bb_reading *reading);
	/** Fill the urgent points only, in one request; the reading holds the last values of all others. */
	int (*watch)(void *state, struct bb_reading *reading);
	/**
	 * Write @value, already checked against kind and members, to point @index and see that the device has it.
	 * 0 or a negative errno, see bb_device_write(). Plugins with start() cannot have it.
	 */
	int (*write)(void *state, size_t index, const struct bb_value *value);
	/**
	 * Poll in steps that never block, on the main loop: for devices whose polls are mostly a question and its answer
	 * on a connection that is there. It saves the way to a worker and back. Optional, beside poll() and watch(), which
	 * do everything else. Called first with @again false, then with @again true whenever *@ret_fd is readable. Returns
	 * 0: everything is filled; BB_WAIT: not yet, *@ret_fd is set; BB_BLOCKS; or a negative errno as from poll(). When
	 * the deadline has passed the poll has failed and no further step comes. Must not close *@ret_fd.
	 */
	int (*step)(void *state, struct bb_reading *reading, enum bb_group group, bool again, int *ret_fd);
	/** Undo open(). Accepts a half-open instance. */
	void (*close)(void *state);
	/**
	 * Event-driven plugins, instead of poll: begin to publish by yourself. 0 or a negative errno, said; stop()
	 * follows in any case.
	 */
	int (*start)(void *state);
	/** End that; when it returns, no call about this device is in flight on any thread. Accepts a half-started one. */
	void (*stop)(void *state);
	/** Address schemes it understands, separated by blanks: how `busbarctl probe` finds the plugin. */
	const char *schemes;
};

/** Operations of an exporter plugin. */
struct bb_exporter_ops {
	/** As for devices. */
	int (*check)(const struct bb_config *config);
	/** Begin to publish. 0 or a negative errno, said through the exporter's log; stop() follows in any case. */
	int (*start)(struct bb_exporter *exporter, const struct bb_config *config, void *state);
	/** End; accepts a half-started instance. No thread of the exporter is left when it returns. */
	void (*stop)(void *state);
	/** An event, in order. Optional. Thread: main loop. */
	void (*event)(void *state, const struct bb_event *event);
	/** A device came, changed its points or went (bb_registry_version() grew). Optional. Thread: main loop. */
	void (*devices_changed)(void *state);
	/**
	 * Messages that it can send as a test, the usual one first, ended by NULL. Optional. `busbarctl trap-test` makes
	 * one event of kind BB_EVENT_TEST, which comes as any other: by event(), or from a cursor. Its subject is one of
	 * these names, of another exporter's (not for this one, then), or "": the usual one. Its device is "" when the
	 * message is to come from none.
	 */
	const char *const *tests;
};

/** A plugin. Static and constant. */
struct bb_plugin {
	struct bb_abi abi; /* BB_PLUGIN_ABI */
	enum bb_plugin_kind kind;
	const char *name;                /* as config names it: [a-z0-9][a-z0-9-]{0,31} */
	const char *version;             /* NULL: the agent's */
	const char *summary;             /* half a line */
	const struct bb_option *options; /* ends with { 0 }; NULL: only those every device has */
	size_t state_size;
	struct bb_device_ops device;
	struct bb_exporter_ops exporter;
};

/** Defines and exports the plugin: BB_PLUGIN(thermo) = { .abi = BB_PLUGIN_ABI, … }; @id is for people and grep. */
#define BB_PLUGIN(id)                                                                                                  \
	extern __attribute__((visibility("default"))) const struct bb_plugin bb_plugin_object;                         \
	const struct bb_plugin bb_plugin_object

#endif
