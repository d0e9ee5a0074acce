"""What the teams say of themselves, with the words and the links they would give."""

from collections.abc import Mapping
from dataclasses import dataclass, field

HANDBOOK = "https://handbook.meridian.example"
SOURCE = "https://git.meridian.example"


@dataclass(frozen=True, slots=True)
class Remark:
    """What stands beside a value: a comment, a link, why it does not apply, and who said yes."""

    comment: str = ""
    evidence_url: str = ""
    accepted_by: str = ""
    reason: str = ""
    agreed_by: str = ""


@dataclass(frozen=True, slots=True)
class Assessed:
    """One team in one quarter; values by category in the order of the standard, - is unanswered."""

    team: str
    is_of_this_quarter: bool
    answered_by: str
    values: Mapping[str, str]
    remarks: Mapping[str, Remark] = field(default_factory=dict)
    submitted_by: str = ""
    agreed_by: str = ""
    begins: float = 0.1
    ends: float = 0.6
    """Shares of the days there are for it, from its first answer to the last step."""


SHIPPING_EVIDENCE = {
    "people.1.manual-steps": Remark(
        "Label printer was the last one promoted from a laptop; that is over.",
        f"{HANDBOOK}/shipping/production-credentials", "priya",
    ),
    "people.3.shared-pipelines": Remark(
        "All four services use the shared pipeline; tags cannot be pushed twice.",
        f"{SOURCE}/meridian/pipelines", "priya",
    ),
    "process.1.no-process": Remark("", f"{HANDBOOK}/shipping/way-to-production", "priya"),
    "process.1.artifacts-differ": Remark(
        "Production and staging digests side by side for the last 20 releases.",
        f"{HANDBOOK}/shipping/digests-compared", "carla",
    ),
    "process.2.reuse-guidelines": Remark("", f"{HANDBOOK}/engineering/promote-do-not-rebuild", "priya"),
    "process.3.built-once": Remark(
        "One hotfix of Shipment API skipped staging; it is listed.",
        f"{HANDBOOK}/shipping/exceptions", "carla",
    ),
    "process.3.no-manual-rebuilds": Remark("", f"{SOURCE}/meridian/pipelines/order-gate", "priya"),
    "technology.1.rebuilt-per-environment": Remark(
        "Settings come from the environment since the move to one image.",
        f"{SOURCE}/meridian/shipment-api/build", "priya",
    ),
    "technology.1.no-central-store": Remark("", f"{HANDBOOK}/platform/registries", "carla"),
    "technology.3.repositories": Remark("", f"{HANDBOOK}/platform/registries", "carla"),
    "technology.3.metadata": Remark(
        "Owner is missing on the oldest images of Notification Hub.",
        f"{SOURCE}/meridian/pipelines/labels", "priya",
    ),
    "measurement.1.no-tracking": Remark("", f"{HANDBOOK}/shipping/deployments-matched", "carla"),
    "measurement.3.traceability": Remark(
        "Carla picked a release at random; we had its commit and approvals in a minute.",
        f"{HANDBOOK}/audit/trace-drill", "carla",
    ),
    "measurement.3.auto-logged": Remark("", f"{SOURCE}/meridian/pipelines/reporting", "priya"),
}  # fmt: skip
SHIPPING_NOW = {
    **SHIPPING_EVIDENCE,
    "people.4.learn-from-failures": Remark(
        "Every failed promotion got a cause this quarter; two actions are still open."
    ),
    "process.4.gates-approvals": Remark(
        "Two leads approve Shipment API; nobody approves their own commits.",
        f"{SOURCE}/meridian/shipment-api/pipeline", "carla",
    ),
    "technology.4.dashboards": Remark("On the screen in the team room, and used on Mondays."),
    "measurement.4.monitored": Remark(
        "Targets are set, but we look at them when something breaks rather than every month."
    ),
    "measurement.5.throughput": Remark("Too early to say; the figures are of one year only."),
}  # fmt: skip
DRIVER_NOW = {
    "people.1.manual-steps": Remark("Since the move everything goes through promotions here."),
    "people.3.shared-pipelines": Remark(
        "Three of four services; Dispatch Board follows next month.",
        f"{SOURCE}/meridian/pipelines", "hanna",
    ),
    "process.2.reuse-guidelines": Remark("", f"{HANDBOOK}/engineering/promote-do-not-rebuild", "hanna"),
    "process.3.built-once": Remark(
        "Proof of Delivery was built again for production twice before the move."
    ),
    "technology.3.repositories": Remark("", f"{HANDBOOK}/platform/registries", "hanna"),
    "technology.4.signed-or-checksummed": Remark("Digests are compared; nothing is signed yet."),
    "measurement.3.auto-logged": Remark("", f"{SOURCE}/meridian/pipelines/reporting", "hanna"),
    "measurement.4.monitored": Remark("We see the figures now. Nobody owns them so far."),
}  # fmt: skip
CUSTOMS_REMARKS = {
    "people.4.learn-from-failures": Remark("Reviews for outages only."),
    "process.1.artifacts-differ": Remark(
        "The declaration schemas are packaged per environment; the services are not."
    ),
    "process.2.reuse-guidelines": Remark(
        "Newcomers read it in their first week.", f"{HANDBOOK}/customs/release-rules", "mei"
    ),
    "process.4.gates-approvals": Remark("The customs window is a gate; the scan is a mail."),
    "technology.2.not-in-cicd": Remark("Border Status is still started from a terminal."),
    "technology.5.routing-anomalies": Remark(
        reason="The authority's release window decides the path; we may not route around it.",
        agreed_by="mei",
    ),
    "measurement.3.traceability": Remark("What the old tool deployed has no build on record."),
}
PRICING_REMARKS = {
    "people.1.manual-steps": Remark("", f"{SOURCE}/meridian/rate-engine/runs", "amara"),
    "people.3.shared-pipelines": Remark(
        "", f"{SOURCE}/meridian/pipelines", "amara"
    ),
    "people.5.rollout-experiments": Remark(
        reason="Prices change for all customers at one moment, by contract; a part rollout is no option.",
        agreed_by="amara",
    ),
    "process.1.artifacts-differ": Remark("", f"{HANDBOOK}/pricing/digests", "mei"),
    "process.2.reuse-guidelines": Remark(
        "The guideline says it; we also live it.", f"{HANDBOOK}/engineering/promote-do-not-rebuild", "amara"
    ),
    "process.4.gates-approvals": Remark(
        "Two approvals for every price. They take a day, but they are real."
    ),
    "process.4.audit-ready": Remark("The last audit wanted approvals from mails; we did not find all."),
    "technology.3.repositories": Remark("", f"{HANDBOOK}/platform/registries", "amara"),
    "technology.4.dashboards": Remark("Seen in the weekly meeting, if there is time."),
    "measurement.3.auto-logged": Remark(
        "Link to the reporting step; not accepted yet.", f"{SOURCE}/meridian/pipelines/reporting"
    ),
    "measurement.4.monitored": Remark("Somebody should set a lead time for us; 96 hours is too easy."),
}  # fmt: skip
BILLING_BEFORE = {
    "people.1.manual-steps": Remark("Month-end runs are deployed by hand, with the deploy script."),
    "process.1.no-process": Remark("There is a way, and month-end leaves it."),
    "technology.1.rebuilt-per-environment": Remark(
        "Invoice Render compiles its fonts per country."
    ),
    "measurement.1.no-tracking": Remark("What the script does at night we enter later, if at all."),
}
BILLING_NOW = {
    "people.1.manual-steps": Remark(
        "Still four in ten by script. Invoice Render has moved; Payment Ledger has not."
    ),
    "people.2.scripted-copying": Remark(
        "The deploy script, reviewed and in the repository.", f"{SOURCE}/meridian/deploy-script"
    ),
    "people.4.learn-from-failures": Remark("The last rollback has a cause and no action."),
    "process.1.artifacts-differ": Remark(
        "Payment Ledger 9.3.2 exists twice. We found out from the record, not by ourselves."
    ),
    "process.2.reuse-guidelines": Remark("Known, but not linked from our pipelines."),
    "process.3.built-once": Remark("Leila and I do not agree on this one; to be talked over."),
}
EXCHANGE_REMARKS = {
    "people.1.manual-steps": Remark("Partners get their files when Oskar runs the script."),
    "process.1.no-process": Remark("Every partner has a way of its own."),
    "technology.1.rebuilt-per-environment": Remark("EDI Gateway is compiled for each partner."),
    "measurement.1.no-tracking": Remark("We find things running that none of us deployed."),
    "technology.4.dashboards": Remark("We did not know that we could be on it."),
}


