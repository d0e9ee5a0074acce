"""The ids by which facts go in a record: the kind and the key of their row."""


def promotion_key(key: int) -> str:
    """A promotion goes by its number."""
    return f"P-{key}"


def deployment_key(key: int) -> str:
    """The id of a deployment."""
    return f"deployment-{key}"


def observation_key(key: int) -> str:
    """The id of an observation."""
    return f"observation-{key}"


def release_key(key: int) -> str:
    """The id of a release."""
    return f"release-{key}"


def build_key(key: int) -> str:
    """The id of a build; one for all artifacts it made."""
    return f"build-{key}"


def incident_key(key: int) -> str:
    """The id of an incident."""
    return f"incident-{key}"


def unresolved_digest(key: int) -> str:
    """What stands for the digest of a deployment that nobody could tell: equal to no other."""
    return f"unresolved-{key}"


def split_fact_id(fact_id: str) -> tuple[str, int] | None:
    """The kind and the key of an id made here; None for a digest or anything else."""
    kind, _, key = fact_id.rpartition("-")
    kinds = {"P": "promotion"}
    if not key.isascii() or not key.isdigit() or not kind:
        return None
    return kinds.get(kind, kind), int(key)
