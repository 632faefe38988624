"""The process in which atheris looks for inputs: ``scripts.fuzz_codec`` starts it, and it ends itself."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["rtagent"]):  # before anything else imports it
    from scripts.fuzz_codec import check

if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
