"""What sessionbucket costs beside what a user might pick instead; docs/benchmarks.md says how to run and read it."""
