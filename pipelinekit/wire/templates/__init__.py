"""Translation between pipelines and the templates of CloudFormation, the CDK and Terraform.

May import what its room may. Must never open a file: what a template names, its reader is given.
"""
