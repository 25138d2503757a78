"""Topics as a shop writes them, and what a group has committed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

Message = tuple[str | bytes | None, Any]  # key and value: bytes as they are, None, or a document


@dataclass
class Topic:
    """ends: by partition, the offset after the last message. sent: where each message went: partition and offset."""

    servers: str
    name: str
    partitions: int = 2
    ends: dict[int, int] = field(default_factory=dict)
    sent: list[tuple[int, int]] = field(default_factory=list)

    def create(self) -> None:
        async def creating() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
            await admin.start()
            try:
                await admin.create_topics([NewTopic(self.name, self.partitions, 1)])
            finally:
                await admin.close()

        asyncio.run(creating())

    def send(self, messages: Sequence[Message], transaction: str | None = None) -> None:
        """Returns once the broker has them. transaction: the name of a producer that sends them in one."""

        async def sending() -> None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self.servers, linger_ms=5, transactional_id=transaction
            )
            await producer.start()
            try:
                async with producer.transaction() if transaction else nullcontext():
                    futures = [
                        await producer.send(self.name, value=_bytes(value), key=_bytes(key))
                        for key, value in messages
                    ]
                    for done in await asyncio.gather(*futures):
                        self.sent.append((done.partition, done.offset))
                        self.ends[done.partition] = max(self.ends.get(done.partition, 0), done.offset + 1)
            finally:
                await producer.stop()

        asyncio.run(sending())

    def committed(self, group: str) -> Mapping[int, int]:
        """By partition."""

        async def asking() -> dict[TopicPartition, Any]:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
            await admin.start()
            try:
                found: dict[TopicPartition, Any] = await admin.list_consumer_group_offsets(group)
                return found
            finally:
                await admin.close()

        return {place.partition: told.offset for place, told in asyncio.run(asking()).items()}


def _bytes(content: Any) -> bytes | None:
    if content is None or isinstance(content, bytes):
        return content
    return content.encode() if isinstance(content, str) else json.dumps(content).encode()
