"""IAM policies as rules read them: an own, compact stand-in for the package of this name.

The package carries a list of every action of every AWS service. Here the actions of EC2's networks are listed, and the
access level of an action is told from its name; wildcards of other services stay wildcards, which count as everything that
they may stand for. So a summary may name more than the package would, never less.
"""
