"""All settings. What differs between installations comes from the environment; README.md lists the names."""

import secrets
from pathlib import Path

import environ
import plotly
from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _

from scorecard import engines

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = engines.var_dir()

# Country -------------------------------------------------------------------------------------------------------------
TIME_ZONE = env.str("TIME_ZONE", "America/Guayaquil")  # the country's zone: its local date decides an incident's month
USE_TZ = True  # instants are stored in UTC
LANGUAGE_CODE = env.str("LANGUAGE_CODE", "es")
LANGUAGES = [("es", _("Spanish")), ("en", _("English"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
COUNTRY_CODE = env.str("COUNTRY_CODE", "EC")
# West, south, east, north in degrees: a point outside is an error of the file. Galapagos is inside.
COUNTRY_BOX = tuple(env.list("COUNTRY_BOX", cast=float, default=[-92.2, -5.1, -75.1, 1.8]))

# Security ------------------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", False)


def _secret_key():
    """Made once and kept in var/, readable by its owner alone, where the environment gives none."""
    path = VAR_DIR / "secret_key"
    if not path.exists():
        engines.write_private(path, secrets.token_urlsafe(50))
    return path.read_text()


SECRET_KEY = env.str("SECRET_KEY", "") or _secret_key()
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
HTTPS = env.bool("HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = HTTPS and env.bool("HTTPS_REDIRECT", True)
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 0) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS) and env.bool("HSTS_SUBDOMAINS", False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, UNSAFE_INLINE],  # Plotly sets styles from script
        "img-src": [SELF, "data:", "blob:"],  # Plotly's own picture of a chart
        "worker-src": [SELF, "blob:"],  # the map's workers
        "connect-src": [SELF],  # an open page asks for what has changed, and hears that it has
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# Applications --------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "guardian",
    "pghistory",
    "pgtrigger",
    "django_htmx",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "units",
    "indicators",
    "incidents",
    "scorecard",
]
MIDDLEWARE = [
    "scorecard.logs.Requests",
    "scorecard.health.Health",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "units.middleware.OnlyText",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "scorecard.urls"
ASGI_APPLICATION = "scorecard.asgi.application"
WSGI_APPLICATION = "scorecard.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "scorecard.context.simulated",
            ],
        },
    },
]

# People --------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "units.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian: nobody holds a role without signing in
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"

# Engines -------------------------------------------------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", "") or engines.address("database")
BROKER_URL = env.str("BROKER_URL", "") or engines.address("broker")
BROKER_URL = BROKER_URL.replace("valkey://", "redis://", 1).replace("valkeys://", "rediss://", 1)
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
# Connections a process: for the ASGI site, whose threads share them. A synchronous worker keeps one connection instead.
_pool = env.int("DATABASE_POOL", 0)
if _pool:
    DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": _pool, "timeout": 10}
else:
    DATABASES["default"] |= {
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
    }
_cache_url = env.str("CACHE_URL", BROKER_URL if BROKER_URL.startswith("redis") else "")
CACHES = {
    "default": {
        "BACKEND": "units.cache.KeptRedisCache",
        "LOCATION": _cache_url,
        "KEY_PREFIX": env.str("CACHE_PREFIX", "tablero"),
    }
    if _cache_url
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}

# Tasks ---------------------------------------------------------------------------------------------------------------
# What an app calls in one to its left is named here, as none imports one to its left.
STALE_TASK = "scorecard.tasks.drain"  # recomputes stale columns
TREE_CHANGED = "indicators.sheets.mark_from"  # marks the cards of a tree that changed
CHANGE_PREVIEW = "scorecard.preview.preview"  # says what a change does before it is saved
DRAW_BOUNDARIES = "scorecard.mapping.project"  # boundaries as paths
BOUNDARIES_CHANGED = "incidents.regeoreference.boundaries_changed"  # places incidents anew where lines are others
CELERY_BROKER_URL = BROKER_URL
CELERY_TASK_DEFAULT_QUEUE = env.str("CELERY_QUEUE", "tablero")
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1800} if BROKER_URL.startswith("redis") else {}
CELERY_TASK_ACKS_LATE = True  # a task is taken off the queue when done, so that a worker's death loses nothing
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 1500  # under the visibility timeout: a task is never given out twice while it runs
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "take up large bodies whose message was lost": {"task": "incidents.tasks.sweep_jobs", "schedule": 60.0},
    "pull the connectors that are due": {
        "task": "incidents.tasks.pull_due",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "forget answers that nobody asks for again": {"task": "units.tasks.forget_answers", "schedule": 3600.0},
    "let old dead letters go": {"task": "incidents.tasks.expire_letters", "schedule": 3600.0},
    "sweep stale marks whose message was lost": {
        "task": "scorecard.tasks.sweep",
        "schedule": 10.0,
        "options": {"expires": 10.0},  # sweeps that no worker took do not pile up
    },
}

# Files ---------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("plotly", Path(plotly.__file__).parent / "package_data"),  # the script comes out of the installed package
]
STATICFILES_FINDERS = [
    "scorecard.staticfiles.Finder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False
MEDIA_ROOT = VAR_DIR / "media"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
MAX_IMPORT_BYTES = env.int("MAX_IMPORT_BYTES", 100 * 2**20)  # a larger file is refused before it is read
# For so long may a process go on reading feeds by the catalogues and boundaries that it knows.
BOOK_SECONDS = env.float("BOOK_SECONDS", 1.0)

# Hosts that connectors may read. Empty: any whose addresses are public; one of a private network must be named.
CONNECT_HOSTS = env.list("CONNECT_HOSTS", default=[])
CONNECT_MAX_BODY = env.int("CONNECT_MAX_BODY", 16 * 2**20)  # bytes of a page
CONNECT_TIMEOUT = env.float("CONNECT_TIMEOUT", 30.0)  # seconds that a whole page may take
LETTER_DAYS = env.int("LETTER_DAYS", 30)  # for so long is a refused item kept

# The API -------------------------------------------------------------------------------------------------------------
API_RATE = env.int("API_RATE", 60_000)  # requests a minute for each account
API_MAX_BODY = env.int("API_MAX_BODY", 64 * 2**20)  # bytes; a larger body is refused before it is read
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["units.api.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "units.api.pagination.Cursor",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "units.api.errors.handler",
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "units.api.negotiation.Negotiation",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tablero",
    "DESCRIPTION": "Institutions, units, territories, indicator sheets, plans, targets, measurements, scorecards and"
    " incidents of a country's public safety. Lists hold what the account may see. Errors are application/problem+json"
    " with the name of the rule.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "OAS_VERSION": "3.1.0",
    # What plain views take and answer, then problems; choices stay where they are.
    "POSTPROCESSING_HOOKS": ["scorecard.api.sent.add_sent", "units.api.schema.add_problems"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# Watching ------------------------------------------------------------------------------------------------------------
# Who may read /metrics: networks, for readers that no proxy stands before; or whoever has the token.
METRICS_ALLOWED = env.list("METRICS_ALLOWED", default=["127.0.0.0/8", "::1/128"])
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# Logging: one line a record, to standard error, for the journal to keep ----------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"ids": {"()": "scorecard.logs.Filter"}},
    "formatters": {"line": {"()": "scorecard.logs.Formatter", "style_of_lines": env.str("LOG_FORMAT", "line")}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["ids"]}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},  # a refused request has its line already
        "httpx": {"level": "WARNING"},
    },
}
