"""Webhook signatures: how a receiver knows that an alert is ours, and not an old one again.

    webhook-id: dlv_…   webhook-timestamp: 1769423520   webhook-signature: v1,base64(HMAC-SHA256)

The signed text is ``id.timestamp.body``, as Standard Webhooks has it, for which there are
libraries in most languages.
"""

import base64
import hashlib
import hmac

from core.alert_routes import read_secret


def sign(secret: str, delivery_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """Return the headers that prove where a body comes from."""
    signed = b".".join((delivery_id.encode(), str(at_s).encode(), body))
    digest = hmac.new(read_secret(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
