"""All settings, from environment variables only; docs/how-to/run-it-for-real.md lists them."""

import os
from pathlib import Path

import plotly
from csp.constants import NONE, SELF

from config.environment import read_broker, read_database, read_flag, read_list, read_mail

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("THROUGHLINE_DATA", BASE_DIR / "data"))
PUBLIC_URL = os.environ.get("THROUGHLINE_URL", "http://127.0.0.1:8000").rstrip("/")
ORGANISATION = os.environ.get("THROUGHLINE_ORGANISATION", "Throughline")

DEBUG = read_flag("DEBUG")
SECRET_KEY = os.environ.get("SECRET_KEY", "")
ENCRYPTION_KEYS = read_list("THROUGHLINE_ENCRYPTION_KEYS")
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", PUBLIC_URL)
# Set by the one-command start with the demonstration: the sign-in page names who can be tried.
DEMO_LOGINS = "demo.people.logins" if read_flag("THROUGHLINE_DEMO") else ""

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "csp",
    "lucide",
    "promotion",
    "metrics",
    "demo",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "promotion.views.keeping.KeepNothingMiddleware",
    "promotion.api.authentication.TokenOnRecordMiddleware",
    "promotion.views.zones.PersonZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "promotion.User"
AUTHENTICATION_BACKENDS = [
    "promotion.actions.sign_in.SlowDownBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "login"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "promotion.views.frame.frame",
            ],
            "builtins": ["promotion.templatetags.throughline"],
        },
    }
]

DATABASES = {"default": read_database(os.environ.get("DATABASE_URL", ""), DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

LANGUAGE_CODE = "en-gb"
TIME_ZONE = os.environ.get("THROUGHLINE_ZONE", "UTC")  # the reporting zone of the measures
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("THROUGHLINE_STATIC", BASE_DIR / "staticfiles"))
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("plotly", Path(plotly.__file__).parent / "package_data"),
]
# Without collected files (the one-command start) the files are served from where they lie.
WHITENOISE_USE_FINDERS = not STATIC_ROOT.is_dir()
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # Plotly inserts two style elements: an empty one, filled by CSSOM, and its map style sheet.
        "style-src": [
            SELF,
            "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
            "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
        ],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
if PUBLIC_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = read_flag("THROUGHLINE_SSL_REDIRECT")
    SECURE_HSTS_SECONDS = int(os.environ.get("THROUGHLINE_HSTS_SECONDS", "31536000"))
    SECURE_HSTS_INCLUDE_SUBDOMAINS = read_flag("THROUGHLINE_HSTS_SUBDOMAINS")
    SECURE_HSTS_PRELOAD = read_flag("THROUGHLINE_HSTS_PRELOAD")
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024  # one webhook body; larger ones get 413
# SBOMs and scans of large images are larger; only evidence may be.
EVIDENCE_MAX_SIZE = int(os.environ.get("THROUGHLINE_EVIDENCE_MIB", "32")) * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "promotion.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["promotion.api.authentication.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "promotion.api.paging.StableCursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "promotion.api.errors.problem_response",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Throughline",
    "DESCRIPTION": "Tracks and drives the promotion of immutable artifacts between environments.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "promotion.api.schema.add_refusals_of_bodies",
    ],
}

# Whether /metrics answers without a token, for a scraper that has its own network.
METRICS_OPEN = read_flag("THROUGHLINE_METRICS_OPEN")

CELERY_BROKER_URL = read_broker(os.environ.get("REDIS_URL", ""))

# Mail of notifications; without EMAIL_URL none is written, and the page of choices says so.
_mail = read_mail(os.environ.get("EMAIL_URL", ""))
MAIL_IS_SET_UP: bool = _mail.pop("MAIL_IS_SET_UP")
globals().update(_mail)
DEFAULT_FROM_EMAIL = os.environ.get("THROUGHLINE_MAIL_FROM", "Throughline <throughline@localhost>")

# How long a worker may hold a step before another takes it over; renewed while it works.
STEP_LEASE_SECONDS = float(os.environ.get("THROUGHLINE_STEP_LEASE_SECONDS", "60"))
# How many workers in a row may end in the middle of one step before it is no longer taken over.
STEP_MOST_TAKEOVERS = int(os.environ.get("THROUGHLINE_STEP_MOST_TAKEOVERS", "5"))
SWEEP_SECONDS = float(os.environ.get("THROUGHLINE_SWEEP_SECONDS", "2"))
# How soon after the glass was broken somebody else reviews it, where the pipeline does not say.
BREAK_GLASS_REVIEW_HOURS = float(os.environ.get("THROUGHLINE_REVIEW_HOURS", "72"))
# Private addresses that steps and connections may call, besides those an administrator allows.
ALLOWED_PRIVATE_NETWORKS = read_list("THROUGHLINE_ALLOWED_PRIVATE_NETWORKS")
# Gates that other applications offer: name -> dotted path of a promotion.gates.base.Gate.
OFFERED_GATES: dict[str, str] = {"anomaly": "metrics.offered.AnomalyGate"}
# What other applications say on the page of a promotion: dotted paths of functions of it.
OFFERED_NOTES: list[str] = ["metrics.offered.note_anomalies"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {"httpx": {"level": "WARNING"}, "httpcore": {"level": "WARNING"}},
}
