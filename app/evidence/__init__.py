"""What was observed and what follows from it: samples, sweeps, suspensions, ledger."""
