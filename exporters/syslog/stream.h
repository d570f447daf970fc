/* SPDX-License-Identifier: Apache-2.0
 *
 * stream.h - a connection that takes bytes, in the clear (transport_stream.c) or not (tls.c).
 *
 * Nothing here waits: a call that cannot go on returns -EAGAIN, and wants says what the descriptor has to be watched
 * for until it is called again. Thread: the one that opened the stream.
 */
#ifndef SYSLOG_STREAM_H
#define SYSLOG_STREAM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <busbar/config.h>

struct stream;

struct stream_ops {
	/** Agree with the peer. 0: done; -EAGAIN; another negative errno: no use. */
	int (*handshake)(struct stream *stream);
	/** Write some. How much was taken, or -EAGAIN, or another negative errno: the connection is gone. */
	ssize_t (*write)(struct stream *stream, const void *bytes, size_t length);
	/** Read whatever the peer says, and forget it. -EAGAIN: no more; -EPIPE: it has closed; another: gone. */
	int (*drain)(struct stream *stream);
	/** Say that nothing more will come; the peer may then close, too. */
	void (*finish)(struct stream *stream);
	/** Free what belongs to the stream; the descriptor is closed by stream_close(). */
	void (*close)(struct stream *stream);
	/** Bytes that our kernel has taken so far. */
	uint64_t (*written)(const struct stream *stream);
};

/** The beginning of every kind of stream. */
struct stream {
	const struct stream_ops *ops;
	int fd;
	unsigned wants;    /* bits of bb_watch_events */
	char trouble[256]; /* what is wrong, when an errno does not say it; "" otherwise */
};

/** A stream in the clear on the connected socket @fd, which it owns from now on. 0 or -ENOMEM. */
int stream_open(int fd, struct stream **ret_stream);

/** Close it with its descriptor, which nobody may watch any more. Accepts NULL. */
void stream_close(struct stream *stream);

/** How many bytes of the stream the peer's kernel has acknowledged. */
uint64_t stream_acknowledged(const struct stream *stream);

/** Has the peer's kernel been silent for @silence_ms while it owed us an answer? A slow reader's kernel has not. */
bool stream_is_dead(const struct stream *stream, int64_t silence_ms);

/** Begin to connect to @address (a number) and @port. Returns the descriptor or a negative errno. */
int stream_connect(const char *address, unsigned short port);

/** The outcome, once the descriptor can be written. 0 or a negative errno. */
int stream_connected(int fd);

/* ---- TLS ---- */

struct tls; /* what all TLS connections of a section share: trust, our certificate */

/**
 * Prepare it from the options of @config: ca-file, certificate-file, key-file, insecure. Returns 0, -ENOMEM, or -EINVAL
 * after bb_config_error() has said what is wrong. Thread: any, one at a time.
 */
int tls_create(const struct bb_config *config, struct tls **ret_tls);

/** Accepts NULL. No stream of it may be left. */
void tls_destroy(struct tls *tls);

/** A stream on the connected socket @fd, owned from now on, to a peer whose certificate must be for @name. */
int tls_open(struct tls *tls, int fd, const char *name, struct stream **ret_stream);

#endif
