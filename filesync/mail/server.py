"""The way to a mail server: SMTP, with TLS where the settings say so. However it behaves, we wait half a minute at most."""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from email.message import EmailMessage
from threading import Thread
from typing import Any, Final

from filesync.bundle.verdict import shown
from filesync.errors import FilesyncError, MailFails, MailInDoubt
from filesync.mail.settings import MailSettings, Security
from filesync.secret import Whose, read_secret

_ANSWER: Final = 10.0  # s for one answer
_ALL: Final = 30.0  # s for everything
_GOODBYE: Final = 1.0  # s for an answer that changes nothing any more
_WORDS: Final = 200  # characters of the server's own words
_OK: Final = 250
_TAKEN: Final = frozenset({_OK, 251})
_WHOSE: Final = Whose(what="the mail server's password", setting="mail", anew="change it at the mail server")
_LOOK: Final = "Mend `mail` in the configuration, or the server, and run: filesync check"
_ALONE: Final = "Nothing else is affected."
_PORTS: Final = "Port 587 mostly goes with `security: starttls`, 465 with `tls`. Mend `mail`, and run: filesync check"
_left: dict[tuple[str, int], Thread] = {}  # who still waits for a server that we do not wait for any more


def deliver(settings: MailSettings, letter: EmailMessage | None) -> Mapping[str, str]:
    """Hand over a letter. Returns the addresses that were refused, and why, where it was taken for others.

    Without a letter, all that comes before it is done: sign in, name the sender and each address.
    Raises MailFails (nobody gets it), MailInDoubt (perhaps somebody does), KeyProblem (the password cannot be read).
    """
    password = None if settings.password_file is None else read_secret(settings.password_file, _WHOSE)
    call = _Call(settings, letter, password)
    where = (settings.server, settings.port)
    if where in _left and _left[where].is_alive():
        raise call.fails("still does not answer to what was asked before")
    # no setting of smtplib ends a look-up of its name, or answers that drip
    thread = Thread(target=call.run, daemon=True, name="mail")
    thread.start()
    thread.join(_ALL)
    if not call.done:
        _left[where] = thread
        call.hang_up()  # else who talks without end fills our memory
        raise call.fails(f"was not done with it within {_ALL:.0f} s")
    if call.error is not None:
        raise call.error
    return call.refused


