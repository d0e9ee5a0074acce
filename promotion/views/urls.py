"""Addresses of the pages."""

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, path

from . import sign_in

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", sign_in.SignInView.as_view(), name="login"),
    path("sign-out/", auth.LogoutView.as_view(), name="logout"),
]
