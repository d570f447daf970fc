/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.h - the core's side of the registry.
 */
#ifndef CORE_REGISTRY_H
#define CORE_REGISTRY_H

#include <busbar/loop.h>
#include <busbar/registry.h>

struct alarm_admin;
struct alarm_told;
struct link_table;
struct monitor;
struct rule_set;

/**
 * Make the registry; @main_loop runs the monitor (monitor.h). Without one (NULL, in tests) nothing is ever posted.
 * Returns 0 or -ENOMEM.
 */
int registry_create(struct bb_loop *main_loop, struct bb_registry **ret_registry);

/**
 * Drop all devices and tell nobody anything any more. Its memory goes with the last reference: devices hold one, since
 * exporters may hold devices. Accepts NULL. Thread: main loop.
 */
void registry_destroy(struct bb_registry *registry);

/** A reference that keeps the memory, nothing else. Any thread. */
struct bb_registry *registry_ref(struct bb_registry *registry);
void registry_unref(struct bb_registry *registry);

/** Add a device (a reference is taken) or take it out. -EEXIST when the name is there. Thread: main loop. */
int registry_add(struct bb_registry *registry, struct bb_device *device);
void registry_remove(struct bb_registry *registry, struct bb_device *device);

/** Grow the version; from device.c when a generation changes. Any thread. */
void registry_touch(struct bb_registry *registry);

/** Called on the main loop after the version has grown (posts are merged). One listener: the agent. */
void registry_on_change(struct bb_registry *registry, void (*changed)(void *context), void *context);

/** Raise or clear an alarm of the agent itself; emits the event. Thread: main loop. */
void registry_agent_alarm(struct bb_registry *registry, const char *type_name, bool active, const char *text);

/**
 * The same for those who are several: the alarm is active while anybody holds it. Each hold is released once. Returns
 * false when the agent has no alarm of that type. Thread: main loop.
 */
bool registry_hold_agent_alarm(struct bb_registry *registry, const char *type_name, bool hold, const char *text);

/** Let what people said about the agent's alarms show; tells what was kept quiet. Thread: main loop. */
void registry_look_at_agent(struct bb_registry *registry);

/**
 * The agent has started: which of its alarms hold is known. As registry_look_at_agent(); and those of its last life
 * that do not hold any more are told to be over. Thread: main loop.
 */
void registry_settle_agent(struct bb_registry *registry);

/**
 * The last clock gap, bb_clock_ms(); what was read before it counts as unknown. INT64_MIN: there was none. Any thread
 * may ask; the monitor sets it.
 */
int64_t registry_gap(const struct bb_registry *registry);
void registry_set_gap(struct bb_registry *registry, int64_t now_ms);

/** The loop that decides, NULL in tests that have none. Any thread. */
struct bb_loop *registry_loop(const struct bb_registry *registry);

/** The monitor's own; NULL while it does not run. Thread: main loop. */
struct monitor *registry_monitor(const struct bb_registry *registry);
void registry_set_monitor(struct bb_registry *registry, struct monitor *monitor);

/** Rules that devices get when they are opened; a reference is kept. NULL: none. Thread: main loop. */
void registry_set_rules(struct bb_registry *registry, struct rule_set *rules);
struct rule_set *registry_rules(const struct bb_registry *registry);

/** What people said about alarms; NULL while the monitor does not run. Thread: main loop. */
struct alarm_admin *registry_alarm_admin(const struct bb_registry *registry);
void registry_set_alarm_admin(struct bb_registry *registry, struct alarm_admin *admin);

/** Which alarms people were told of; NULL while the monitor does not run. Thread: main loop. */
struct alarm_told *registry_alarm_told(const struct bb_registry *registry);
void registry_set_alarm_told(struct bb_registry *registry, struct alarm_told *told);

/** The link table whose counters bb_registry_links() shows; set once by the agent. */
void registry_set_links(struct bb_registry *registry, struct link_table *links);

#endif
