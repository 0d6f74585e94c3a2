"""BUILDS: what a buildspec asks for, carried out: environment, phases, artifacts, cache, reports.

CodeBuild and Commands actions, and rules of these kinds, are all builds. Imports ports, wire,
model and tools. Never holds an action type: those are declared by `providers`.
"""
