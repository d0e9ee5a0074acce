"""The number of a promotion in an address: 2318, or P-2318 as people paste it."""


class PromotionNumber:
    """Accepts both ways of writing and writes the plain one."""

    regex = "(?:[Pp]-)?[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        """The key of the promotion."""
        return int(value.upper().removeprefix("P-"))

    def to_url(self, value: object) -> str:
        """The plain number; a value that is none fails as any other wrong argument does."""
        return str(self.to_python(str(value)))
