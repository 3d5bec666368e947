"""The process that libFuzzer takes over: `python -m tests.fuzz.guided NAME [OPTION …]`."""

import sys

import atheris

with atheris.instrument_imports(include=["collectors.onvif"], enable_loader_override=False):
    from tests.fuzz.properties import CHECKS

if __name__ == "__main__":
    # libFuzzer starts itself again, by a shell, when it minimises a corpus
    again = f"{sys.executable} -m tests.fuzz.guided {sys.argv[1]}"
    atheris.Setup([again, *sys.argv[2:]], CHECKS[sys.argv[1]])
    atheris.Fuzz()
