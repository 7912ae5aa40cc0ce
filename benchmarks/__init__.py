"""The cost of sessionbucket beside its alternatives; docs/benchmarks.md explains how to run and read the benchmarks."""
