"""Stores for agent frameworks, one module for each framework and one extra of the package for each module.

A module here imports its framework. So install the extra first: ``pip install "sessionbucket[langgraph]"``.
"""
