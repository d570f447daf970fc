/* SPDX-License-Identifier: Apache-2.0
 *
 * runner.c - runs the cases that criterion/criterion.h beside it has collected, each in a fork, and ends with the line
 * that Criterion ends with, which tests/summary.py reads.
 *
 * Failures are told through a descriptor of its own, since tests turn stderr into files.
 */
#include "criterion/criterion.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define TIMEOUT_S 60

static struct runner_case *cases;
static int report_fd = STDERR_FILENO;
static const struct runner_case *running;
static bool failed;

void runner_add(struct runner_case *case_)
{
	case_->next = cases;
	cases = case_;
}

__attribute__((format(printf, 5, 0))) static void report(const char *file, int line, const char *what, bool fatal,
							 const char *format, va_list arguments)
{
	(void)dprintf(report_fd, "%s/%s: %s:%d: %s: ", running->suite, running->name, file, line, what);
	(void)vdprintf(report_fd, format, arguments);
	(void)dprintf(report_fd, "\n");
	failed = true;
	if (fatal)
		_exit(1);
}

void runner_check(bool good, bool fatal, const char *file, int line, const char *what, const char *format, ...)
{
	va_list arguments;

	if (good)
		return;
	va_start(arguments, format);
	report(file, line, what, fatal, format, arguments);
	va_end(arguments);
}

void runner_check_text(bool equal, bool fatal, const char *file, int line, const char *a, const char *b,
		       const char *format, ...)
{
	char what[1024];
	va_list arguments;

	if (a && b && (strcmp(a, b) == 0) == equal)
		return;
	(void)snprintf(what, sizeof(what), "'%s' %s '%s'", a ? a : "(NULL)", equal ? "is not" : "is", b ? b : "(NULL)");
	va_start(arguments, format);
	report(file, line, what, fatal, format, arguments);
	va_end(arguments);
}

static const struct runner_case *suite_of(const struct runner_case *case_)
{
	static const struct runner_case none = {.suite = ""};

	for (const struct runner_case *suite = cases; suite; suite = suite->next)
		if (!suite->run && strcmp(suite->suite, case_->suite) == 0)
			return suite;
	return &none;
}

static void call(void (*function)(void))
{
	if (function)
		function();
}

/* In the fork. Leaves by exit(), so that the sanitizer speaks last. */
__attribute__((noreturn)) static void run(const struct runner_case *case_)
{
	const struct runner_case *suite = suite_of(case_);

	running = case_;
	(void)alarm(case_->timeout > 0 ? (unsigned)case_->timeout * 4 + 1 : TIMEOUT_S);
	call(suite->init);
	call(case_->init);
	case_->run();
	call(case_->fini);
	call(suite->fini);
	exit(failed ? 1 : 0);
}

static bool ended_well(const struct runner_case *case_, int status)
{
	if (case_->signal)
		return WIFSIGNALED(status) && WTERMSIG(status) == case_->signal;
	return WIFEXITED(status) && WEXITSTATUS(status) == case_->exit_code;
}

int main(void)
{
	int tested = 0, failing = 0, crashing = 0;

	report_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	for (const struct runner_case *case_ = cases; case_; case_ = case_->next) {
		int status = 0;
		pid_t child;

		if (!case_->run || case_->disabled)
			continue;
		tested++;
		child = fork();
		if (child == 0)
			run(case_);
		if (child < 0 || waitpid(child, &status, 0) != child || !ended_well(case_, status)) {
			(void)dprintf(report_fd, "%s/%s: failed (wait status 0x%x)\n", case_->suite, case_->name,
				      (unsigned)status);
			if (WIFSIGNALED(status))
				crashing++;
			else
				failing++;
		}
	}
	(void)dprintf(report_fd, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: %d\n", tested,
		      tested - failing - crashing, failing, crashing);
	return tested == 0 || failing + crashing > 0;
}