ASSESSED = (
    Assessed(
        "shipping-core", False, "tomasz",
        {
            "people": "no no F F F P N", "process": "no no F sometimes F L P P N",
            "technology": "no no F sometimes F L P P N", "measurement": "no F L F P unknown P",
        },
        SHIPPING_EVIDENCE, submitted_by="tomasz", agreed_by="priya",
    ),
    Assessed(
        "shipping-core", True, "tomasz",
        {
            "people": "no no F F F L P", "process": "no no F no F F L L P",
            "technology": "no no F no F F L F N", "measurement": "no F F F L unknown L",
        },
        SHIPPING_NOW, submitted_by="tomasz", agreed_by="priya", begins=0.05, ends=0.5,
    ),
    Assessed(
        "customs", False, "kenji",
        {
            "people": "sometimes sometimes P L P N N", "process": "sometimes sometimes P true P P P N N",
            "technology": "no no L true P P N N unknown", "measurement": "sometimes L P P N N P",
        },
        submitted_by="kenji", agreed_by="mei", begins=0.2, ends=0.7,
    ),
    Assessed(
        "customs", True, "kenji",
        {
            "people": "sometimes no L L L P N", "process": "no sometimes F sometimes L P P P N",
            "technology": "no no F sometimes L P P N na", "measurement": "sometimes L P L P N P",
        },
        CUSTOMS_REMARKS, submitted_by="kenji", agreed_by="mei", begins=0.15, ends=0.8,
    ),
    Assessed(
        "driver-app", False, "leila",
        {
            "people": "true sometimes L P P N N", "process": "sometimes true P true N P N N N",
            "technology": "sometimes no L true P P N N N", "measurement": "true P N N N N N",
        },
        submitted_by="leila", agreed_by="hanna", begins=0.3, ends=0.9,
    ),
    Assessed(
        "driver-app", True, "leila",
        {
            "people": "sometimes no F F L P N", "process": "no sometimes L sometimes P P L P N",
            "technology": "no no F sometimes L P P P N", "measurement": "no L P L P P P",
        },
        DRIVER_NOW, submitted_by="leila", agreed_by="hanna", begins=0.2, ends=0.7,
    ),
    Assessed(
        "pricing", False, "jonas",
        {
            "people": "no no L L L P N", "process": "no sometimes L sometimes L L L P N",
            "technology": "no no F sometimes L L P P N", "measurement": "no F L L N unknown L",
        },
        submitted_by="jonas", agreed_by="amara", begins=0.1, ends=0.8,
    ),
    Assessed(
        "pricing", True, "jonas",
        {
            "people": "no no F F F L na", "process": "no no F no F L L P P",
            "technology": "no no F no F L L P N", "measurement": "no F L F P P L",
        },
        PRICING_REMARKS, submitted_by="jonas", begins=0.4, ends=0.95,
    ),
    Assessed(
        "billing", False, "ruth",
        {
            "people": "true sometimes P L P P N", "process": "sometimes sometimes P true P N P N N",
            "technology": "sometimes no L true P P N N N", "measurement": "sometimes P P P N N N",
        },
        BILLING_BEFORE, submitted_by="ruth", agreed_by="leila", begins=0.4, ends=0.9,
    ),
    Assessed(
        "billing", True, "ruth",
        {
            "people": "true sometimes L L P P unknown", "process": "sometimes sometimes L sometimes P P P - -",
            "technology": "- no - - - - - - -", "measurement": "sometimes - - - - - -",
        },
        BILLING_NOW, begins=0.8, ends=1,
    ),
    Assessed(
        "data-exchange", False, "oskar",
        {
            "people": "true true P N N N N", "process": "true true N true N N N N N",
            "technology": "true sometimes P true P N N N N", "measurement": "true N N N N N unknown",
        },
        EXCHANGE_REMARKS, submitted_by="oskar", agreed_by="daniel", begins=0.5, ends=0.95,
    ),
)  # fmt: skip
