/* SPDX-License-Identifier: Apache-2.0
 *
 * journal_shim - LD_PRELOAD: keeps beside the files of a folder what a power failure would leave of them.
 *
 * Whenever a file of SHIM_FOLDER is synced, its content is copied to SHIM_DURABLE under a name made of its inode and
 * its time of birth; whenever the folder itself is synced, the list of its names goes to SHIM_DURABLE/names. After the
 * process was killed, whoever puts together what names lists has the folder as a disk would show it that forgets all
 * that was not synced: later writes, new names, removed names.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The name of a file's copy; false when it cannot be told. */
static int key_of(int fd, char *key, size_t size)
{
	struct statx status;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) < 0)
		return -1;
	return snprintf(key, size, "%llu-%lld-%u", (unsigned long long)status.stx_ino,
			(long long)status.stx_btime.tv_sec, status.stx_btime.tv_nsec);
}

static void die(const char *what)
{
	perror(what);
	abort(); /* a test that goes on would prove nothing */
}

/* Write @path anew by way of a temporary file, so that a kill leaves the old one or the new one. */
static FILE *replace_begin(const char *path, char *temporary)
{
	FILE *stream;

	(void)snprintf(temporary, PATH_MAX, "%s.tmp", path);
	stream = fopen(temporary, "we");
	if (!stream)
		die(temporary);
	return stream;
}

static void replace_end(FILE *stream, const char *temporary, const char *path)
{
	if (fclose(stream) != 0 || rename(temporary, path) < 0)
		die(path);
}

static void keep_content(int fd, const char *durable)
{
	char key[80], path[PATH_MAX], temporary[PATH_MAX], buffer[65536];
	off_t at = 0;
	ssize_t got;
	FILE *copy;

	if (key_of(fd, key, sizeof(key)) < 0)
		die("statx");
	(void)snprintf(path, sizeof(path), "%s/%s", durable, key);
	copy = replace_begin(path, temporary);
	for (; (got = pread(fd, buffer, sizeof(buffer), at)) > 0; at += got)
		if (fwrite(buffer, 1, (size_t)got, copy) != (size_t)got)
			die(temporary);
	replace_end(copy, temporary, path);
}

static void keep_names(const char *folder, const char *durable)
{
	char path[PATH_MAX], temporary[PATH_MAX], key[80];
	DIR *directory = opendir(folder);
	struct dirent *entry;
	FILE *names;

	if (!directory)
		die(folder);
	(void)snprintf(path, sizeof(path), "%s/names", durable);
	names = replace_begin(path, temporary);
	while ((entry = readdir(directory)) != NULL) {
		const int file = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);

		if (file >= 0 && entry->d_name[0] != '.' && key_of(file, key, sizeof(key)) > 0)
			(void)fprintf(names, "%s %s\n", entry->d_name, key);
		if (file >= 0)
			close(file);
	}
	closedir(directory);
	replace_end(names, temporary, path);
}

/* What is there at the start, the disk has. */
__attribute__((constructor)) static void begin(void)
{
	const char *folder = getenv("SHIM_FOLDER"), *durable = getenv("SHIM_DURABLE");
	DIR *directory = folder && durable ? opendir(folder) : NULL;
	struct dirent *entry;

	while (directory && (entry = readdir(directory)) != NULL) {
		const int file = openat(dirfd(directory), entry->d_name, O_RDONLY | O_CLOEXEC);

		if (file >= 0 && entry->d_name[0] != '.')
			keep_content(file, durable);
		if (file >= 0)
			close(file);
	}
	if (!directory)
		return;
	closedir(directory);
	keep_names(folder, durable);
}

static void keep(int fd)
{
	const char *folder = getenv("SHIM_FOLDER"), *durable = getenv("SHIM_DURABLE");
	char link[64], path[PATH_MAX];
	ssize_t length;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (!folder || !durable || length < 0)
		return;
	path[length] = '\0';
	if (strcmp(path, folder) == 0)
		keep_names(folder, durable);
	else if (strncmp(path, folder, strlen(folder)) == 0)
		keep_content(fd, durable);
}

/* The real one is not called: what it would do has just been done. */
int fsync(int fd)
{
	keep(fd);
	return 0;
}

int fdatasync(int fd)
{
	keep(fd);
	return 0;
}
