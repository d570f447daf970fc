# SPDX-License-Identifier: Apache-2.0
"""pymodbus_server.py PORT UNITS - pymodbus' own TCP server on 127.0.0.1, for tests of Modbus clients.

UNITS is JSON: {"1": {"holding": {"100": 5}, "input": {}, "coils": {}, "discrete": {}}}. It prints "ready".
"""
import asyncio
import json
import sys

try:
    from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
    from pymodbus.server import StartAsyncTcpServer
except ImportError as error:
    print(f"missing: {error}", flush=True)
    sys.exit(0)


def block(values):
    # A block of nothing is one value where no request comes.
    return ModbusSparseDataBlock({int(address): value for address, value in values.items()} or {70000: 0})


async def main():
    port, units = int(sys.argv[1]), json.loads(sys.argv[2])
    slaves = {int(unit): ModbusSlaveContext(co=block(spaces.get("coils", {})), di=block(spaces.get("discrete", {})),
                                            ir=block(spaces.get("input", {})), hr=block(spaces.get("holding", {})),
                                            zero_mode=True)
              for unit, spaces in units.items()}
    context = ModbusServerContext(slaves=slaves, single=False)
    server = await StartAsyncTcpServer(context=context, address=("127.0.0.1", port), defer_start=True,
                                       allow_reuse_address=True)
    task = asyncio.ensure_future(server.serve_forever())
    while not (server.server and server.server.sockets):
        if task.done():
            await task
        await asyncio.sleep(0.01)
    print("ready", flush=True)
    await task


asyncio.run(main())
