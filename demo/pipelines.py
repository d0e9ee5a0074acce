"""The pipelines of the demonstration, as the YAML that a team would keep.

A service's first pipeline only decides: when a promotion starts, the team's own release job rolls
out and reports. The second one moves the bytes and writes the GitOps repository itself; the third
adds verification and waves to the services that have them.
"""

from demo.organisation import (
    BUILD_REGISTRY,
    GITOPS,
    LOOPBACK,
    PRODUCTION_REGISTRY,
    DemoService,
)

DECIDES, MOVES, VERIFIES = 1, 2, 3
PAUSE_BETWEEN_WAVES = "25m"

RULES = {
    "one": ['- {name: release managers, count: 1, from: ["role:release manager"]}'],
    "two": ['- {name: release managers, count: 2, from: ["role:release manager"]}'],
    "team": ['- {name: leads of Pricing, count: 2, from: ["team:pricing:release manager"]}'],
    "leads": [
        '- {name: shipping leads, count: 1, from: ["group:shipping-leads"]}',
        '- {name: release managers, count: 1, from: ["role:release manager"]}',
    ],
}
WINDOW = (
    '- {rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", start: "2026-01-05T06:00",'
    " duration: 14h, zone: Europe/Berlin}"
)


def write_pipeline(service: DemoService, form: int, port: int, *, broken_path: bool = False) -> str:
    """The YAML text of a service's pipeline in one of its three forms."""
    lines = [f"service: {service.slug}"]
    if form >= MOVES:
        lines += [
            "repositories:",
            f'  build: "{BUILD_REGISTRY}/meridian/{{name}}"',
            f'  production: "{PRODUCTION_REGISTRY}/meridian/{{name}}"',
        ]
    lines += ["stages:", "  - name: dev", "    environment: dev"]
    if service.has_qa:
        lines += ["  - name: qa", "    environment: qa", "    after: [dev]"]
    lines += _staging(service, form)
    lines += _production(service, form, port, broken_path)
    return "\n".join(lines) + "\n"


def _staging(service: DemoService, form: int) -> list[str]:
    lines = [
        "  - name: staging",
        "    environment: staging",
        f"    after: [{'qa' if service.has_qa else 'dev'}]",
    ]
    if service.is_automatic:
        lines.append("    auto: true")
    lines.append("    steps:")
    if form >= MOVES:
        lines.append(_commit("apps/{service}/staging.yaml"))
    return [*lines, "      - wait-for-deployment: {timeout: 4h}"]


def _production(service: DemoService, form: int, port: int, broken_path: bool) -> list[str]:
    lines = ["  - name: production", "    environment: production", "    after: [staging]"]
    if service.observes:
        lines.append("    mode: observe")
    lines += [
        "    ask:",
        "      - {name: reason, required: true}",
        "    gates:",
        "      - order",
    ]
    if service.soak:
        lines.append(f"      - soak: {{for: {service.soak}}}")
    if form >= MOVES:
        lines.append("      - checksum")
    lines += ["      - window", "      - lock", "    approvals:"]
    lines += [f"      {rule}" for rule in RULES[service.rule]]
    if service.rule == "leads":
        lines.append("    distinct: true")
    if service.has_window:
        lines += ["    windows:", "      allow:", f"        {WINDOW}"]
    if service.has_waves and form >= VERIFIES:
        waves = f"[{{targets: [eu-1], pause: {PAUSE_BETWEEN_WAVES}}}, {{targets: [us-1]}}]"
        lines += ["    rollout:", "      strategy: waves", f"      waves: {waves}"]
    lines.append("    steps:")
    if form >= MOVES:
        folder = "applications" if broken_path else "apps"
        lines.append("      - oci-copy: {to: production}")
        lines.append(_commit(f"{folder}/{{service}}/production-{{target}}.yaml"))
    lines.append("      - wait-for-deployment: {timeout: 4h}")
    if service.verifies and form >= VERIFIES:
        url = f"http://{LOOPBACK}:{port}/health/{{service}}/{{target}}"
        lines.append(f'      - verify-http: {{url: "{url}", good: "3 of 4", every: 2s}}')
    return lines


def _commit(path: str) -> str:
    return (
        f'      - git-commit: {{repository: {GITOPS}, path: "{path}",'
        ' set: {"image.digest": "{digest}"}}'
    )
