"""Addresses of the pages."""

from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, path, register_converter

from . import (
    aftermath,
    asking,
    audit,
    bulk,
    duties,
    environments,
    events,
    inbox,
    integrations,
    locks,
    mapping,
    overview,
    pipelines,
    promotion_actions,
    promotions,
    release_trace,
    releases,
    search,
    senders,
    sign_in,
)
from .numbers import PromotionNumber

register_converter(PromotionNumber, "promotion")

urlpatterns: list[URLPattern | URLResolver] = [
    path("sign-in/", sign_in.SignInView.as_view(), name="login"),
    path("password/", sign_in.PasswordView.as_view(), name="password"),
    path("sign-out/", auth.LogoutView.as_view(), name="logout"),
    path("", overview.show_overview, name="overview"),
    path("inbox/", inbox.show_inbox, name="inbox"),
    path("inbox/approve/", bulk.approve, name="inbox-bulk-approve"),
    path("reviews/", duties.list_reviews, name="review-list"),
    path("promotions/", promotions.list_promotions, name="promotion-list"),
    path("promotions/new/", asking.ask, name="promotion-new"),
    path("promotions/<promotion:number>/", promotions.show_promotion, name="promotion-detail"),
    *(
        path(
            f"promotions/<promotion:number>/{part}/",
            promotions.show_part,
            {"part": part},
            name=f"promotion-{part}",
        )
        for part in promotions.PARTS
    ),
    path(
        "promotions/<promotion:number>/approve/",
        promotion_actions.approve,
        name="promotion-approve",
    ),
    path(
        "promotions/<promotion:number>/reject/",
        promotion_actions.reject,
        name="promotion-reject",
    ),
    path(
        "promotions/<promotion:number>/withdraw/",
        promotion_actions.withdraw,
        name="promotion-withdraw",
    ),
    path(
        "promotions/<promotion:number>/cancel/",
        promotion_actions.cancel,
        name="promotion-cancel",
    ),
    path("promotions/<promotion:number>/stop/", aftermath.stop, name="promotion-stop"),
    path(
        "promotions/<promotion:number>/break-glass/",
        aftermath.smash,
        name="promotion-break-glass",
    ),
    path(
        "promotions/<promotion:number>/reviews/<int:glass>/",
        aftermath.review,
        name="promotion-review",
    ),
    path("promotions/<promotion:number>/cause/", aftermath.tell, name="promotion-cause"),
    path("promotions/<promotion:number>/action/", aftermath.settle, name="promotion-action"),
    path(
        "promotions/<promotion:number>/evaluate/",
        promotion_actions.evaluate,
        name="promotion-evaluate",
    ),
    path(
        "promotions/<promotion:number>/retry/",
        promotion_actions.retry,
        name="promotion-retry",
    ),
    path(
        "promotions/<promotion:number>/rollback/",
        promotion_actions.rollback,
        name="promotion-rollback",
    ),
    path(
        "promotions/<promotion:number>/steps/<int:step_run>/resolve/",
        promotion_actions.resolve,
        name="step-resolve",
    ),
    path(
        "promotions/<promotion:number>/exceptions/",
        promotion_actions.let_past,
        name="exception-grant",
    ),
    path(
        "promotions/<promotion:number>/exceptions/<int:exception>/revoke/",
        promotion_actions.revoke,
        name="exception-revoke",
    ),
    path("holds/<int:hold>/lift/", promotion_actions.lift_hold, name="hold-lift"),
    path("releases/", releases.list_releases, name="release-list"),
    path("releases/<str:service>/<path:version>/veto/", release_trace.veto, name="release-veto"),
    path(
        "releases/<str:service>/<path:version>/unveto/",
        release_trace.unveto,
        name="release-unveto",
    ),
    path(
        "releases/<str:service>/<path:version>/", release_trace.show_release, name="release-detail"
    ),
    path("events/", events.list_events, name="event-list"),
    path("events/<int:pk>/", events.show_event, name="event-detail"),
    path("events/<int:pk>/body/", events.download_body, name="event-body"),
    path("events/<int:pk>/again/", events.replay, name="event-replay"),
    path("integrations/", integrations.list_integrations, name="integration-list"),
    path("integrations/new/", senders.choose_kind, name="sender-new"),
    path("integrations/senders/", senders.add_sender, name="sender-add"),
    path("integrations/senders/<int:pk>/secret/", senders.rotate, name="sender-rotate"),
    path("integrations/tokens/", integrations.add_token, name="token-add"),
    path("integrations/tokens/<int:pk>/revoke/", integrations.revoke, name="token-revoke"),
    path("integrations/rules/new/", mapping.edit_rule, name="rule-new"),
    path("integrations/rules/ignore/", mapping.ignore, name="rule-ignore"),
    path("integrations/rules/<int:pk>/", mapping.edit_rule, name="rule-detail"),
    path("integrations/rules/<int:pk>/delete/", mapping.remove_rule, name="rule-delete"),
    path("integrations/services/new/", mapping.add_service, name="service-new"),
    # Last, for a sender's address may be anything but the words above.
    path("integrations/<str:slug>/", senders.show_sender, name="sender-detail"),
    path("integrations/<str:slug>/last/", senders.show_last, name="sender-last"),
    path("integrations/<str:slug>/test/", senders.deliver_test, name="sender-test"),
    path("integrations/<str:slug>/turn/", senders.turn, name="sender-turn"),
    path("integrations/<str:slug>/own-secret/", senders.take_own_secret, name="sender-secret"),
    path("environments/", environments.list_environments, name="environment-list"),
    path("freezes/", environments.make_freeze, name="freeze-make"),
    path("freezes/<int:pk>/lift/", environments.lift, name="freeze-lift"),
    path("locks/", locks.make, name="lock-make"),
    path("locks/<int:pk>/release/", locks.release, name="lock-release"),
    path("pipelines/", pipelines.list_pipelines, name="pipeline-list"),
    path("pipelines/<str:service>/", pipelines.show_pipeline, name="pipeline-detail"),
    path("pipelines/<str:service>/check/", pipelines.validate, name="pipeline-validate"),
    path("pipelines/<str:service>/apply/", pipelines.apply, name="pipeline-apply"),
    path("audit/", audit.list_entries, name="audit-list"),
    path("audit/verify/", audit.verify, name="audit-verify"),
    path("audit/<int:pk>/", audit.show_entry, name="audit-entry"),
    path("search/", search.search, name="search"),
]
