"""Moving and hashing many blobs at once, with progress told and stops heeded by the caller."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager

from promotion.exceptions import ThroughlineError
from promotion.integrity.oci.errors import CopyStoppedError
from promotion.integrity.oci.manifests import Descriptor
from promotion.integrity.oci.repository import Chunks

PARALLEL_BLOBS = 4
# The caller's functions run in its own thread this often, so they may use its connections.
_LOOK_INTERVAL_SECONDS = 0.1

OnProgress = Callable[[int, int], object]
ShouldStop = Callable[[], bool]


class BlobWork:
    """Does one thing to each blob, a few at a time, and ends them all when one fails."""

    def __init__(
        self,
        blobs: Iterable[Descriptor],
        *,
        on_progress: OnProgress | None = None,
        should_stop: ShouldStop | None = None,
    ) -> None:
        # Largest first: a large blob begun last would leave the other threads idle.
        self._blobs = sorted(blobs, key=lambda blob: (-blob.size, blob.digest))
        self._total = sum(blob.size for blob in self._blobs)
        self._on_progress = on_progress
        self._should_stop = should_stop
        self._is_ended = threading.Event()
        self._lock = threading.Lock()
        self._done = 0

    def run(self, work: Callable[[Descriptor], None]) -> None:
        """Do the work for every blob; raises the first failure, or CopyStoppedError."""
        self.check_stop()
        if not self._blobs:
            self._tell()
            return
        with ThreadPoolExecutor(PARALLEL_BLOBS, thread_name_prefix="blob") as threads:
            pending: set[Future[None]] = {threads.submit(work, blob) for blob in self._blobs}
            try:
                while pending:
                    finished, pending = wait(
                        pending, _LOOK_INTERVAL_SECONDS, return_when=FIRST_COMPLETED
                    )
                    self._tell()
                    _raise_first(finished)
                    if pending:
                        self.check_stop()
            except BaseException:
                self._is_ended.set()
                threads.shutdown(cancel_futures=True)
                raise

    def check_stop(self) -> None:
        """Raise CopyStoppedError if the caller wants to stop."""
        if self._should_stop is not None and self._should_stop():
            raise _stop()

    def count(self, size: int) -> None:
        """Add to the bytes that are done."""
        with self._lock:
            self._done += size

    @contextmanager
    def watch(self, chunks: Chunks) -> Iterator[Chunks]:
        """Give chunks that are counted until the work is to end; closes what they come from."""

        def pass_on() -> Chunks:
            for chunk in chunks:
                if self._is_ended.is_set():
                    raise _stop()
                self.count(len(chunk))
                yield chunk

        with closing(chunks), closing(pass_on()) as watched:
            yield watched

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(min(self._done, self._total), self._total)


def _raise_first(finished: Iterable[Future[None]]) -> None:
    failures = [failure for future in finished if (failure := future.exception()) is not None]
    # What will never succeed says more than what may: a wrong digest before a broken line.
    failures.sort(key=lambda failure: isinstance(failure, ThroughlineError) and failure.retryable)
    if failures:
        raise failures[0]


def _stop() -> CopyStoppedError:
    return CopyStoppedError(
        "The copy was stopped as asked. No tag was set; blobs already copied stay and are "
        "not copied again. Start it again to go on."
    )
