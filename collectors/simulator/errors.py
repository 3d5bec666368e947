"""What the simulator refuses, in words for the person who started it.

SimulatorError
├── LayoutError      a fleet of that size, port or slice cannot be laid out
├── ScenarioError    a scenario file is wrong; all of its problems at once
├── FileLimitError   the system allows fewer open files than there are addresses
└── AddressError     an address cannot be listened on
"""


class SimulatorError(Exception):
    """Any of the below; its text says what was wrong, where, and what to do."""


class LayoutError(SimulatorError):
    """A fleet of that size, port or slice cannot be laid out."""


class ScenarioError(SimulatorError):
    """A scenario is wrong. `problems` holds one line for each mistake."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class FileLimitError(SimulatorError):
    """The system allows fewer open files than the fleet needs."""

    def __init__(self, needed: int, available: int) -> None:
        super().__init__(
            f"the simulator needs {needed} open files and may have {available}: raise the hard "
            f"limit ('ulimit -Hn {needed}' as root, or LimitNOFILE={needed} in a systemd unit), "
            "or simulate fewer cameras"
        )
        self.needed = needed
        self.available = available


class AddressError(SimulatorError):
    """An address of the fleet cannot be listened on."""

    def __init__(self, address: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {address} port {port}: {reason}")
        self.address = address
        self.port = port
