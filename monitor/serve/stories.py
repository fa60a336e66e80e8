"""The pages of whole stories over HTTP, where the configuration leads to them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.errors import DaywatchError, UsageError

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.serve.web import Answer
    from monitor.store import Store

TEXT, PAGE = "text/plain; charset=utf-8", "text/html; charset=utf-8"
NAME_MAX = 40
_log = logging.getLogger(__name__)


@dataclass
class Stories:
    """Answers with the page that `daywatch explain` writes; nobody is asked who they are.

    One page is made at a time, so that many readers cost no more memory than one.
    """

    store: Store
    config: Callable[[], Config]
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, name: str) -> Answer:
        """The page of an incident or finding; 404 for an unknown one, and where no `story_url` is configured."""
        config = self.config()
        if not config.story_url:
            return 404, TEXT, b"stories are not told here: set story_url"
        if len(name) > NAME_MAX:
            return 404, TEXT, b"there is no such story"
        try:
            with self._turn:
                return 200, PAGE, self._page(config, name).encode()
        except UsageError as error:
            return 404, TEXT, str(error).encode()
        except DaywatchError as error:
            return 503, TEXT, str(error).encode()
        except Exception:  # noqa: BLE001 - one story does not stop the service
            _log.exception("a story was not told")
            return 500, TEXT, b"this story cannot be told; the log says why"

    def _page(self, config: Config, name: str) -> str:
        from monitor.whole.page import render_page  # noqa: PLC0415 - only where a page is wanted
        from monitor.whole.telling import tell  # noqa: PLC0415 - as above

        return render_page(tell(config, self.store, name))
