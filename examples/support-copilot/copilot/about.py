"""What this installation runs, for those who compare it with what was put there."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from copilot import __version__
from copilot.api import RefusedError, json_body
from copilot.model import Conversation, ScriptedModel
from copilot.prompts import PromptBook
from copilot.settings import Settings
from copilot.tools import TOOLS_VERSION

__all__ = ["About"]

FLAGS = ("cite_sources",)
"""The flags that this version knows."""


class About:
    """Reads the parts that serve customers, not what they were told to be."""

    def __init__(self, settings: Settings, *, prompts: PromptBook, model: ScriptedModel) -> None:
        self.settings = settings
        self.prompts = prompts
        self.model = model

    def routes(self) -> list[Route]:
        """Where what is answered."""
        return [Route("/healthz", self.healthy), Route("/version", self.version)]

    def test_routes(self) -> list[Route]:
        """Those that exist only together with the test API."""
        return [Route("/test/model", self.ask, methods=["POST"])]

    async def healthy(self, request: Request) -> Response:
        """That it runs."""
        return PlainTextResponse("ok")

    async def version(self, request: Request) -> Response:
        """Every part by name, version and, where there is one, digest."""
        settings, model = self.settings, self.model
        return JSONResponse(
            {
                "app": {"name": "support-copilot", "version": __version__},
                "model": {
                    "provider": "scripted",
                    "name": model.name,
                    "version": model.version,
                    "parameters": {"temperature": 0},
                    "system_fingerprint": model.fingerprint,
                },
                "prompts": {
                    name: {"version": version, "digest": self.prompts.digests[name]}
                    for name, version in self.prompts.versions.items()
                },
                "plans": {"support-copilot": settings.plans},
                "tools": {"support-copilot": TOOLS_VERSION},
                "retrieval": {"kb": settings.kb},
                "flags": {name: name in settings.flags for name in sorted({*FLAGS, *settings.flags})},
            }
        )

    async def ask(self, request: Request) -> Response:
        """What the model says to a message, by the prompt of answers; no tenant, no tool, no gate."""
        body: Any = await json_body(request)
        message = body.get("message") if isinstance(body, dict) else None
        if not isinstance(message, str):
            raise RefusedError(400, "malformed", "The body is an object with a message.")
        conversation = Conversation("", (), message, None)
        wishes = self.model.wishes(conversation)
        conversation.results.extend((tool, "done") for tool in wishes)
        prompt = self.prompts.render("answer", {"company": "Contoso", "tool": wishes[-1] if wishes else ""})
        return JSONResponse({"tools": wishes, "reply": self.model.reply(prompt, conversation)})
