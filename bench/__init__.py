"""Benchmarks: what the product costs, as ratios against a peer that does the same in the same run.

    sweep, icmp, bad_day, store, monthly, memory, scale   one module for each row of the table
    pages, wall                                           pages, and screens that are told
    blackbox                                              the peer of `sweep` and its driver
    simulated, installation, served                       a fleet that answers, a product over it
    invented                                              observations and a month made up
    processes, figures, report                            CPU and memory, ratios, the document

Every module has `measure(options) -> Section`. Loopback only; nothing is left running.
"""
