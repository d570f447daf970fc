/* SPDX-License-Identifier: Apache-2.0
 *
 * client.c - the process's one client: started with its first user, ended with its last.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "client.h"

static pthread_mutex_t client_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static struct bb_snmp_client *client_of_process;
static unsigned client_users;

static int client_create(struct bb_snmp_client **ret_client)
{
	struct bb_snmp_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client)
		return -ENOMEM;
	TAILQ_INIT(&client->agents);
	TAILQ_INIT(&client->completed);
	TAILQ_INIT(&client->keyless);
	library_init();
	netsnmp_large_fd_set_init(&client->ready, FD_SETSIZE);
	r = bb_loop_thread_start("busbar-snmp", &client->loop);
	if (r < 0) {
		netsnmp_large_fd_set_cleanup(&client->ready);
		free(client);
		return r;
	}
	*ret_client = client;
	return 0;
}

static void client_destroy(struct bb_snmp_client *client)
{
	assert(TAILQ_EMPTY(&client->agents));
	bb_loop_thread_stop(client->loop);
	netsnmp_large_fd_set_cleanup(&client->ready);
	key_cache_clear(&client->keys);
	free(client->variables);
	free(client);
}

int bb_snmp_client_acquire(struct bb_snmp_client **ret_client)
{
	int r = 0;

	pthread_mutex_lock(&client_lock);
	if (client_users == 0)
		r = client_create(&client_of_process);
	if (r == 0) {
		client_users++;
		*ret_client = client_of_process;
	}
	pthread_mutex_unlock(&client_lock);
	return r;
}

void bb_snmp_client_release(struct bb_snmp_client *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&client_lock);
	assert(client == client_of_process && client_users > 0);
	if (--client_users == 0) {
		client_destroy(client);
		client_of_process = NULL;
	}
	pthread_mutex_unlock(&client_lock);
}

struct bb_loop *bb_snmp_client_loop(struct bb_snmp_client *client)
{
	return client->loop;
}
