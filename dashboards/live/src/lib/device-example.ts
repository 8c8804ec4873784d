/* A whole device in Python, as the empty page shows it. tests/browser runs it as it stands there. */

export const writeExample = (origin: string, hasKey: boolean): string =>
  `import asyncio, json, random
from websockets.asyncio.client import connect

URL = "${origin.replace(/^http/, 'ws')}/ws/devices/thermometer-1"
KEY = ${hasKey ? '{"authorization": "Bearer tk_…"}' : '{}'}

async def measure(socket, state):
    while True:
        value = round(state["target"] + random.uniform(-0.5, 0.5), 2)
        points = [{"id": "temperature", "value": value}]
        await socket.send(json.dumps({"type": "points", "points": points}))
        await asyncio.sleep(1)

async def main():
    state = {"target": 21.0}
    async with connect(URL, additional_headers=KEY) as socket:
        await socket.send(json.dumps({
            "type": "register", "title": "Thermometer", "heartbeat_seconds": 10,
            "telemetry_types": {"temperature": {
                "data_type": "float", "unit": "°C", "range": {"min": 0, "max": 40}}},
            "command_templates": {"set_target": {
                "description": "Heats or cools to a temperature.",
                "parameters": {"target": {"type": "float", "required": True, "min": 5, "max": 35}}}},
        }))
        measuring = asyncio.create_task(measure(socket, state))
        async for text in socket:
            message = json.loads(text)
            if message["type"] == "command":
                state["target"] = message["parameters"]["target"]
                await socket.send(json.dumps({
                    "type": "result", "command_id": message["command_id"], "stage": "succeeded"}))

asyncio.run(main())
`;
