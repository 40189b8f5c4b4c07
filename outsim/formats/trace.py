"""Writes a trace in Perfetto's format, a few thousand packets at a time; names are written once.

The messages are those of ``trace_packet.proto`` and ``track_event.proto`` of the package
`perfetto`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from outsim.clock import MINUTE, SECOND
from outsim.formats.selection import BinaryFile
from outsim.results.run_arrays import origin_us_of

_SEQUENCE = 1
_CLEARED, _NEEDED = 1, 2
"""Flags of a packet: what was interned before is void; it uses what was."""
_BEGIN, _END, _INSTANT, _COUNTER = 1, 2, 3, 4
_EXPLICIT = 3
"""Order of the tracks in a group: by rank."""
_REALTIME, _BOOTTIME = 1, 6
"""Perfetto's numbers of the wall clock, and of the clock of events."""
_NS = 1000
_BATCH = 4096
"""Packets that are in memory at once: parts of a trace, one after another, are a trace."""


class Track(NamedTuple):
    """A track of a trace."""

    uuid: int


class TraceWriter:
    """Writes one trace to a file; it counts from where the run begins."""

    def __init__(self, file: BinaryFile, begins: datetime) -> None:
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2

        self._file = file
        self._trace = perfetto_trace_pb2.Trace
        self._batch = self._trace()
        self._origin_us = origin_us_of(begins)
        self._names: dict[str, int] = {}
        self._value_names: dict[str, int] = {}
        self._tracks = 0
        self._packet().sequence_flags = _CLEARED
        self._write_clock(begins)

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def _flush(self) -> None:
        self._file.write(self._batch.SerializeToString())
        # Cleared messages keep the memory of all that was ever in them.
        self._batch = self._trace()

    def _packet(self) -> Any:
        """Next packet of the trace, to be filled in."""
        if len(self._batch.packet) == _BATCH:
            self._flush()
        return self._batch.packet.add(trusted_packet_sequence_id=_SEQUENCE, sequence_flags=_NEEDED)

    def _write_clock(self, begins: datetime) -> None:
        """Say what time of day the trace begins at, and in which time zone."""
        packet = self._packet()
        for clock, at_us in ((_BOOTTIME, 0), (_REALTIME, self._origin_us)):
            packet.clock_snapshot.clocks.add(clock_id=clock, timestamp=at_us * _NS)
        packet.timestamp = 0
        offset = begins.utcoffset()
        packet = self._packet()
        packet.system_info.timezone_off_mins = (
            round(offset.total_seconds() * SECOND / MINUTE) if offset else 0
        )

    def group(self, name: str) -> Track:
        """A track that others are put under."""
        return self.track(name, None)

    def track(
        self, name: str, group: Track | None, *, unit: str | None = None, rank: int | None = None
    ) -> Track:
        """A new track in a group; one with a unit is a counter's."""
        self._tracks += 1
        packet = self._packet()
        descriptor = packet.track_descriptor
        descriptor.uuid, descriptor.name = self._tracks, name
        descriptor.sibling_order_rank = self._tracks if rank is None else rank
        descriptor.child_ordering = _EXPLICIT
        if group is not None:
            descriptor.parent_uuid = group.uuid
        if unit is not None:
            descriptor.counter.unit_name = unit
        return Track(self._tracks)

    def _since_us(self, at: datetime) -> int:
        return origin_us_of(at) - self._origin_us

    def span(
        self, track: Track, name: str, begins: datetime, ends: datetime | None, values: Any
    ) -> None:
        """A slice; one without an end lasts until the trace ends."""
        self._begin(track, name, self._since_us(begins), values)
        if ends is not None:
            self._end(track, self._since_us(ends))

    def instant(self, track: Track, name: str, at: datetime) -> None:
        """Something that happens at an instant."""
        self._begin(track, name, self._since_us(at), {}, _INSTANT)

    def attempt(
        self, track: Track, name: str, values: dict[str, Any], marks: list[tuple[str, int]]
    ) -> None:
        """A slice, and within it one for each phase."""
        is_open = False
        for number, (phase, at_us) in enumerate(marks):
            since_us = at_us - self._origin_us
            if number == 0:
                self._begin(track, name, since_us, values)
            if is_open:
                self._end(track, since_us)
            if phase:
                self._begin(track, phase, since_us, {})
                is_open = True
            else:
                self._end(track, since_us)

    def counter(self, track: Track, at_us: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Values of a counter: instants in microseconds since 1970, and the value from each on."""
        for since_us, count in zip(
            (at_us - self._origin_us).tolist(), counts.tolist(), strict=True
        ):
            event = self._event(_COUNTER, track, since_us)
            event.counter_value = count

    def _event(self, kind: int, track: Track, since_us: int) -> Any:
        packet = self._packet()
        packet.timestamp = since_us * _NS
        event = packet.track_event
        event.type, event.track_uuid = kind, track.uuid
        return event

    def _begin(
        self, track: Track, name: str, since_us: int, values: dict[str, Any], kind: int = _BEGIN
    ) -> None:
        # What is interned comes before the packet that uses it.
        name_iid = self._interned(self._names, "event_names", name)
        notes = [
            (self._interned(self._value_names, "debug_annotation_names", key), value)
            for key, value in values.items()
            if value != ""
        ]
        event = self._event(kind, track, since_us)
        event.name_iid = name_iid
        for iid, value in notes:
            if isinstance(value, str):
                event.debug_annotations.add(name_iid=iid, string_value=value)
            else:
                event.debug_annotations.add(name_iid=iid, int_value=value)

    def _end(self, track: Track, since_us: int) -> None:
        self._event(_END, track, since_us)

    def _interned(self, known: dict[str, int], kind: str, name: str) -> int:
        """Number of a name, which is written when it is first used."""
        number = known.get(name)
        if number is None:
            number = known[name] = len(known) + 1
            getattr(self._packet().interned_data, kind).add(iid=number, name=name)
        return number
