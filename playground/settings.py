"""Django settings of the embedded deployment: one process, SQLite, an in-memory channel layer.

Every switch is an environment variable, so that a start is the same from a shell, a test and a container:

=======================  ==========================================================================
PLAYGROUND_DATA_DIR      where the database and the secret key live (default: `var/` in the project)
PLAYGROUND_DEBUG         `1` shows tracebacks in the browser; off unless set
PLAYGROUND_HOSTS         further host names the server answers to, separated by commas
PLAYGROUND_SECRET_KEY    the signing key; without it one is made once and kept in the data directory
PLAYGROUND_ENGINE        `auto`, `compiled` or `interpreted`, see `playground.native`
PLAYGROUND_WORKERS       engine processes (default: 2), see `playground.workers.limits` for all other limits
=======================  ==========================================================================
"""

from __future__ import annotations

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from playground.protocol.messages import SOCKET_BYTES_MAX
from playground.protocol.strict_json import DOCUMENT_BYTES_MAX
from playground.workers.limits import WORKERS

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("PLAYGROUND_DATA_DIR") or BASE_DIR / "var").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _kept_secret_key(path: Path) -> str:
    """The signing key in `path`, made on first use and readable by its owner alone.

    Two processes may start at once: the key is written beside `path` first and linked into place, which only
    one of them can do, and both then read the winner's.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(get_random_secret_key())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = os.environ.get("PLAYGROUND_SECRET_KEY") or _kept_secret_key(DATA_DIR / "secret_key")
DEBUG = os.environ.get("PLAYGROUND_DEBUG") == "1"
ALLOWED_HOSTS = [
    "127.0.0.1",
    "localhost",
    *(host.strip() for host in os.environ.get("PLAYGROUND_HOSTS", "").split(",") if host.strip()),
]

INSTALLED_APPS = [
    "daphne",  # before staticfiles: its `runserver` speaks ASGI, so WebSockets work there too
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "playground",
    "playground.designs",
    "playground.runs",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "playground.headers.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "playground.urls"
ASGI_APPLICATION = "playground.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "playground.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            # A transaction takes the write lock when it begins: a read that later writes can't lose to another
            # writer half-way ("database is locked" without waiting).
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Low-rate messages only; frames go through the in-process hub of playground.runs.
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# Read by `runserver` and `play`. What is larger than a message may be is refused by name; only what is many times larger closes its
# socket (RFC 6455, 1009).
DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = SOCKET_BYTES_MAX
DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = SOCKET_BYTES_MAX

PLAYGROUND_WORKERS = int(os.environ.get("PLAYGROUND_WORKERS") or WORKERS)
# The API tells whoever sends more what is accepted.
DATA_UPLOAD_MAX_MEMORY_SIZE = DOCUMENT_BYTES_MAX

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Files are served from where they are: nobody has to run collectstatic to see the page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Vite puts a content hash into the name of everything it emits below assets/.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/.+-[\w-]{8,}\.\w+$"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Without accounts a session holds the owner's random name and nothing else: a signed cookie carries it, no table.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_AGE = 365 * 86_400
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# React writes style attributes, and the PNG export draws the page through data: and blob: pictures; scripts
# come from the bundle alone.
CONTENT_SECURITY_POLICY = {
    "default-src": ["'self'"],
    "script-src": ["'self'"],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "worker-src": ["'self'", "blob:"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
