"""The client that speaks to Slack: each call within its time, repeated only where that cannot post a message twice."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)

from monitor.notifiers.slack_errors import explain_refusal, explain_silence, never_arrived, retry_after_s

if TYPE_CHECKING:
    from slack_sdk.http_retry.handler import RetryHandler
    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState

TIMEOUT_S = 15
RETRIES_MAX = 2
WAIT_MAX_S = 30.0
_POSTING = "chat.postMessage"
_ERRORS = (SlackClientError, http.client.HTTPException, OSError, ValueError)


class Patience:
    """How long one delivery may go on, and how it waits.

    Args:
        sleep: waits for some seconds.
        clock: seconds that only go forward.
    """

    def __init__(self, sleep: Callable[[float], None], clock: Callable[[], float]) -> None:
        self._sleep, self.clock = sleep, clock
        self._end = clock()

    def begin(self, time_s: float) -> None:
        """From now on there are `time_s` seconds."""
        self._end = self.clock() + time_s

    def has(self, seconds: float) -> bool:
        """Whether so many seconds are left."""
        return self.clock() + seconds <= self._end

    def wait(self, seconds: float) -> None:
        """Wait for some seconds."""
        if seconds > 0:
            self._sleep(seconds)


class SlackClient:
    """The SDK's client with daywatch's errors; it speaks to nobody until it is called.

    Args:
        channel: the channel's full name, for errors.
        token: a bot token.
        base_url: another server than Slack's own.
        patience: the time that there is.
    """

    def __init__(self, channel: str, token: str, base_url: str | None, patience: Patience) -> None:
        self.channel, self.patience = channel, patience
        logger = logging.getLogger(f"{__name__}.sdk")
        logger.setLevel(logging.CRITICAL + 1)  # everything it has to say is raised, without what it sends
        handlers: list[RetryHandler] = [_RateLimit(patience), _Connection(patience), _Server(patience)]
        url = base_url or WebClient.BASE_URL
        self._client = WebClient(token, url, timeout=TIMEOUT_S, retry_handlers=handlers, logger=logger)
        self._client.proxy = None  # urllib reads the same variables, and NO_PROXY too, which the SDK does not

    def call(self, method: str, **arguments: Any) -> Any:
        """The answer to a method of the SDK's client, `chat_postMessage`.

        Raises:
            SlackError: it was refused or not answered.
        """
        try:
            return getattr(self._client, method)(**arguments)
        except SlackApiError as error:
            raise explain_refusal(error.response, self.channel) from None  # the cause quotes the whole answer
        except _ERRORS as error:
            raise explain_silence(error, self.channel) from None


class _Bounded:
    """How all three wait: by the injected clock, and not beyond the delivery's end."""

    def __init__(self, patience: Patience) -> None:
        super().__init__(max_retry_count=RETRIES_MAX)  # type: ignore[call-arg]
        self.patience = patience

    def wait_s(self, state: RetryState, response: HttpResponse | None) -> float:  # noqa: ARG002
        """Seconds until the next attempt."""
        return float(2**state.current_attempt)

    def can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        """Whether there is an attempt and time left for one more."""
        wait_s = self.wait_s(state, response)
        in_time = wait_s <= WAIT_MAX_S and self.patience.has(wait_s)
        asked: bool = super().can_retry(state=state, request=request, response=response, error=error)  # type: ignore[misc]
        return in_time and asked

    def prepare_for_next_attempt(
        self,
        *,
        state: RetryState,
        request: HttpRequest,  # noqa: ARG002
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002
    ) -> None:
        """Wait."""
        state.next_attempt_requested = True
        self.patience.wait(self.wait_s(state, response))
        state.increment_current_attempt()


class _RateLimit(_Bounded, RateLimitErrorRetryHandler):
    """A message that was one too many was not taken."""

    def wait_s(self, state: RetryState, response: HttpResponse | None) -> float:  # noqa: ARG002
        """What the answer says."""
        return retry_after_s(response.headers) if response is not None else 1.0


class _Connection(_Bounded, ConnectionErrorRetryHandler):
    """A message whose connection broke may have been taken: it is not posted again here."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        safe = not request.url.endswith(_POSTING) or never_arrived(error)
        return safe and super()._can_retry(state=state, request=request, response=response, error=error)


class _Server(_Bounded, ServerErrorRetryHandler):
    """The same for an answer of 500."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        safe = not request.url.endswith(_POSTING)
        return safe and super()._can_retry(state=state, request=request, response=response, error=error)
