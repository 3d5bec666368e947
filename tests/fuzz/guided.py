"""The process that libFuzzer takes over: `python -m tests.fuzz.guided NAME [OPTION …]`."""

import sys

import atheris

with atheris.instrument_imports(include=["collectors.onvif"], enable_loader_override=False):
    from tests.fuzz.properties import CHECKS

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], CHECKS[sys.argv[1]])
    atheris.Fuzz()
