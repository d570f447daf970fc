/* SPDX-License-Identifier: Apache-2.0
 *
 * simulator - UPSs that exist in memory only, for trying busbar out and for testing what is built on it.
 *
 * The profiles single-phase and three-phase show a model of a UPS (physics.h) to which a scenario file happens
 * (scenario.h, player.h); points.c ties values to points, settings.c what can be written to what comes of it. The profile everything has each point there is
 * (everything.h). Option `modules` adds batteries that are measured one by one (modules.h), `points` plain counting points
 * for benches.
 *
 * Simulated time is bb_clock_ms() since open, times `speed`. Nothing runs between two polls: each poll brings the
 * model up to its own time, so a device costs nothing but its polls, and silence is an answer of -ETIMEDOUT rather
 * than a wait.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "everything.h"
#include "modules.h"
#include "points.h"
#include "settings.h"

enum profile {
	PROFILE_SINGLE,
	PROFILE_THREE,
	PROFILE_EVERYTHING,
};

#define NOMINAL_MV       230000
#define NOMINAL_MHZ      50000
#define TRANSFER_LOW_MV  184000 /* 230 V less and more 20 % */
#define TRANSFER_HIGH_MV 276000
#define RATING_SINGLE_VA 1500
#define RATING_THREE_VA  20000
#define MODEL_SIZE       64
#define SERIAL_SIZE      48
#define BENCH_RANGE      10000 /* values of bench points stay below */

static const struct bb_option simulator_options[] = {
	{.name = "profile",
	 .type = BB_OPTION_ENUM,
	 .preset = "single-phase",
	 .choices = "single-phase three-phase everything",
	 .help = "what to simulate"},
	{.name = "scenario", .type = BB_OPTION_FILE, .help = "file that says what happens, see busbar-simulator(7)"},
	{.name = "speed",
	 .type = BB_OPTION_DECIMAL,
	 .preset = "1",
	 .min = 1,
	 .max = 10000000,
	 .help = "how much faster than real time passes"},
	{.name = "rating",
	 .type = BB_OPTION_INT,
	 .min = 100,
	 .max = 1000000,
	 .help = "rated power in VA (default 1500, three-phase 20000)"},
	{.name = "load",
	 .type = BB_OPTION_INT,
	 .preset = "40",
	 .min = 0,
	 .max = 200,
	 .help = "load in % of the rating"},
	{.name = "battery",
	 .type = BB_OPTION_DURATION,
	 .preset = "10m",
	 .min = 10000,
	 .max = 86400000,
	 .help = "how long the full battery carries the rated load"},
	{.name = "low",
	 .type = BB_OPTION_DURATION,
	 .preset = "2m",
	 .min = 1000,
	 .max = 86400000,
	 .help = "less time left than this is a low battery"},
	{.name = "temperature",
	 .type = BB_OPTION_INT,
	 .preset = "22",
	 .min = -40,
	 .max = 100,
	 .help = "temperature of the surroundings in degC"},
	{.name = "model", .type = BB_OPTION_STRING, .help = "model designation (default from the rating)"},
	{.name = "serial", .type = BB_OPTION_STRING, .help = "serial number (default from the device's name)"},
	{.name = "seed",
	 .type = BB_OPTION_INT,
	 .preset = "0",
	 .min = 0,
	 .max = INT32_MAX,
	 .help = "start of the noise; 0: from the device's name"},
	{.name = "modules",
	 .type = BB_OPTION_INT,
	 .preset = "0",
	 .min = 0,
	 .max = 10000,
	 .help = "batteries that a monitoring system measures one by one"},
	{.name = "points",
	 .type = BB_OPTION_INT,
	 .preset = "0",
	 .min = 0,
	 .max = 10000,
	 .help = "further points vendor.value-N that change with each poll, for benches"},
	{.name = "poll-delay",
	 .type = BB_OPTION_DURATION,
	 .preset = "0s",
	 .min = 0,
	 .max = 3600000,
	 .help = "how long each poll takes: a slow device"},
	{.name = "write-delay",
	 .type = BB_OPTION_DURATION,
	 .preset = "0s",
	 .min = 0,
	 .max = 3600000,
	 .help = "how long each write takes"},
	{.name = "refuse-writes",
	 .type = BB_OPTION_BOOL,
	 .preset = "false",
	 .help = "refuse whatever is written, as a locked front panel does"},
	{0},
};

