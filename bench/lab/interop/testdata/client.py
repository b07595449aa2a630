# The same as client.js, by python3-websockets: python3 client.py URL MESSAGE...
import asyncio, sys
import websockets

async def main(url, *messages):
    async with websockets.connect(url, subprotocols=["stormwheel.1"], compression="deflate") as ws:
        for m in messages:
            await ws.send(bytes.fromhex(m))
        pong = await ws.ping(b"there?")
        await asyncio.wait_for(pong, 20)
        try:
            while True:
                print("message", (await asyncio.wait_for(ws.recv(), 20)).hex(), flush=True)
        except websockets.ConnectionClosed:
            pass
    print("closed", ws.close_code, ws.subprotocol)

asyncio.run(main(*sys.argv[1:]))
