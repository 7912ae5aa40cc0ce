"""A TCP proxy that passes on every byte, those to the client after a delay. Arguments: host and port of the server, milliseconds.

It runs in its own process, so that its CPU time does not count for a client. The first line of output is its port.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

_CHUNK = 1 << 16


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on each chunk ``delay`` seconds after its arrival. Later chunks arrive meanwhile, so the rate does not fall."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def receive() -> None:
        chunk = b"-"
        while chunk:
            with suppress(ConnectionError):
                chunk = await reader.read(_CHUNK)
            await waiting.put((loop.time() + delay, chunk))

    receiving = asyncio.create_task(receive())
    with suppress(ConnectionError):
        while True:
            due, chunk = await waiting.get()
            await asyncio.sleep(due - loop.time())
            if not chunk:
                break
            writer.write(chunk)
            await writer.drain()
    receiving.cancel()
    writer.close()


async def main(host: str, port: int, delay: float) -> None:
    """Serve until the process is killed."""

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(pass_on(reader, upstream_writer, 0), pass_on(upstream_reader, writer, delay))

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) / 1000))
