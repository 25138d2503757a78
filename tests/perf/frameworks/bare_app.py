"""No framework: ASGI and msgspec, what the server and the serialisation alone cost."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.perf.frameworks.litestar_app import ROWS, Answer, Hit, Query

_DECODER, _ENCODER = msgspec.json.Decoder(Query), msgspec.json.Encoder()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        while scope["type"] == "lifespan":
            message = (await receive())["type"]
            await send({"type": f"{message}.complete"})
            if message == "lifespan.shutdown":
                return
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message.get("more_body", False)
    query = _DECODER.decode(body)
    answer = _ENCODER.encode(Answer([Hit(*row) for row in ROWS], query.k))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