struct simulator {
	struct scenario *scenario;
	struct everything *everything; /* NULL but for that profile */
	struct player player;
	struct settings settings; /* of the profiles that show a model */
	int64_t poll_delay_ms, write_delay_ms;
	bool refuses_writes;
	int64_t opened_ms;
	int64_t speed; /* thousandths */
	int64_t test_started_ms, test_wall_ms;
	size_t modules_first, modules_count;
	size_t bench_first, bench_count;
	uint64_t tick; /* of polls */
	char model[MODEL_SIZE], serial[SERIAL_SIZE];
	struct points_identity identity;
};

static void scenario_fault(void *context, unsigned line, const char *text)
{
	const struct bb_config *config = context;
	const char *path = bb_config_string(config, "scenario");

	if (line > 0)
		(void)bb_config_error(config, "scenario", "%s:%u: %s", path, line, text); /* the parser counts them */
	else
		(void)bb_config_error(config, "scenario", "%s: %s", path, text);
}

static int load_scenario(const struct bb_config *config, struct scenario **ret_scenario)
{
	const struct scenario_faults faults = {scenario_fault, (void *)config};
	const char *path = bb_config_string(config, "scenario");

	if (!path) {
		*ret_scenario = NULL;
		return 0;
	}
	return scenario_load(path, &faults, ret_scenario);
}

static int simulator_check(const struct bb_config *config)
{
	struct scenario *scenario;
	int r = load_scenario(config, &scenario);

	if (r < 0)
		return r;
	scenario_free(scenario);
	if (bb_config_int(config, "low") >= bb_config_int(config, "battery"))
		return bb_config_error(config, "low", "must be shorter than 'battery', or it would always be low");
	if (bb_config_int(config, "profile") == PROFILE_EVERYTHING && bb_config_int(config, "modules") > 0)
		return bb_config_error(config, "modules", "the profile everything has modules of its own");
	return 0;
}

/* FNV-1a by Fowler, Noll and Vo: each device wanders its own way, and the same way after a restart. */
static uint64_t hash(const char *text)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		value = (value ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return value;
}

static void prepare_model(struct simulator *simulator, const struct bb_config *config, enum profile profile)
{
	const struct physics_world world = {
		.mains_mv = NOMINAL_MV,
		.load_mpct = bb_config_int(config, "load") * 1000,
		.ambient_mdeg = bb_config_int(config, "temperature") * 1000,
	};
	struct physics_setup setup = {
		.lines = profile == PROFILE_SINGLE ? 1 : 3,
		.rating_va = profile == PROFILE_SINGLE ? RATING_SINGLE_VA : RATING_THREE_VA,
		.battery_ms = bb_config_int(config, "battery"),
		.low_ms = bb_config_int(config, "low"),
		.nominal_mv = NOMINAL_MV,
		.nominal_mhz = NOMINAL_MHZ,
		.transfer_low_mv = TRANSFER_LOW_MV,
		.transfer_high_mv = TRANSFER_HIGH_MV,
		.seed = (uint64_t)bb_config_int(config, "seed"),
	};

	if (bb_config_is_set(config, "rating"))
		setup.rating_va = bb_config_int(config, "rating");
	if (setup.seed == 0)
		setup.seed = hash(bb_config_name(config));
	player_init(&simulator->player, &setup, &world, simulator->scenario);
}

static void prepare_identity(struct simulator *simulator, const struct bb_config *config)
{
	const char *model = bb_config_string(config, "model"), *serial = bb_config_string(config, "serial");
	const char *name = bb_config_name(config);

	(void)snprintf(simulator->model, sizeof(simulator->model), "Simulated UPS %lld",
		       (long long)simulator->player.physics.setup.rating_va);         /* fits */
	(void)snprintf(simulator->serial, sizeof(simulator->serial), "SIM-%s", name); /* fits: 31 characters at most */
	simulator->identity = (struct points_identity){
		.model = model ? model : simulator->model,
		.serial = serial ? serial : simulator->serial,
	};
}

static int add_bench_points(struct bb_builder *builder, struct simulator *simulator, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char name[40];
		int r;

		(void)snprintf(name, sizeof(name), "vendor.value-%zu", i + 1); /* fits */
		r = bb_builder_add(builder, name);
		if (r < 0)
			return r;
		if (i == 0)
			simulator->bench_first = (size_t)r;
		simulator->bench_count = i + 1;
	}
	return 0;
}

