"""One letter, as mail servers take it (RFC 5322). Pure.

What it says may quote a partner: the caller gives escaped lines, and nothing but our own words goes into a header.
"""

from __future__ import annotations

import datetime as dt
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from filesync.bundle.verdict import shown
from filesync.mail.settings import MailSettings

_SUBJECT = 150  # characters


def write_letter(
    settings: MailSettings, *, site: str, subject: str, lines: list[str], at: dt.datetime, ident: str
) -> EmailMessage:
    """A letter of plain text to all addresses. `ident`: what tells it from all others, as hex."""
    letter = EmailMessage(policy=SMTP)  # refuses line ends in headers
    letter["Subject"] = f"[filesync {site}] {shown(subject, limit=_SUBJECT)}"
    letter["From"] = Address(display_name=f"filesync {site}", addr_spec=settings.sender)
    letter["To"] = ", ".join(settings.to)
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{ident}@{settings.sender.partition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"  # nobody's absence is answered to it (RFC 3834)
    letter.set_content("\n".join([*lines, ""]), cte="quoted-printable")  # every server takes that, and any length of a line
    return letter


def trial(settings: MailSettings, *, site: str, at: dt.datetime, ident: str) -> EmailMessage:
    """A letter that says only that letters come."""
    lines = [
        f"This is what filesync of {site} writes to you by, when something needs a person.",
        "Nothing does for this letter.",
    ]
    return write_letter(settings, site=site, subject="a trial of the mail", lines=lines, at=at, ident=ident)
