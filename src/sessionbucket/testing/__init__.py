"""What tests of agents and of this package need: servers to run against."""
