"""A fleet of cameras and room equipment on loopback, for the demo, the tests and the benchmarks.

    fleet, names, register   what there is, and the importer's CSV of it
    scenario, faults, habits what goes wrong, when and for whom
    timeline                 which behaviour each device shows at an instant
    camera, equipment        how one device answers a connection
    announcing               cameras that answer WS-Discovery
    endpoint, server         the sockets of the fleet; `run` serves until SIGTERM
    running                  a fleet in a background thread, for the tests

It listens on 127.0.0.0/8 alone. The code of the collectors is not used here, so that a mistake in
one is not hidden by the same mistake in the other.
"""
