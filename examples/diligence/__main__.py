"""The command line: build a database, reason about a deal, serve the web side, switch the flag."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from . import analysis_runner, database, faults, flags
from .faults import Fault


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if it did its work, 1 if it could not."""
    options = _parser().parse_args(arguments)
    if options.verbose:
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    try:
        _COMMANDS[options.command](options)
    except SQLAlchemyError as error:
        print(f"cannot use the database: {_first_line(error)}; look at {database.VARIABLE}", file=sys.stderr)
        return 1
    except (LookupError, ValueError, OSError, ImportError, database.DatabaseNotEmptyError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _first_line(error: SQLAlchemyError) -> str:
    # What the driver said; SQLAlchemy adds the statement, its parameters and a link.
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.diligence", description=__doc__)
    parser.add_argument("-v", "--verbose", action="store_true", help="show the log on standard error")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build a database, before or after the migration")
    build.add_argument("state", choices=["before", "after"])
    build.add_argument("--database", metavar="URL", help="an empty database, instead of the embedded one")
    reason = commands.add_parser("reason", help="print the report of a deal as JSON")
    reason.add_argument("deal_id", type=int)
    serve = commands.add_parser("serve", help="serve the web side; an empty database is filled first")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8000, help="0 takes any free one")
    flag = commands.add_parser("flag", help="show the deal type flag, or switch a running system by its file")
    flag.add_argument("word", choices=["show", "on", "off"])
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= 65_535):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 65535")
    return int(text)


def _build(options: argparse.Namespace) -> None:
    fault = Fault.DROPPED_DEAL if Fault.DROPPED_DEAL in faults.active() else None
    if options.database:
        database.build(options.database, options.state, fault=fault, stdout=sys.stdout)
    else:
        print(database.rebuild(options.state, fault=fault, stdout=sys.stdout))


def _reason(options: argparse.Namespace) -> None:
    report = analysis_runner.run_reasoning_phase(options.deal_id)
    sys.stdout.buffer.write(json.dumps(report, indent=2, ensure_ascii=False).encode() + b"\n")


def _serve(options: argparse.Namespace) -> None:
    # The engine, and whoever reasons without the web side, needs none of Flask.
    from .web import create_app
    from .web.server import make_server

    target = database.web_url()
    shown = database.shown_url(target)
    if database.fill_if_empty(target, stdout=sys.stdout):
        print(f"filled {shown}")
    server = make_server(create_app(), options.host, options.port)
    print(f"serving {shown} at http://{options.host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _flag(options: argparse.Namespace) -> None:
    if options.word != "show":
        print(f"wrote {flags.switch(options.word == 'on')}")
    print(f"deal type awareness is {'on' if flags.deal_type_awareness() else 'off'}")


_COMMANDS = {"build": _build, "reason": _reason, "serve": _serve, "flag": _flag}

if __name__ == "__main__":
    sys.exit(main())
