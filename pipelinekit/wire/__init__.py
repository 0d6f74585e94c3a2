"""Translation, pure: between the model and the forms it is stored, sent, written and told in.

May import the model, the nouns of the tools and what reads documents, PyYAML and msgspec. Must
never open a file or a socket.
"""
