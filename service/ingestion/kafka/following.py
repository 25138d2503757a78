"""A topic taken into the catalogue: what is fetched is written, and then committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from service.ingestion.kafka import client
from service.ingestion.kafka.messages import record_of_message
from service.ingestion.pipeline import Pipeline
from service.settings.ingest import KafkaSettings

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition

_FETCH_MS, _STEP_S = 250, 0.5  # that records are waited for, and anything at all
_LOOK_S, _ANSWER_S = 1.0, 5.0  # how often the broker is asked how much waits; how long answers may take
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 5.0  # between consumers that fail
Written = Callable[[int, Sequence[int]], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Fetched:
    """Messages by partition, and how often partitions had been taken away when they were fetched."""

    messages: Mapping[TopicPartition, Sequence[ConsumerRecord[bytes, bytes]]]
    revocations: int


class Following:
    """Reads a topic as a member of a group until it is stopped. All but `stop` within one event loop.

    Offsets are committed once their records are durable, in the catalogue or as dead letters: after a crash the last
    batch comes again, and nothing is left out.
    """

    def __init__(
        self, settings: KafkaSettings, options: Mapping[str, Any], pipeline: Pipeline, written: Written
    ) -> None:
        """options: of the consumer. written: told of each batch its last place in the outbox, and when each of its
        records was made, in ms since 1970.
        """
        self._settings, self._options, self._topic = settings, options, settings.topic or ""
        self._servers = ", ".join(settings.servers)
        self._pipeline, self._written = pipeline, written
        self._figures = pipeline.figures
        self._stopping = asyncio.Event()
        self._turn = asyncio.Lock()  # of a batch, until it is committed
        self._revocations = 0  # how often partitions have been taken away
        self._pause_s = _FIRST_PAUSE_S

    def stop(self) -> None:
        """Has `run` end after the batch under way."""
        self._stopping.set()

    async def run(self) -> None:
        """Returns once it has been stopped. Whatever fails is told, and tried again with another consumer."""
        while not self._stopping.is_set():
            consumer = client.consumer(self._options)
            try:
                await self._follow(consumer)
            except Exception as error:  # noqa: BLE001 - it is counted and told, and the service goes on
                self._failed(error)
                await self._unless_stopped(asyncio.sleep(self._pause_s))
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
            finally:
                with suppress(Exception):  # of a broker that is gone nobody takes leave
                    await asyncio.wait_for(consumer.stop(), _ANSWER_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        await self._unless_stopped(consumer.start())
        if self._stopping.is_set():
            return
        await asyncio.wait_for(self._require_topic(consumer), _ANSWER_S)
        # Not before the start, which would wait until partitions are given out.
        consumer.subscribe([self._topic], listener=_listener(self._revoked))
        loop, look_at = asyncio.get_running_loop(), 0.0
        fetching: asyncio.Task[_Fetched] | None = None
        try:
            while not self._stopping.is_set():
                # It is not cancelled where it takes long, as while partitions are given out: a batch would be lost.
                fetching = fetching or asyncio.ensure_future(self._fetched(consumer))
                await asyncio.wait((fetching,), timeout=_STEP_S)
                if fetching.done():
                    fetched, fetching = fetching.result(), None
                    await self._take(consumer, fetched)
                if loop.time() >= look_at:
                    await self._look(consumer)
                    look_at = loop.time() + _LOOK_S
        finally:
            if fetching is not None:
                fetching.cancel()
                await asyncio.gather(fetching, return_exceptions=True)

    async def _require_topic(self, consumer: AIOKafkaConsumer) -> None:
        if self._topic not in await consumer.topics():
            raise LookupError(
                f"there is no such topic on {self._servers}; create it, or correct ingest.kafka.topic"
            )

    async def _fetched(self, consumer: AIOKafkaConsumer) -> _Fetched:
        messages = await consumer.getmany(timeout_ms=_FETCH_MS, max_records=self._settings.batch)
        return _Fetched({partition: part for partition, part in messages.items() if part}, self._revocations)

    async def _take(self, consumer: AIOKafkaConsumer, fetched: _Fetched) -> None:
        """Writes what was fetched, and commits that."""
        if not fetched.messages:
            return
        async with self._turn:
            if fetched.revocations != self._revocations:
                return  # whoever has the partitions now begins after what was committed
            everything = [message for part in fetched.messages.values() for message in part]
            await asyncio.to_thread(self._write, everything)
            done = {partition: part[-1].offset + 1 for partition, part in fetched.messages.items()}
            await asyncio.wait_for(consumer.commit(done), _ANSWER_S)

    async def _revoked(self) -> None:
        """Partitions are taken away: after the batch under way."""
        async with self._turn:
            self._revocations += 1

    def _write(self, messages: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        taken = self._pipeline.take(
            self._topic, [record_of_message(message, self._settings.operation) for message in messages]
        )
        if taken.made_ms:
            self._written(taken.seq, taken.made_ms)

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Asks how much waits, by which it is also noticed where nobody answers."""
        try:
            await self._unless_stopped(asyncio.wait_for(self._count(consumer), _ANSWER_S))
        except Exception as error:  # noqa: BLE001 - the consumer itself goes on and connects again
            self._failed(error)

    async def _count(self, consumer: AIOKafkaConsumer) -> None:
        partitions = consumer.assignment()
        if not partitions:  # others have them all, or the group is giving them out
            await self._require_topic(consumer)
        # Also beyond the marks of transactions, which are no records. What was fetched has been taken by now.
        done = {partition: await consumer.position(partition) for partition in partitions}
        ends = await consumer.end_offsets(list(partitions)) if partitions else {}
        lag = {partition.partition: end - done[partition] for partition, end in ends.items()}
        self._figures.lag, self._figures.source_error = lag, ""
        self._pause_s = _FIRST_PAUSE_S

    def _failed(self, error: Exception) -> None:
        why = "no answer in time" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        text = f"Kafka, topic {self._topic}: {why}"
        if text != self._figures.source_error:
            log.warning("%s; trying again", text)
        self._figures.failures += 1
        self._figures.source_error = text

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Waits for something that may take for ever; once stopped it is dropped. Raises what it raises."""
        working, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((working, stopped), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            working.cancel()
            stopped.cancel()
            await asyncio.gather(working, stopped, return_exceptions=True)


def _listener(revoked: Callable[[], Awaitable[None]]) -> ConsumerRebalanceListener:
    from aiokafka import ConsumerRebalanceListener

    class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
        async def on_partitions_revoked(self, _partitions: object) -> None:
            await revoked()

        async def on_partitions_assigned(self, _partitions: object) -> None:
            pass

    return Listener()
