"""The CodePipeline API: one table from the name of an operation to the function that does it.

May import the floors below it, of the hands the clock alone. Must never know how a request came
here, nor decide anything about a pipeline: it reads requests, asks a control, writes answers.
"""
