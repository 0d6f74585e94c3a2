"""Translation, pure: between the model and the forms in which it is stored, sent and written down.

May import the model, the tools that read documents, and cattrs. Must never open a file or a socket.
"""
