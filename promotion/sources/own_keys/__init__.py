"""Tools that sign with a private key of their own and publish the public one.

Pure as all sources: what the keys' address answers is given to them.
"""
