"""One list of secrets: what is masked, what is not, and that nothing survives any writer."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pytest_dealsnap import secrets
from pytest_dealsnap.baseline.codec import Snapshot, decode, encode
from pytest_dealsnap.cli import main
from pytest_dealsnap.config_reading import load_config
from pytest_dealsnap.deals.database import parse_url, public_url
from pytest_dealsnap.errors import ConfigError
from pytest_dealsnap.model.record import replace
from pytest_dealsnap.model.results import Failure
from pytest_dealsnap.reasoning.calls import failure_of
from pytest_dealsnap.rehearsal.timeline import Timeline
from pytest_dealsnap.reporting.summary_text import summary_lines
from pytest_dealsnap.reporting.writers import formats, writer_of
from pytest_dealsnap.secrets import redact, remember, remember_url
from tests.plugin.project import Project, deal
from tests.profiles import scaled
from tests.reporting.rehearsals import REHEARSAL
from tests.reporting.runs import finding, finished, result

# Every form in which a text may show a secret. What an unquoted form allows ends at a blank.
QUOTED_FORMS = (
    "{{'password': '{}'}}",
    '{{"password": "{}"}}',
    '{{\\"password\\": \\"{}\\"}}',
    "{{b'password': b'{}'}}",
    "password='{}'",
    'passphrase="{}"',
    "connect(host='db', user='ana', passwd='{}')",
    "os.environ['PGPASSWORD'] = '{}'",
    "os.getenv('DB_PASSWORD', '{}')",
    "def connect(user, password: str = '{}')",
    "ALTER USER ana PASSWORD '{}'",
    "CREATE USER ana IDENTIFIED BY '{}'",
    "Cfg(secrets=['{}', 'b'])",
    "{{'Authorization': 'Bearer {}'}}",
    "<password>{}</password>",
    "cut off: {{'password': '{}",
)
PLAIN_FORMS = (
    "password: {}",
    "password: {}\nuser: ana",
    "password:\n  {}\nuser: ana",
    "user=ana password={} host=db",
    "dsn='host=db password={}'",
    "passphrase={}",
    "pw={}",
    "DB_PASS={}",
    "accessToken={}",
    "client-secret: {}",
    "--db-password {} --host db",
    "Authorization: Bearer {}",
    "authorization: token {}",
    "X-Api-Key: {}",
    "Set-Cookie: session={}; Path=/",
    "https://{}@github.com/ana/x.git",
    "postgresql://ana:{}@db:5432/x",
    "redis://:{}@cache",
    "https://host/x?pass={}&a=1",
    "https://host/x?a=1&auth={}",
    "https://host/x?sslkey={}",
    "https://host/x?sslpassword={}",
    "https://host/x?token={}",
    "ana:{}@db:5432/x",
    "next=postgresql%3A%2F%2Fana%3A{}%40db",
    "body: user%3Dana%26password%3D{}",
)
URL_FORMS = ("cannot reach postgresql://ana:{}@db:5432/x now", "mysql+pymysql://ana:{}@db/x", "at 'x://ana:{}@db/'")
# Writers take milliseconds an example; the forms are few.
bounded = settings(max_examples=scaled(40))
CORE = st.text("abcdefghijkmnpqrstuvwxyz23456789", min_size=8, max_size=16).map(lambda text: f"Zq7{text}")


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    """No secret that one test tells is known to another."""
    monkeypatch.setattr(secrets, "_KNOWN", secrets._Known())


@pytest.mark.parametrize("form", [*QUOTED_FORMS, *PLAIN_FORMS])
def test_a_secret_is_found_by_what_stands_before_it(form: str) -> None:
    """Names, headers, queries, quoted and percent-encoded forms; what is masked once stays as it is."""
    shown = redact(form.format("hunter2xyz"))
    assert "hunter2" not in shown
    assert "***" in shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "key=value",
        "author: x",
        "monkey=1",
        "keyboard: qwerty",
        "the secretary: Ana; secretariat=Bern",
        "prompt_tokens=1500, tokens: 12, token_count=7, token_type: word, tokenizer=bpe",
        "pass: 12, fail: 3",
        "compass=north, passenger: Bo, bypass=yes",
        "bearer bonds of the bearer",
        "password authentication failed for user 'ana'",
        "(using password: YES)",
        "password: required",
        "https://example.org:8080/path mail ana@example.org",
        "mailto:ana@example.org",
        "git@github.com:ana/x.git",
        "at 10:30 see C:\\temp\\x, ratio 3:4",
        "deal 12: cost_total = 5 must be equal",
    ],
)
def test_harmless_text_is_left_alone(text: str) -> None:
    """A word in a word, a count, a port, a mail address are no secrets."""
    assert redact(text) == text


@given(secret=CORE, odd=st.text("@ :/'#?%,;&=)", max_size=3), form=st.sampled_from(URL_FORMS))
def test_a_password_of_a_url_may_hold_anything(secret: str, odd: str, form: str) -> None:
    """Blanks, ``@``, slashes and quotes do not end it early."""
    assume("://" not in odd)
    shown = redact(form.format(f"{secret}{odd}{secret[:6]}"))
    assert secret[:6] not in shown


@given(secret=CORE, middle=st.text("@:/ %+&=\"'\\é\n", max_size=4), before=st.text("ab /'", max_size=3))
def test_the_password_of_the_configured_database_is_masked_wherever_it_stands(
    secret: str, middle: str, before: str
) -> None:
    """In plain, percent-encoded, escaped by ``repr`` or JSON: with no name before it."""
    password = f"{secret}{middle}{secret}"
    parse_url(f"postgresql://ana:{quote(password, safe='')}@db/x", "database")
    for form in (password, quote(password, safe=""), quote(password), repr(password), json.dumps(password)):
        assert secret not in redact(f"{before} {form} is no good")


@pytest.mark.parametrize("password", ["postgres", "test", "abc", "1"])
def test_a_password_that_is_a_common_word_does_not_mangle_every_message(password: str) -> None:
    """Such a password is no secret, and its word stands in harmless texts."""
    remember_url(f"postgresql://postgres:{password}@db/x")
    assert redact(f"a {password} of postgres in x") == f"a {password} of postgres in x"


def test_a_short_password_is_masked_as_a_word_only() -> None:
    """``dora`` is not masked in ``Ecuadorans``; the user and the database's name are shown in any case."""
    remember_url("postgresql://ana:dora@db/x")
    remember_url("postgresql://ledger:ledger@db/x")
    assert redact("dora, Ecuadorans, the ledger") == "***, Ecuadorans, the ledger"


