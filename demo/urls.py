"""Addresses of the demonstration."""

from django.urls import path

from demo import views

urlpatterns = [path("-/demo-progress/", views.show_progress, name="demo-progress")]