class _Call:
    """One connection to the server."""

    def __init__(self, settings: MailSettings, letter: EmailMessage | None, password: str | None) -> None:
        self._settings = settings
        self._letter = letter
        self._password = password
        self.done = False  # what became of it is known
        self.refused: dict[str, str] = {}
        self.error: Exception | None = None
        self._on_its_way = False  # the letter
        self._line: _Line | None = None

    def hang_up(self) -> None:
        """Of another thread: let `run` read and write nothing more."""
        sock = self._line.sock if self._line is not None else None
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def heard(self, line: _Line) -> None:
        """The server is about to answer on this line."""
        self._line = line

    def run(self) -> None:
        """Talk to the server; what goes wrong stands in `error`."""
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._connected()
            self._talk(smtp)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            self.error = self._in_words(error)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            self.error = error
        self.done = True
        if smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self.error is None and smtp.sock is not None:
                    smtp.sock.settimeout(_GOODBYE)
                    smtp.quit()
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        given = self._settings
        context = None
        if given.security is not Security.NONE:
            context = self._context()
        name = socket.gethostname()
        us = name if "." in name else "[127.0.0.1]"  # as smtplib says it, without a look-up that may take long
        if given.security is Security.TLS:
            return _TlsLine(self, given, local_hostname=us, context=context)
        smtp = _Line(self, given, local_hostname=us)
        try:
            if context is not None:
                smtp.starttls(context=context)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _context(self) -> ssl.SSLContext:
        file = self._settings.ca_file
        try:
            return ssl.create_default_context(cafile=file)
        except OSError as error:
            words = (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or "no certificates"
            raise MailFails(f"mail.ca_file {str(file)!r} cannot be used: {words}", hint=f"{_ALONE} {_LOOK}") from error

    def _talk(self, smtp: smtplib.SMTP) -> None:
        given = self._settings
        if given.user is not None and self._password is not None:
            smtp.login(given.user, self._password)
        smtp.ehlo_or_helo_if_needed()
        code, words = smtp.mail(given.sender)
        if code != _OK:
            raise smtplib.SMTPSenderRefused(code, words, given.sender)
        for address in given.to:
            code, words = smtp.rcpt(address)
            if code not in _TAKEN:
                self.refused[address] = self._quoted(code, words)
        if len(self.refused) == len(given.to):
            raise self.fails(f"takes no mail for {'; '.join(f'{to} ({why})' for to, why in self.refused.items())}")
        if self._letter is None:
            smtp.rset()
            return
        if smtp.sock is not None:
            smtp.sock.settimeout(_ALL)  # it may look at the letter for long; who gives up now has it mailed again and again
        self._on_its_way = True
        code, words = smtp.data(self._letter.as_bytes())
        self._on_its_way = False
        if code != _OK:
            raise smtplib.SMTPDataError(code, words)

    def fails(self, what: str, hint: str = _LOOK) -> MailFails:
        """That the server does so."""
        kind = MailInDoubt if self._on_its_way else MailFails
        return kind(f"the mail server {self._settings.server}:{self._settings.port} {what}", hint=f"{_ALONE} {hint}")

    def _quoted(self, code: int, words: bytes | str) -> str:
        """The server's own words, without what we showed it."""
        text = words.decode("utf-8", "backslashreplace") if isinstance(words, bytes) else words
        if self._password:
            for told in (self._password, f"\0{self._settings.user}\0{self._password}"):
                for spelt in (told, base64.b64encode(told.encode()).decode()):
                    text = text.replace(spelt, "***")
        return f"{code} {shown(text, limit=_WORDS)}"

    def _in_words(self, error: Exception) -> FilesyncError:
        if isinstance(error, smtplib.SMTPResponseException):
            self._on_its_way = False
            return self.fails(self._answered(error))
        if isinstance(error.__context__, TimeoutError):  # smtplib calls that hung up, too
            error = error.__context__
        match error:
            case smtplib.SMTPNotSupportedError() if "STARTTLS" in str(error):
                what, hint = "offers no STARTTLS", _PORTS
            case smtplib.SMTPServerDisconnected():
                what, hint = "hung up", _PORTS
            case ssl.SSLCertVerificationError():
                what = f"shows a certificate that is not trusted: {error.verify_message}"
                hint = "Where an authority of your own signed it, name its file in mail.ca_file. Then run: filesync check"
            case ssl.SSLError():
                what, hint = f"does not speak TLS as we do: {error.reason or error}", _PORTS
            case socket.gaierror():
                what, hint = "has no address that is known here", "Check mail.server, or the resolver of this machine."
            case TimeoutError():
                what, hint = f"did not answer within {_ANSWER:.0f} s", _PORTS
            case ValueError():  # else what it asks when we sign in
                ascii_alone = isinstance(error, UnicodeError)
                what = (
                    "takes user and password in ASCII alone, and ours are not"
                    if ascii_alone
                    else "does not speak SMTP as we do"
                )
                hint = _LOOK
            case _:
                words = (error.strerror if isinstance(error, OSError) else None) or str(error)
                what, hint = f"cannot be used: {shown(words, limit=_WORDS)}", _LOOK
        return self.fails(what, hint)

    def _answered(self, error: smtplib.SMTPResponseException) -> str:
        words = self._quoted(error.smtp_code, error.smtp_error)
        match error:
            case smtplib.SMTPAuthenticationError():
                return f"does not take the user and password that `mail` names ({words})"
            case smtplib.SMTPSenderRefused():
                return f"takes no mail from {self._settings.sender} ({words})"
            case smtplib.SMTPDataError():
                return f"does not take the letter ({words})"
            case _:
                return f"refuses ({words})"


class _Line(smtplib.SMTP):
    """A connection that its call knows before the server's first answer."""

    def __init__(self, call: _Call, given: MailSettings, **how: Any) -> None:
        self._call = call
        super().__init__(given.server, given.port, timeout=_ANSWER, **how)

    def getreply(self) -> tuple[int, bytes]:
        """As of smtplib."""
        self._call.heard(self)
        return super().getreply()


class _TlsLine(_Line, smtplib.SMTP_SSL):
    """One with TLS from the start."""
