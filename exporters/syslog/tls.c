/* SPDX-License-Identifier: Apache-2.0
 *
 * tls.c - syslog over TLS (RFC 5425) with OpenSSL: versions 1.2 and up, the peer's certificate verified, its name too.
 *
 * OpenSSL keeps its errors in a queue per thread, and tells through it what went wrong with the call before: so the
 * queue is emptied before each call, and read right after.
 */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <busbar/loop.h>

/* A receiver has nothing to say; this many pieces at once are too much. */
#define DRAIN_PIECES 64

struct tls {
	SSL_CTX *context;
};

struct tls_stream {
	struct stream stream; /* first */
	SSL *ssl;
	char *name; /* that the certificate must be for */
};

static struct tls_stream *tls_of(const struct stream *stream)
{
	return (struct tls_stream *)stream;
}

/* What the last call into OpenSSL has against it, in words. */
static const char *last_reason(void)
{
	const unsigned long code = ERR_peek_last_error();
	const char *reason = NULL;

	if (ERR_GET_LIB(code) == ERR_LIB_SYS)
		reason = strerror(ERR_GET_REASON(code));
	else if (code != 0)
		reason = ERR_reason_error_string(code);
	return reason ? reason : "no reason given";
}

/* ---- what connections share ---- */

/* A key with a pass phrase: nobody is there to type it, and OpenSSL would ask the terminal. */
static int no_pass_phrase(char *buffer, int size, int writing, void *context)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)context;
	return -1;
}

static int load_trust(SSL_CTX *context, const struct bb_config *config)
{
	const char *file = bb_config_string(config, "ca-file");

	if (!file)
		return SSL_CTX_set_default_verify_paths(context) == 1 ? 0 : -ENOMEM;
	if (SSL_CTX_load_verify_locations(context, file, NULL) != 1)
		return bb_config_error(config, "ca-file", "no certificates in %s: %s", file, last_reason());
	return 0;
}

static int load_own(SSL_CTX *context, const struct bb_config *config)
{
	const char *certificate = bb_config_string(config, "certificate-file");
	const char *key = bb_config_string(config, "key-file");

	if (!certificate && !key)
		return 0;
	if (!certificate)
		return bb_config_error(config, "key-file", "is of no use without 'certificate-file'");
	if (!key)
		return bb_config_error(config, "certificate-file", "is of no use without 'key-file'");
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return bb_config_error(config, "certificate-file", "no certificate in %s: %s", certificate,
				       last_reason());
	if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		return bb_config_error(config, "key-file", "no key for that certificate in %s: %s", key, last_reason());
	return 0;
}

