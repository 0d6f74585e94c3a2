"""The face for programs: the CodePipeline API over HTTP, webhooks, artifacts of jobs.

May import everything below the command line, which starts it. Must never answer an operation by
itself: it lets in who may come in, and asks the table of operations.
"""
