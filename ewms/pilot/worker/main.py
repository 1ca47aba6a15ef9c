"""The loop of the worker process: `python -m ewms.pilot.worker.main SOCKET PROGRESS`, two inherited descriptors."""

from __future__ import annotations

import faulthandler
import io
import os
import socket
import sys

from ewms.core import wire
from ewms.core.errors import ConsumerError
from ewms.pilot.outputs import Packer
from ewms.pilot.worker import frames
from ewms.pilot.worker.consumer import Consumer
from ewms.pilot.worker.frames import Broken, Job, Setup
from ewms.pilot.worker.progress import Progress
from ewms.pilot.worker.runner import Runner


class Worker:
    """Runs the jobs that come over a socket, with consumers that it loads when they are first needed."""

    def __init__(self, setup: Setup, channel: socket.socket, progress: Progress) -> None:
        self._setup = setup
        self._channel = channel
        self._tasks = {task.name: task for task in setup.tasks}
        self._loaded: dict[str, tuple[Consumer, Packer]] = {}
        self._current = ""
        self._runner = Runner(progress.cells, self._send, setup.room)

    def run(self, job: Job) -> None:
        """Run a job to its end; a consumer that cannot be used is reported as such."""
        message = wire.decode_work(job.body)
        events = message.events if job.positions is None else [message.events[position] for position in job.positions]
        if message.task != self._current:
            os.environ["EWMS_TASK_NAME"] = self._current = message.task
        try:
            consumer, packer = self._load(message.task)
        except ConsumerError as error:
            self._send(Broken(str(error)))
            return
        self._runner.run(consumer, packer, events, job.singly)

    def _send(self, frame: frames.Chunk | Broken) -> None:
        self._channel.sendall(frames.pack(frame))

    def _load(self, name: str) -> tuple[Consumer, Packer]:
        if name not in self._loaded:
            task, setup = self._tasks[name], self._setup
            self._loaded[name] = (
                Consumer(task.python, setup.search_path),
                Packer(task.codec, task.outputs, setup.room, setup.blob_url, setup.blob_threshold),
            )
        return self._loaded[name]


def main() -> None:
    """Serve the pilot that started this process."""
    channel, progress = socket.socket(fileno=int(sys.argv[1])), Progress(int(sys.argv[2]))
    del sys.argv[1:]
    serve(channel, progress)


def serve(channel: socket.socket, progress: Progress) -> None:
    """Serve a pilot until it closes its end of the socket."""
    faulthandler.enable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # so that a crash loses no line
    worker: Worker | None = None
    for frame in frames.receive(channel):
        if isinstance(frame, Setup):
            os.environ.update(frame.environment)
            sys.path[:0] = frame.search_path
            worker = Worker(frame, channel, progress)
        elif worker is not None:
            worker.run(frame)


if __name__ == "__main__":
    main()
