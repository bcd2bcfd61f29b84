"""Every HTTP address of the site, each app's own below its prefix."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from playground.api import api
from playground.pages import lab, page

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/", api.urls),
    path("", page, name="page"),
    path("lab", lab, name="lab"),
    path("t/<str:template>", page, name="template"),
    path("s/<str:share>", page, name="share"),
    path("r/<str:run>", page, name="run"),
]
