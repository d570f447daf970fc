/* SPDX-License-Identifier: Apache-2.0
 *
 * alarm_device - a device whose alarms are active when a file says so: for tests that want an event now.
 *
 *	devices: { a: { plugin: alarm-device, alarms: [ low-battery, bacs-voltage ], file: /tmp/active, interval: 100ms } }
 *
 * The file holds the names of the active ones, one a line. It is replaced by rename(), so that no poll sees half of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <busbar/plugin.h>

struct alarm_device {
	const char *const *alarms; /* the configuration's, as the file's name */
	const char *file;
};

static const struct bb_option alarm_device_options[] = {
	{.name = "alarms", .type = BB_OPTION_LIST, .required = true, .help = "names of the alarms it has"},
	{.name = "file", .type = BB_OPTION_STRING, .required = true, .help = "file with the names of the active ones"},
	{0},
};

static int alarm_device_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	struct alarm_device *device = state;
	int r = 0;

	device->alarms = bb_config_list(config, "alarms");
	device->file = bb_config_string(config, "file");
	for (const char *const *alarm = device->alarms; r >= 0 && *alarm; alarm++) {
		char point[64];

		(void)snprintf(point, sizeof(point), "alarm.%s", *alarm); /* a name that was cut is refused */
		r = bb_builder_add(builder, point);
	}
	return r < 0 ? r : 0;
}

static int alarm_device_poll(void *state, struct bb_reading *reading)
{
	const struct alarm_device *device = state;
	char text[8192] = "\n";
	const int fd = open(device->file, O_RDONLY | O_CLOEXEC);
	const ssize_t length = fd < 0 ? -1 : read(fd, text + 1, sizeof(text) - 2);
	const int error = errno;

	if (fd >= 0)
		close(fd);
	if (length < 0)
		return -error;
	for (size_t i = 0; device->alarms[i]; i++) {
		char line[80];

		(void)snprintf(line, sizeof(line), "\n%s\n", device->alarms[i]);
		(void)bb_reading_set(reading, i, strstr(text, line) != NULL); /* 0 and 1 are in the range of alarms */
	}
	return 0;
}

static void alarm_device_close(void *state)
{
	(void)state;
}

BB_PLUGIN(alarm_device) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "alarm-device",
	.summary = "alarms that a file says, for tests",
	.options = alarm_device_options,
	.state_size = sizeof(struct alarm_device),
	.device = {.open = alarm_device_open, .poll = alarm_device_poll, .close = alarm_device_close},
};
