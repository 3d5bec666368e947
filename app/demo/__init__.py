"""A whole district on one machine: simulated fleet, generated history, live sweeps."""
