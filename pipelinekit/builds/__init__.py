"""BUILDS: what actions and rules of several types have in common, carried out.

A build is what a buildspec asks for: environment, phases, artifacts, cache, reports; CodeBuild and
Commands actions, and rules of these kinds, are all builds. `function` invokes the handler of a
Lambda function for a job. Imports ports, wire, model and tools. Never holds an action type: those
are declared by `providers`.
"""
