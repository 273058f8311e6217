"""The one list of secrets: what is masked in every text that dealsnap writes or prints.

Two kinds are masked. A *known* secret is a password of a database that this process was told of: it goes
wherever it stands. Any other secret is found by what stands before it: a URL's user, a name such as
``password``, a header. Error messages of drivers quote connection strings, and what reaches a snapshot
or a report is committed and shared.

Values that a reasoner returns are data and stay as they are: ``output.drop`` leaves a path out.

Only the standard library is used here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, unquote_plus

__all__ = [
    "MASK",
    "is_secret_header",
    "is_secret_key",
    "is_secret_name",
    "redact",
    "remember",
    "remember_environment",
    "remember_url",
]

MASK = "***"
# Shorter ones, and these words, stand in harmless texts; a password like that is no secret.
SHORTEST_KNOWN = 4
SHORTEST_ANYWHERE = 8
_WORDS = frozenset(
    re.findall(r"\w+", "admin database deals mariadb mysql password postgres postgresql root secret sqlite test user")
)
# Environment variables that clients of databases read a password from.
_PASSWORD_VARIABLES = ("PGPASSWORD", "MYSQL_PWD", "MYSQL_PASSWORD", "MARIADB_PASSWORD")


# --- known secrets


class _Known:
    """The passwords that this process was told of, in every form in which a text may show them."""

    def __init__(self) -> None:
        self.forms: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        forms = {form for form in _forms(secret) if len(form) >= SHORTEST_KNOWN and form.casefold() not in _WORDS}
        if forms <= self.forms:
            return
        self.forms |= forms
        # The longest first: a form may be the beginning of another.
        self.pattern = re.compile("|".join(map(_anywhere, sorted(self.forms, key=len, reverse=True))))


_KNOWN = _Known()


def _forms(secret: str) -> set[str]:
    plain = {secret, unquote(secret), unquote_plus(secret)}
    quoted = {form for one in plain for form in (quote(one, safe=""), quote_plus(one), quote(one))}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda code: code.group().lower(), one) for one in quoted}
    escaped = {form for one in plain for form in (json.dumps(one)[1:-1], repr(one)[1:-1])}
    return plain | quoted | lower | escaped


def _anywhere(form: str) -> str:
    """Return the pattern of *form*; a short one counts as a word of its own only."""
    if len(form) >= SHORTEST_ANYWHERE:
        return re.escape(form)
    return rf"(?<!\w){re.escape(form)}(?!\w)"


def remember(secret: str | None, *, beside: tuple[str | None, ...] = ()) -> None:
    """Mask *secret* in every text from now on, unless it is one of *beside*, which are shown anyway."""
    if secret and secret not in beside:
        _KNOWN.add(secret)


def remember_url(text: str) -> None:
    """Mask the password of the database URL *text*, if it has one, in every text from now on."""
    found = _URL.match(text)
    if found is not None:
        user, _, password = found["login"].partition(":")
        remember(password, beside=(user, found["name"]))
    for key, value in _QUERY.findall(text):
        if is_secret_key(key):
            remember(value)


def remember_environment(environ: Mapping[str, str]) -> None:
    """Mask the passwords that clients of databases read from *environ*."""
    for name in _PASSWORD_VARIABLES:
        remember(environ.get(name), beside=(environ.get("PGUSER"), environ.get("PGDATABASE")))


_URL = re.compile(r"\s*[\w+.-]+://(?P<login>.*)@[^@/?]*(?:/(?P<name>[^?]*))?", re.DOTALL)
_QUERY = re.compile(r"[?&]([^=&?]+)=([^&]+)")


# --- names of secrets

_ANY_PART = re.compile(
    r"passw(?:or)?[dt]|passwrd|passphrase|passcode|pwd|secret(?!ar)|token(?!i)|credential|odbcconnect"
    r"|(?:api|access|account|auth|private|shared|signing|encryption|ssl|master|service|client)_?key",
    re.IGNORECASE,
)
_WHOLE_WORD = frozenset({"pw", "pass", "passwd", "pswd"})
_IN_QUERY = frozenset({"auth", "key", "sig", "signature", "sas"})
# What says something of a secret, and is none.
_ABOUT = frozenset(
    re.findall(
        r"\w+",
        "age at budget column count counts counter expires expiry field file id index kind length limit name policy "
        "rate size total type types uri url usage used version",
    )
)
_DATABASE_KEY = re.compile(r"pass|pwd|secret|token|key|credential|auth|odbc_connect|^pw$|^sig", re.IGNORECASE)
_NAME_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def is_secret_key(name: str) -> bool:
    """Whether the value of *name* in the query of a database's URL may be a secret."""
    return _DATABASE_KEY.search(name) is not None


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether *name* is that of a secret, such as ``db_password`` or ``accessToken``."""
    words = [word.lower() for word in _NAME_WORD.findall(name)]
    if words and words[-1] in _ABOUT:
        return False
    return _ANY_PART.search(name.replace("-", "_")) is not None or not _WHOLE_WORD.isdisjoint(words)


def is_secret_header(name: str) -> bool:
    """Whether the value of a header or argument called *name* is a secret, such as ``Cookie`` or ``api_key``."""
    return name.casefold().replace("_", "-") in _HEADERS | _COOKIES or is_secret_name(name)


# --- finding them


def redact(text: str) -> str:
    """Return *text* with every secret in it replaced by ``***``.

    To mask twice changes nothing. The time is linear in the length of *text*.

    >>> redact("cannot reach postgresql://ana:s3cret@db/x?sslpassword=abc")
    'cannot reach postgresql://ana:***@db/x?sslpassword=***'
    >>> redact("{'user': 'ana', 'password': 'x'}, Authorization: Bearer abc")
    "{'user': 'ana', 'password': '***'}, Authorization: Bearer ***"
    """
    if _KNOWN.pattern is not None:
        text = _KNOWN.pattern.sub(MASK, text)
    if "://" in text:
        text = _without_passwords(text)
    if "%" in text:
        text = _ENCODED_URL.sub(rf"\1{MASK}\2", text)
    text = _LITERAL.sub(MASK, text)
    text = _BEARER.sub(rf"\1{MASK}", text)
    text = _LOGIN.sub(rf"\1{MASK}\2", text)
    if "<" in text:
        text = _ELEMENT.sub(_without_content, text)
    return _without_values(text)


# Tokens that their issuers made to be recognized, and private keys.
_LITERAL = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*+(?:-----END [A-Z ]*PRIVATE KEY-----)?"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|sk_live_|AKIA)[\w\-]{12,}+"
    r"|\beyJ[\w\-]{5,}+\.[\w\-]{5,}+\.[\w\-]*+"
)
_BEARER = re.compile(r"(\bbearer\s{1,3})(?:(?=[a-z.~+/_\-=]{0,60}\d)[\w.~+/=\-]{4,}+|[\w.~+/=\-]{20,}+)", re.IGNORECASE)
_LOGIN = re.compile(r"((?<![\w/:.+\-@])[\w.+\-]{1,60}:)[^\s@'\"/:]{1,200}(@[\w.\-]{1,200}+(?=:\d|/))")
_ENCODED_URL = re.compile(r"(%3A%2F%2F[^\s:/@'\"%]*+(?:%3A|:))(?=\S*%40)\S{0,4000}(%40)", re.IGNORECASE)
_ELEMENT = re.compile(r"<([\w:.\-]{1,80})>([^<]+)(?=</)")


def _without_content(element: re.Match[str]) -> str:
    return f"<{element[1]}>{MASK}" if is_secret_name(element[1]) else element.group()


_USER = re.compile(r"[^\s:/@'\"]*+")
_BLANK = re.compile(r"\s")
_PORT = re.compile(r"\d{1,5}(?![^\s/?#'\"),;\]}.])")
_FAR_HOST = re.compile(r"@(?=[\w.\-\[\]]{1,200}+(?::\d|[/?]))")
# Where a login without a colon is a token; a database's user is no secret.
_WEB = re.compile(r"(?:https?|ftp|wss?)$", re.IGNORECASE)
_TOKEN_LENGTH = 16


def _without_passwords(text: str) -> str:
    """Mask each URL's password, from its user's colon to its last ``@``, whatever stands between them."""
    done, pieces, word_end = 0, [], -1
    start = text.find("://")
    while start >= 0:
        login = start + 3
        user = _USER.match(text, login)
        begin = user.end() if user else login
        if word_end < begin:
            blank = _BLANK.search(text, begin)
            word_end = blank.start() if blank else len(text)
            last_at = text.rfind("@", begin, word_end)
        after = text[begin : begin + 1]
        end = -1
        if after == ":":
            begin += 1
            end = _password_end(text, begin, last_at)
        elif after == "@" and _is_token(text[max(0, start - 10) : start], text[login:begin]):
            begin, end = login, begin
        if end >= begin:
            pieces += [text[done:begin], MASK]
            done = end
        start = text.find("://", max(end, login))
    return "".join([*pieces, text[done:]])


def _is_token(scheme: str, user: str) -> bool:
    return bool(user) and (
        _WEB.search(scheme) is not None or (len(user) >= _TOKEN_LENGTH and any(map(str.isdigit, user)))
    )


def _password_end(text: str, begin: int, last_at: int) -> int:
    """Return where the password that starts at *begin* ends; ``-1`` where there is none.

    It may hold blanks: then it ends at the line's last ``@`` that a host with a port or a path follows.
    """
    limits = (text.find("://", begin), text.find("\n", begin))
    limit = min((limit for limit in limits if limit >= 0), default=len(text))
    near = last_at if last_at >= begin else -1
    if near < 0:
        if _PORT.match(text, begin):
            return -1
        near = text.find("@", begin, limit)
    far = [found.start() for found in _FAR_HOST.finditer(text, begin, limit)]
    return max([near, *far[-1:]])


# A name with what stands between it and its value.
_HEAD = re.compile(
    r"(?P<open>\\{0,3}['\"])?(?P<name>(?<![\w\-])[\w\-]++)(?P<close>\\{0,3}['\"]\]?)?"
    r"(?P<sep>\s*+:\s*+(?:str|bytes|SecretStr|Any|None|Optional\[str\])(?:\s?\|\s?\w{1,20})?\s*+=\s*+"
    r"|\s*+(?:=>|:=|==|=|%3D)\s*+|[ \t]*+:(?!//)[ \t]*+(?:\r?\n[ \t]++)?|,\s?(?=['\"])|[ \t]++(?=['\"]|[^\s\-'\"=:]))",
    re.IGNORECASE,
)
_QUOTED = re.compile(
    r"[bBrRuUfF]{0,2}(?P<quote>\\{1,3}['\"]|'|\")(?P<inner>(?:(?!(?P=quote))(?:\\.|[^\\]))*+)(?P<end>(?P=quote))?",
    re.DOTALL,
)
_PLAIN = re.compile(r"(?:[^\s&;,'\"]|,(?!\s|['\"]|\w{1,40}\s?[=:]|$)|['\"](?=\w))++")
_QUERY_VALUE = re.compile(r"[^\s&#'\";,]++")
_SCHEME = re.compile(r"(?:bearer|basic|digest|token|negotiate|apikey|aws4-hmac-sha256)\s+", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n'\"]++")
_HARMLESS = re.compile(
    r"(?:none|null|nil|true|false|yes|no|unknown|required|missing|invalid|expired|incorrect|wrong|empty|not|must|is|"
    r"was|has|str|string|bytes|authentication)(?![^\s.,;:)\]}'\"&])|\*\*\*",
    re.IGNORECASE,
)
_COUNT = re.compile(r"[\d.,_]+(?!\w)")
_HEADERS = frozenset({"authorization", "proxy-authorization", "http-authorization"})
_COOKIES = frozenset({"cookie", "set-cookie"})
_CLOSING = {"[": "]", "{": "}", "(": ")"}


def _without_values(text: str) -> str:
    """Mask the values of names that are those of secrets."""
    done, position, pieces = 0, 0, []
    while (head := _HEAD.search(text, position)) is not None:
        position = head.end()
        if not _names_secret(text, head):
            if not head["sep"].strip():  # the next word may be a name itself
                position = head.end("name")
            continue
        begin, end = _value(text, head)
        if end > begin:
            pieces += [text[done:begin], MASK]
            done = position = end
    return "".join([*pieces, text[done:]])


def _names_secret(text: str, head: re.Match[str]) -> bool:
    name, sep = head["name"][-100:], head["sep"].strip()
    before = text[head.start() - 1 : head.start()] if head.start() else ""
    if sep == ",":
        return before == "(" and head["open"] is not None and is_secret_name(name)
    if not sep:
        flag = name.startswith("--") and len(name) > 2
        spoken = name.casefold() in ("password", "passwd") and text[head.end() : head.end() + 1] in ("'", '"')
        return (flag and is_secret_name(name)) or spoken or _identified(text, head)
    lower = name.casefold()
    if lower.replace("_", "-") in _HEADERS or (lower in _COOKIES and sep == ":"):
        return True
    if before in ("?", "&") and lower in _IN_QUERY:
        return True
    if lower == "pass" and sep == ":" and head["open"] is None:
        return False  # "pass: 12, fail: 3"
    return is_secret_name(name)


def _identified(text: str, head: re.Match[str]) -> bool:
    """Whether this is SQL's ``IDENTIFIED BY 'secret'``."""
    return head["name"].casefold() == "by" and text[head.start() - 11 : head.start()].strip().casefold() == "identified"


