"""Ports of one's own."""

from __future__ import annotations

import socket

import pytest

from rostra.processes import free_port


def test_a_free_port_is_free_and_no_outgoing_connection_is_given_it():
    port = free_port()
    assert port < 32_768
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_a_port_that_is_taken_is_not_given():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="no free port"):
        free_port([taken.getsockname()[1]])
