"""`asyncio.run` for coroutines that wait for nothing outside: the interpreter's own loop is the host's, closed to rules."""

import asyncio
import time
from asyncio import base_events, events


class _NoSelector:
    """There are no sockets to wait for: only time passes."""

    def select(self, timeout):
        if timeout is None:
            raise RuntimeError("a coroutine waits for what never comes: rules have no network, threads or processes to wait for")
        if timeout > 0:
            time.sleep(timeout)
        return ()


class EventLoop(base_events.BaseEventLoop):
    """Runs tasks and timers."""

    def __init__(self):
        super().__init__()
        self._selector = _NoSelector()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass


def install():
    def run(main, *, debug=None, loop_factory=None):
        # The host's loop counts as running all the time.
        outer = events._get_running_loop()
        events._set_running_loop(None)
        try:
            with asyncio.Runner(debug=debug, loop_factory=loop_factory or EventLoop) as runner:
                return runner.run(main)
        finally:
            events._set_running_loop(outer)

    asyncio.run = asyncio.runners.run = run
    asyncio.new_event_loop = events.new_event_loop = EventLoop
