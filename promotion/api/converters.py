"""What may stand in an address: names, digests, and numbers of promotions."""


class NameConverter:
    """A name as the catalog admits it; dots are meant, which Django's own slugs leave out."""

    regex = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"

    def to_python(self, value: str) -> str:
        """The name."""
        return value

    def to_url(self, value: str) -> str:
        """The name."""
        return value


class DigestConverter(NameConverter):
    """sha256: and 64 hexadecimal digits."""

    regex = r"sha256:[0-9a-fA-F]{64}"

    def to_python(self, value: str) -> str:
        """In small letters, as digests are kept."""
        return value.lower()


class NumberConverter:
    """A promotion's number, P-2318 or 2318."""

    regex = r"(?:[Pp]-)?[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        """The key of the row."""
        return int(value[2:] if value[0] in "Pp" else value)

    def to_url(self, value: int | str) -> str:
        """As links write it."""
        return str(value)
