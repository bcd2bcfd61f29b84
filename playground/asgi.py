"""The ASGI application that daphne serves: Django for HTTP, Channels for WebSockets."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application
from django.urls import URLPattern, path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")

# Loads the apps: whatever imports models has to be imported below this line.
http = get_asgi_application()

from playground.runs.socket import live_socket  # noqa: E402

websocket_urlpatterns: list[URLPattern] = [path("ws/runs/<str:run>/", live_socket)]  # type: ignore[arg-type]

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": AllowedHostsOriginValidator(SessionMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
