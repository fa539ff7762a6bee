"""Messages are signed as standardwebhooks.com has it, with a secret of the owner's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from rostra_api.webhooks.signing import Secrets

OLD, NEW = "o" * 40, "n" * 40
BODY = '{"type": "debate.ended", "data": {"motion": "三権分立"}}'


def test_the_signature_is_what_the_rules_say():
    headers = Secrets([NEW]).headers("ada", "msg_1", BODY, 1614265330.9)
    key = base64.b64decode(Secrets([NEW]).of("ada").removeprefix("whsec_"))
    digest = hmac.new(key, f"msg_1.1614265330.{BODY}".encode(), hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1614265330",
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    assert 24 <= len(key) <= 64


def test_the_library_verifies_it():
    headers = Secrets([NEW]).headers("ada", "msg_1", BODY, time.time())
    assert Webhook(Secrets([NEW]).of("ada")).verify(BODY, headers)["type"] == "debate.ended"
    with pytest.raises(WebhookVerificationError):
        Webhook(Secrets([NEW]).of("ada")).verify(BODY.replace("ended", "begun"), headers)


def test_each_owner_has_another_secret_that_stays():
    secrets = Secrets([NEW])
    assert secrets.of("ada") == Secrets([NEW]).of("ada")
    assert len({secrets.of("ada"), secrets.of("grace"), secrets.of(""), Secrets([OLD]).of("ada")}) == 4
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets.of("grace")).verify(BODY, secrets.headers("ada", "msg_1", BODY, time.time()))


def test_while_secrets_change_the_old_and_the_new_one_verify():
    headers = Secrets([NEW, OLD]).headers("ada", "msg_1", BODY, time.time())
    assert Secrets([NEW, OLD]).of("ada") == Secrets([NEW]).of("ada")
    for secret in (OLD, NEW):
        Webhook(Secrets([secret]).of("ada")).verify(BODY, headers)


def test_a_file_has_a_secret_a_line(tmp_path: Path):
    file = tmp_path / "secret"
    file.write_text(f"{NEW}\n{OLD}\n")
    assert Secrets.read(file).of("ada") == Secrets([NEW, OLD]).of("ada")
    for text in ("", "\n", "short\n", f"{NEW}\nshort\n"):
        file.write_text(text)
        with pytest.raises(ValueError, match="at least 32 characters"):
            Secrets.read(file)
