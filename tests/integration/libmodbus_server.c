/* SPDX-License-Identifier: Apache-2.0
 *
 * libmodbus_server.c - a Modbus TCP server made of libmodbus, to compare our answers with: libmodbus_server PORT.
 *
 * Reads "address word" lines from standard input until its end, serves them as holding and input registers of one
 * connection after the other, and prints "ready" when it listens. Other addresses hold 0: compare listed ones only.
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REGISTERS 65536

int main(int argc, char **argv)
{
	modbus_mapping_t *mapping = modbus_mapping_new(0, 0, REGISTERS, REGISTERS);
	modbus_t *context = argc == 2 ? modbus_new_tcp("127.0.0.1", atoi(argv[1])) : NULL;
	unsigned address, word;
	int listener;

	if (!mapping || !context)
		return EXIT_FAILURE;
	while (scanf("%u %u", &address, &word) == 2 && address < REGISTERS) {
		mapping->tab_registers[address] = (uint16_t)word;
		mapping->tab_input_registers[address] = (uint16_t)word;
	}
	listener = modbus_tcp_listen(context, 1);
	if (listener < 0)
		return EXIT_FAILURE;
	(void)puts("ready");
	(void)fflush(stdout);
	while (modbus_tcp_accept(context, &listener) >= 0) {
		uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
		int length;

		while ((length = modbus_receive(context, query)) >= 0)
			(void)modbus_reply(context, query, length,
					   mapping); /* a broken connection shows at the next receive */
		modbus_close(context);
	}
	close(listener);
	modbus_mapping_free(mapping);
	modbus_free(context);
	return EXIT_SUCCESS;
}
