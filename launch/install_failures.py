"""What an installer's output means, as one sentence a person can act on."""

import re

# First match wins: the causes stand before their consequences.
CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|Disk quota exceeded|os error 28",
        (
            "The disk is full, so the packages could not be installed; free some space and start "
            "again."
        ),
    ),
    (
        (
            r"command '[^']*(?:cc|gcc|g\+\+|clang|c\+\+)[^']*' failed: No such file"
            r"|unable to execute '[^']*(?:cc|gcc|g\+\+|clang)[^']*'"
            r"|error: command '?[^' ]*(?:cc|gcc|g\+\+|clang)'? (?:failed: )?.*No such file"
            r"|No such file or directory: '[^']*(?:cc|gcc|g\+\+|clang|make)'"
            r"|(?:cc|gcc|clang): (?:command )?not found|Unknown compiler|no acceptable C compiler"
            r"|linker `?cc`? not found|can't find Rust compiler|Rust.*not (?:found|installed)"
        ),
        (
            "A package has no ready-made build for this machine and there is no compiler to build "
            "it; install a C compiler (on Debian and Ubuntu: apt install build-essential "
            "python3-dev) and start again."
        ),
    ),
    (
        r"Python\.h: No such file",
        (
            "A package has to be built here but Python's headers are missing; install them (on "
            "Debian and Ubuntu: apt install python3-dev) and start again."
        ),
    ),
    (
        r"DO NOT MATCH THE HASHES|Hash mismatch|hash mismatch",
        (
            "A downloaded package is not the one that requirements.lock names, so it was not "
            "installed; check the package index or proxy in between and start again."
        ),
    ),
    (
        (
            r"Temporary failure in name resolution|Name or service not known|dns error|timed out"
            r"|Connection refused|Network is unreachable|error sending request|Failed to establish"
            r"|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|tls handshake"
        ),
        (
            "The package index could not be reached, so the packages were not installed; check the "
            "network or proxy settings and start again."
        ),
    ),
    (
        r"Permission denied",
        "The environment cannot be written to; start as the owner of the project's directory.",
    ),
    (
        r"No module named '?pip'?",
        (
            "There is neither uv nor pip to install packages with; install python3-venv or uv and "
            "start again."
        ),
    ),
)


def describe_install_failure(output: str) -> str:
    """The sentence for a failed installation, with the installer's own words where unknown."""
    for pattern, sentence in CAUSES:
        if re.search(pattern, output):
            return sentence
    if found := re.search(r"No matching distribution found for (\S+)", output):
        return f"The package {found[1]} is not to be had for this machine and Python."
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = next((line for line in lines if line.lower().startswith("error")), "")
    said = said or (lines[-1] if lines else "no reason given")
    return f"The packages could not be installed: {said}"
