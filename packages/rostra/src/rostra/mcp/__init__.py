"""Debates as tools, for whatever speaks the Model Context Protocol.

results    what the tools answer
callers    who asks, and the client that asks the API for them
tools      what can be asked
server     the tools and resources put together, and where they are served
"""