def _value(text: str, head: re.Match[str]) -> tuple[int, int]:
    """Return begin and end of what is masked after *head*; nothing where they are the same."""
    begin, name = head.end(), head["name"].casefold().replace("_", "-")
    quoted = _QUOTED.match(text, begin)
    if quoted is not None:
        if quoted["end"] is None:  # cut off: nobody knows where it would end
            line = text.find("\n", begin)
            return begin, line if line >= 0 else len(text)
        if quoted["inner"] in ("", MASK):
            return begin, begin
        return quoted.span("inner") if head["open"] else quoted.span()
    opening = text[begin : begin + 1]
    if opening in _CLOSING:
        return begin, _container_end(text, begin)
    if name in _HEADERS or name in _COOKIES:
        scheme = _SCHEME.match(text, begin)
        if scheme is not None or name in _COOKIES:
            begin = scheme.end() if scheme else begin
            return begin, _end(_LINE.match(text, begin), begin)
    if _HARMLESS.match(text, begin) or (name.endswith("s") and _COUNT.match(text, begin)):
        return begin, begin
    if name == "passphrase" and ":" in head["sep"]:
        return begin, _end(_LINE.match(text, begin), begin)
    return begin, _end(_PLAIN.match(text, begin), begin)


def _end(found: re.Match[str] | None, begin: int) -> int:
    return found.end() if found else begin


def _container_end(text: str, begin: int) -> int:
    """Return the end of the list or table that starts at *begin*, or that of its line."""
    opening, depth = text[begin], 0
    for bracket in re.compile(rf"[\{opening}\{_CLOSING[opening]}]").finditer(text, begin, begin + 4_000):
        depth += 1 if bracket.group() == opening else -1
        if not depth:
            return bracket.end()
    line = text.find("\n", begin)
    return line if line >= 0 else len(text)
