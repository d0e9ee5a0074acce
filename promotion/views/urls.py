"""Addresses of the pages."""

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, path

from . import release_trace, releases, sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", sign_in.SignInView.as_view(), name="login"),
    path("sign-out/", auth.LogoutView.as_view(), name="logout"),
    path("releases/", releases.list_releases, name="release-list"),
    path("releases/<str:service>/<path:version>/veto/", release_trace.veto, name="release-veto"),
    path(
        "releases/<str:service>/<path:version>/", release_trace.show_release, name="release-detail"
    ),
]
