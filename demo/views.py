"""The progress bar, polled by the pages that show it."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from demo.templatetags.demo_progress import progress_context


@login_not_required
@require_safe
def show_progress(request: HttpRequest) -> HttpResponse:
    """The part alone; empty once there is nothing more to wait for, which also ends the polling."""
    return render(request, "demo/_progress.html", progress_context())