def test_passwords_that_clients_read_from_the_environment_are_known(tmp_path: Path) -> None:
    """``PGPASSWORD``, ``MYSQL_PWD`` and the configured URL's own."""
    environ = {"PGPASSWORD": "Tr0ub4dor", "MYSQL_PWD": "c0rrectH", "DEALSNAP_DATABASE": "mysql://ana:b4ttery st@db/x"}
    load_config(tmp_path, flags={}, environ=environ)
    assert redact("Tr0ub4dor; c0rrectH; b4ttery st") == "***; ***; ***"


def test_a_known_secret_of_a_query_is_masked_and_so_is_the_shown_url() -> None:
    """``sslpassword`` of a database's URL, and every key that may hold a secret."""
    url = "postgresql://ana@db/x?sslpassword=longpassw0rd&pw=a&application_name=me"
    remember_url(url)
    assert redact("longpassw0rd") == "***"
    shown = public_url(parse_url(url, "database"))
    assert "longpassw0rd" not in shown
    assert "pw=***" in shown.replace("%2A", "*")
    assert "application_name=me" in shown


@pytest.mark.parametrize(
    "piece", ["password: ", "'password': '", "password ", "\\'", "://a:b c@", "a:b@c:1", "<token>"]
)
@pytest.mark.parametrize("size", [100_000])
def test_masking_is_linear_in_time(piece: str, size: int) -> None:
    """A hostile message does not stop a run: a quadratic search takes minutes."""
    assert redact(piece * (size // len(piece)))


@given(text=st.text(max_size=80))
@example("token=x'")
def test_to_mask_twice_changes_nothing(text: str) -> None:
    """A recorded message and one just raised are masked alike."""
    assert redact(redact(text)) == redact(text)


# --- through every writer


class BrokenError(Exception):
    """What a reasoner raises."""


@bounded
@given(secret=CORE, form=st.sampled_from([*QUOTED_FORMS, *PLAIN_FORMS, *URL_FORMS]))
def test_no_secret_survives_any_writer_of_a_run(secret: str, form: str) -> None:
    """A reasoner's message goes to snapshot, JSON, HTML, Markdown, GitHub, OpenMetrics and the terminal."""
    failure = failure_of(BrokenError(form.format(secret)))
    data = encode(Snapshot("1", "Orion", "acquisition", "acquisition", error=failure))
    failed = finding("output", None, str(failure), issue="reasoning_failed", allowed="no new errors")
    run = finished([result("1", "errored", failed, error=failure), result("2")])
    shown = [data.decode(), *(writer_of(name).render(run) for name in formats()), *summary_lines(run, width=200)]
    assert [text for text in shown if secret in text] == []


@bounded
@given(secret=CORE, form=st.sampled_from([*QUOTED_FORMS, *PLAIN_FORMS, *URL_FORMS]))
def test_no_secret_survives_the_reports_of_a_rehearsal(secret: str, form: str) -> None:
    """What a phase finds goes to all reports, and to whoever watches."""
    said: list[str] = []
    timeline = Timeline(said.append)
    with timeline.phase("upgrade", "the upgrade") as entry:
        entry.headline = form.format(secret)
        entry.find("upgrade_failed", form.format(secret), weight="corrupts", evidence=(form.format(secret),))
    rehearsal = replace(REHEARSAL, phases=tuple(timeline.phases), problems=tuple(timeline.problems))
    shown = [*(writer_of(name).render_rehearsal(rehearsal) for name in formats()), *said]
    assert [text for text in shown if secret in text] == []


@bounded
@given(secret=CORE, form=st.sampled_from([*QUOTED_FORMS, *PLAIN_FORMS]))
def test_a_message_recorded_by_an_earlier_version_is_masked_when_it_is_read(secret: str, form: str) -> None:
    """Its snapshot stays as it is; no report shows the secret."""
    old = Snapshot("1", None, "acquisition", None, error=Failure("KeyError", form.format(secret)))
    read = decode(encode(old), deal_id="1", path="1.json")
    assert read.error is not None
    assert secret not in read.error.message


@bounded
@given(secret=CORE, form=st.sampled_from(URL_FORMS))
def test_a_usage_error_shows_no_secret(tmp_path_factory: pytest.TempPathFactory, secret: str, form: str) -> None:
    """Nor does a URL with its password in a wrong key, or in the place of another value."""
    root = tmp_path_factory.mktemp("firm")
    for line in (f"databse = {json.dumps(form.format(secret))}", f"{json.dumps(form.format(secret))} = 1"):
        (root / "dealsnap.toml").write_text(line + "\n", encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_config(root, flags={}, environ={})
        assert secret not in str(caught.value)
    (root / "dealsnap.toml").write_text(f"workers = {json.dumps(form.format(secret))}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(root, flags={}, environ={})
    assert secret not in str(caught.value)


@pytest.mark.parametrize("command", [["audit"], ["rehearse"]])
def test_the_command_line_shows_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """An address that nobody serves, with a password in it."""
    url = "postgresql+psycopg://ana:hunter2hunter2@127.0.0.1:1/x?sslpassword=Sw0rdfish"
    (tmp_path / "dealsnap.toml").write_text(f'database = "{url}"\nrehearsal.upgrade = "true"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(command) != 0
    said = "".join(capfd.readouterr())
    assert "Traceback" not in said
    assert "hunter2" not in said
    assert "Sw0rdfish" not in said


LEAKY = """
import logging, sys, warnings
FORMS = {forms!r}
def value(transaction):
    form = FORMS[int(transaction["amount"])]
    print(form)
    print(form, file=sys.stderr)
    logging.getLogger("app").warning("%s", form)
    warnings.warn(form)
    raise RuntimeError(form)
"""


@pytest.mark.slow
def test_no_secret_of_a_reasoner_is_in_any_file_or_line_of_a_real_run(tmp_path: Path) -> None:
    """It raises, prints, logs and warns of them: snapshots, manifest, all reports, JUnit and the terminal are clean."""
    forms = [form.format("Zq7hunter2") for form in (*QUOTED_FORMS, *PLAIN_FORMS, *URL_FORMS)]
    rows = [deal(f"d{number}", amount=number) for number in range(len(forms))]
    kinds = ("html", "markdown", "github", "openmetrics")
    reports = [part for kind in kinds for part in ("--dealsnap-report", f"{kind}:out.{kind}")]
    project = Project(tmp_path).with_deals(*rows).captured()
    leaky = project.with_reasoner(LEAKY.replace("{forms!r}", repr(forms)))
    arguments = ("-rA", "-W", "default", "--junitxml=junit.xml", *reports)
    for outcome in (leaky.gate(*arguments), leaky.gate(*arguments, "-n", "1"), leaky.capture(*arguments)):
        assert "Captured stdout" in outcome.text
        lines = [line for line in outcome.text.splitlines() if "Zq7" in line and "warnings.warn(form)" not in line]
        assert lines == []
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc", ".db")]
        assert len(files) > 5
        assert [path.name for path in files if b"Zq7" in path.read_bytes()] == []


def test_what_a_reasoner_returns_is_data_and_stays(tmp_path: Path) -> None:
    """An output is recorded as it is: a changed one would be judged by what the mask hides."""
    reasoner = 'def value(t): return {"offer": {"price": 1}, "risks": [], "memo": "password=abc"}'
    project = Project(tmp_path).with_deals(deal("1")).with_reasoner(reasoner).captured()
    assert project.snapshot("1")["output"]["memo"] == "password=abc"


def test_remember_of_nothing_is_nothing() -> None:
    """No password, no mask."""
    remember(None)
    remember("")
    remember_url("sqlite:///book.db")
    assert redact("book.db") == "book.db"
