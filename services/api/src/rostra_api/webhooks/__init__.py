"""Webhooks: what happens to a debate, POSTed to who asked for it, by the rules of standardwebhooks.com.

A process of its own delivers them (`python -m rostra_api.webhooks`), as it needs a way out, which the API has not. It
follows the debates' streams as any reader does, and keeps in Redis how far it is.
"""