int tls_create(const struct bb_config *config, struct tls **ret_tls)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int r = -ENOMEM;

	if (!tls)
		return -ENOMEM;
	ERR_clear_error();
	tls->context = SSL_CTX_new(TLS_client_method());
	if (!tls->context)
		goto fail;
	(void)SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION); /* fails for versions it does not know */
	/* What is left of a buffer moves to its beginning between two attempts to write it. */
	(void)SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_options(tls->context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(tls->context, bb_config_bool(config, "insecure") ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(tls->context, no_pass_phrase);
	r = load_trust(tls->context, config);
	if (r >= 0)
		r = load_own(tls->context, config);
	if (r < 0)
		goto fail;
	*ret_tls = tls;
	return 0;
fail:
	tls_destroy(tls);
	return r;
}

void tls_destroy(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

/* ---- one connection ---- */

static void say_trouble(struct tls_stream *tls)
{
	const long verdict = SSL_get_verify_result(tls->ssl);
	char *trouble = tls->stream.trouble;
	const size_t size = sizeof(tls->stream.trouble);

	if (verdict == X509_V_OK || SSL_get_verify_mode(tls->ssl) == SSL_VERIFY_NONE)
		(void)snprintf(trouble, size, "TLS: %s", last_reason()); /* a cut line will do, here and below */
	else if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
		(void)snprintf(trouble, size, "its certificate is refused: not made out for '%s'", tls->name);
	else
		(void)snprintf(trouble, size, "its certificate is refused: %s", X509_verify_cert_error_string(verdict));
}

/* What a call's @result means: -EAGAIN with what to wait for, -EPIPE at the peer's end, or an error. */
static int outcome(struct tls_stream *tls, int result)
{
	const int error = errno;

	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		tls->stream.wants = BB_WATCH_READ;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		tls->stream.wants = BB_WATCH_READ | BB_WATCH_WRITE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return -EPIPE;
	case SSL_ERROR_SYSCALL:
		return error > 0 ? -error : -ECONNRESET;
	default:
		if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return -EPIPE; /* closed without a word, which many do */
		say_trouble(tls);
		return -EPROTO;
	}
}

static int tls_handshake(struct stream *stream)
{
	struct tls_stream *tls = tls_of(stream);
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_connect(tls->ssl);
	if (r == 1) {
		stream->wants = BB_WATCH_READ;
		return 0;
	}
	r = outcome(tls, r);
	return r == -EPIPE ? -ECONNRESET : r; /* before there was a connection to close */
}

static ssize_t tls_write(struct stream *stream, const void *bytes, size_t length)
{
	struct tls_stream *tls = tls_of(stream);
	size_t taken;
	int r;

	ERR_clear_error();
	errno = 0;
	r = SSL_write_ex(tls->ssl, bytes, length, &taken);
	if (r != 1)
		return outcome(tls, r);
	stream->wants = BB_WATCH_READ;
	return (ssize_t)taken;
}

static int tls_drain(struct stream *stream)
{
	struct tls_stream *tls = tls_of(stream);
	const unsigned wanted = stream->wants;
	char nobody_reads[1024];
	size_t length;
	int r = 0;

	ERR_clear_error();
	errno = 0;
	for (int i = 0; i < DRAIN_PIECES; i++) {
		r = SSL_read_ex(tls->ssl, nobody_reads, sizeof(nobody_reads), &length);
		if (r != 1)
			break;
	}
	if (r == 1) { /* what is left may be in OpenSSL's hands already, where nothing would wake us */
		(void)snprintf(stream->trouble, sizeof(stream->trouble), "it talks, where it should only listen");
		return -EPROTO;
	}
	r = outcome(tls, r);
	stream->wants |= wanted; /* a write that waits goes on waiting */
	return r;
}

static void tls_finish(struct stream *stream)
{
	ERR_clear_error();
	(void)SSL_shutdown(tls_of(stream)->ssl); /* the peer's answer, or that it has gone, comes with the next drain */
	(void)shutdown(stream->fd, SHUT_WR);
}

static void tls_close(struct stream *stream)
{
	struct tls_stream *tls = tls_of(stream);

	SSL_free(tls->ssl);
	free(tls->name);
	free(tls);
}

static uint64_t tls_written(const struct stream *stream)
{
	return BIO_number_written(SSL_get_wbio(tls_of(stream)->ssl));
}

static const struct stream_ops tls_ops = {
	.handshake = tls_handshake,
	.write = tls_write,
	.drain = tls_drain,
	.finish = tls_finish,
	.close = tls_close,
	.written = tls_written,
};

/* The certificate must be for @name; a number is looked for among its addresses. */
static int set_name(SSL *ssl, const char *name)
{
	unsigned char number[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, name, number) == 1 || inet_pton(AF_INET6, name, number) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1 ? 0 : -ENOMEM;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1 ? 0 : -ENOMEM;
}

int tls_open(struct tls *shared, int fd, const char *name, struct stream **ret_stream)
{
	struct tls_stream *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return -ENOMEM;
	tls->stream = (struct stream){.ops = &tls_ops, .fd = fd, .wants = BB_WATCH_READ | BB_WATCH_WRITE};
	tls->name = strdup(name);
	tls->ssl = SSL_new(shared->context);
	if (!tls->name || !tls->ssl || SSL_set_fd(tls->ssl, fd) != 1 || set_name(tls->ssl, name) < 0) {
		tls_close(&tls->stream);
		return -ENOMEM;
	}
	*ret_stream = &tls->stream;
	return 0;
}