static int simulator_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	struct simulator *simulator = state;
	const enum profile profile = (enum profile)bb_config_int(config, "profile");
	int r;

	simulator->speed = bb_config_int(config, "speed");
	simulator->poll_delay_ms = bb_config_int(config, "poll-delay");
	simulator->write_delay_ms = bb_config_int(config, "write-delay");
	simulator->refuses_writes = bb_config_bool(config, "refuse-writes");
	simulator->opened_ms = bb_clock_ms();
	r = load_scenario(config, &simulator->scenario); /* read again: nobody keeps what check() saw */
	if (r < 0)
		return r;
	prepare_model(simulator, config, profile);
	prepare_identity(simulator, config);

	if (profile == PROFILE_EVERYTHING)
		r = everything_open(builder, &simulator->everything);
	else
		r = points_add(builder, simulator->player.physics.setup.lines);
	if (r >= 0 && !simulator->everything)
		r = settings_add(builder, bb_config_name(config), &simulator->settings);
	if (r < 0)
		return r;
	simulator->modules_count = (size_t)bb_config_int(config, "modules");
	r = modules_add(builder, simulator->modules_count);
	if (r < 0)
		return r;
	simulator->modules_first = (size_t)r;
	return add_bench_points(builder, simulator, (size_t)bb_config_int(config, "points"));
}

static void simulator_close(void *state)
{
	struct simulator *simulator = state;

	everything_close(simulator->everything);
	scenario_free(simulator->scenario);
}

/* The model does not know the wall clock, so when a test began is noted by the first poll that sees it. */
static void note_test(struct simulator *simulator)
{
	const struct physics *physics = &simulator->player.physics;

	if (physics->test_result == PHYSICS_TEST_NEVER || physics->test_started_ms == simulator->test_started_ms)
		return;
	simulator->test_started_ms = physics->test_started_ms;
	simulator->test_wall_ms = bb_clock_wall_ms() -
				  bb_decimal_scale(physics->now_ms - physics->test_started_ms, 1000, simulator->speed);
}

/* Blocking is what a slow device does: nobody but its link's worker waits. */
static void take_time(int64_t duration_ms)
{
	struct timespec left = {.tv_sec = duration_ms / 1000, .tv_nsec = duration_ms % 1000 * 1000000};

	while (duration_ms > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static void advance(struct simulator *simulator)
{
	struct player *player = &simulator->player;

	player_advance(player, bb_decimal_scale(bb_clock_ms() - simulator->opened_ms, simulator->speed, 1000));
	settings_advance(&simulator->settings, &player->physics);
	note_test(simulator);
}

static int simulate(struct simulator *simulator, enum bb_group group, struct bb_reading *reading)
{
	struct player *player = &simulator->player;

	take_time(simulator->poll_delay_ms);
	advance(simulator);
	if (player_is_silent(player))
		return -ETIMEDOUT;

	simulator->tick++;
	if (simulator->everything) {
		everything_fill(simulator->everything, simulator->tick, player->now_ms, group, reading);
		return 0;
	}
	points_fill(player, &simulator->identity, simulator->test_wall_ms, group, reading);
	settings_fill(&simulator->settings, &player->physics, group, reading);
	return 0;
}

static int simulator_poll(void *state, struct bb_reading *reading)
{
	struct simulator *simulator = state;
	int r = simulate(simulator, BB_GROUP_REST, reading);

	if (r < 0)
		return r;
	modules_fill(reading, simulator->modules_first, simulator->modules_count, simulator->tick);
	for (size_t i = 0; i < simulator->bench_count; i++)
		(void)bb_reading_set(reading, simulator->bench_first + i, /* numbers are never out of range */
				     (int64_t)((simulator->tick + i * 7) % BENCH_RANGE));
	return 0;
}

static int simulator_watch(void *state, struct bb_reading *reading)
{
	return simulate(state, BB_GROUP_URGENT, reading);
}

static int simulator_write(void *state, size_t index, const struct bb_value *value)
{
	struct simulator *simulator = state;

	take_time(simulator->write_delay_ms);
	advance(simulator);
	if (player_is_silent(&simulator->player))
		return -ETIMEDOUT;
	if (simulator->refuses_writes)
		return -EREMOTEIO;
	if (simulator->everything)
		return everything_write(simulator->everything, index, value);
	return settings_write(&simulator->settings, &simulator->player.physics, index, value);
}

BB_PLUGIN(simulator) = {
	.abi = BB_PLUGIN_ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "simulator",
	.summary = "UPSs that exist in memory only",
	.options = simulator_options,
	.state_size = sizeof(struct simulator),
	.device =
		{
			.check = simulator_check,
			.open = simulator_open,
			.poll = simulator_poll,
			.watch = simulator_watch,
			.write = simulator_write,
			.close = simulator_close,
			.schemes = "simulator",
		},
};
