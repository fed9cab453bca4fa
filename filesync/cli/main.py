"""The command line: `filesync [-c CONFIG] VERB`. It finds the verb, and turns what went wrong into words and an exit status."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import click

from filesync import __version__
from filesync.agent.garbage import collect_seldom, for_good
from filesync.cli.app import App, Verbs, say_options
from filesync.errors import ExitCode, FilesyncError, disk_problem


class Verb(NamedTuple):
    """Where a verb stands, and its line in the list of verbs. Its module is imported when it is called, not before."""

    module: str
    command: str
    short: str


# In the order in which a person comes to need them.
VERBS: Final = {
    "init": Verb("init", "init", "Make a new site in a folder."),
    "draft": Verb("draft", "draft", "Draft contract and mapping from what the tracker has."),
    "check": Verb("check", "check", "Check the configuration, folders, rights, space, keys, tracker and mail server."),
    "pair": Verb("pair", "pair", "Agree with a partner on an exchange."),
    "pair-issues": Verb("pair_issues", "pair_issues", "Tie issues that both sites had before, so that none is made twice."),
    "unpair": Verb("unpair", "unpair", "End an exchange."),
    "export": Verb("export_", "export", "Write what changed in the tracker into bundles in the outbox."),
    "import": Verb("import_", "import_", "Read the bundles in the inbox and apply them to the tracker."),
    "preview": Verb("preview", "preview", "Show what an export or import would do, and do nothing."),
    "run": Verb("run", "run", "Import what arrives and export on a schedule, until stopped."),
    "pause": Verb("pause", "pause", "Let nothing go out or come in, until resume."),
    "resume": Verb("pause", "resume", "Let paused exchanges go on."),
    "stop-issues": Verb("by_hand", "stop_issues", "Take single issues out of an exchange, until start-issues."),
    "start-issues": Verb(
        "by_hand", "start_issues", "Bring single issues into an exchange, whatever the scope says, or let stopped ones go on."
    ),
    "contract": Verb("contract", "contract", "Look at the contract with a partner, and change it."),
    "resync": Verb("resync", "resync", "Tell issues once more, to bring old ones in line."),
    "status": Verb("status", "status", "Show how far each stream is, and what waits."),
    "why": Verb("why", "why", "Show where an issue stands with every partner, and why."),
    "coverage": Verb("coverage", "coverage", "Show what does not reach the other side, or not as it stands here."),
    "log": Verb("log", "log", "Show what happened."),
    "conflicts": Verb("conflicts", "conflicts", "Show edits of both sides that met, and which of them won."),
    "settle": Verb("settle", "settle", "Decide a field of which each side keeps its own."),
    "stuck": Verb("stuck", "stuck", "List, retry or skip what the tracker refused."),
    "quarantine": Verb("quarantine", "quarantine", "List, show, retry or drop files that could not be taken."),
    "resend": Verb("resend", "resend", "Put bundles from the archive into the outbox again, byte for byte."),
    "request": Verb("request", "request", "Ask a partner for what is missing."),
    "prune": Verb("prune", "prune", "Remove bundles that have done their work."),
    "verify": Verb("verify", "verify", "Check bundle files, and say all that is wrong with each."),
    "show": Verb("show", "show", "Show what a bundle file holds."),
    "keys": Verb("keys", "keys", "List, change and revoke keys."),
    "issue": Verb("issue", "issue", "Work on the issues of the embedded tracker."),
}


class SiteVerbs(Verbs):
    """The verbs of `VERBS`, each imported when it is called: that makes `filesync --help` quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002, click's signature
        """Name the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002, click's signature
        """Import a verb."""
        if cmd_name not in VERBS:
            return None
        verb = VERBS[cmd_name]
        module = f"filesync.cli.{verb.module}"
        if module not in sys.modules:
            with for_good():
                importlib.import_module(module)
        command = getattr(sys.modules[module], verb.command)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002, click's signature
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, verb.short) for name, verb in VERBS.items()])


@click.group(cls=SiteVerbs, context_settings={"help_option_names": ["-h", "--help"]}, subcommand_metavar="VERB …")
@click.option(
    "-c",
    "--config",
    "configs",
    metavar="CONFIG",
    type=click.Path(path_type=Path),
    multiple=True,
    help="The site's configuration. Without it $FILESYNC_CONFIG, else ./filesync.yaml. `run` serves several: -c A -c B.",
)
@say_options
@click.version_option(__version__, prog_name="filesync")
@click.pass_context
def cli(ctx: click.Context, configs: tuple[Path, ...]) -> None:
    """Keep the issues of two trackers in step through signed files."""
    if len(configs) > 1 and ctx.invoked_subcommand != "run":
        raise click.UsageError("only `run` serves several sites: give -c once")
    if len({path.resolve() for path in configs}) < len(configs):
        raise click.UsageError("-c names the same configuration twice")
    ctx.ensure_object(App).configs = configs or (Path(os.environ.get("FILESYNC_CONFIG") or "filesync.yaml"),)


class Misused(FilesyncError):
    """The command line is not one filesync understands: click's own words, for those who asked for JSON."""

    exit_code = ExitCode.USAGE


def run(arguments: Sequence[str]) -> int:
    """Carry out one call and return its exit status. A fault of our own comes out as the exception it is."""
    app = App()
    try:
        with cli.make_context("filesync", list(arguments), obj=app) as ctx:
            try:
                answer = cli.invoke(ctx)
            finally:
                app.clear()
        sys.stdout.flush()
    except click.exceptions.Exit as end:  # --help, --version
        return end.exit_code
    except (FilesyncError, click.ClickException) as error:
        return _refused(app, error, asked_json="--json" in arguments)
    except (KeyboardInterrupt, click.Abort):
        click.echo("filesync: stopped; the next run goes on where this one was", err=True)
        return ExitCode.INTERRUPTED
    except OSError as error:
        return _failed(app, error)
    return answer if isinstance(answer, int) else ExitCode.DONE


def _refused(app: App, error: FilesyncError | click.ClickException, *, asked_json: bool) -> int:
    """Say what we, or click, have words for."""
    if isinstance(error, FilesyncError):
        app.tell_error(error)
        return error.exit_code
    if isinstance(error, click.UsageError) and _names_an_exchange(error):
        error = click.UsageError(f"{error.message}. An exchange is named with --exchange NAME.", error.ctx)
    if asked_json:  # it may stand after the word that is not understood
        app.as_json = True
        app.tell_error(Misused(error.format_message(), hint="filesync --help"))
    else:
        error.show()
    return ExitCode.USAGE


def _names_an_exchange(error: click.UsageError) -> bool:
    """Whether a word too much was typed where an exchange is an option: other verbs have the partner as a word."""
    if error.ctx is None or "unexpected extra argument" not in error.message:
        return False
    return any(one.name == "exchange" for one in error.ctx.command.params)


def _failed(app: App, error: OSError) -> int:
    """Say what the system refused: a path that may not be entered, or our output that cannot be written."""
    if error.filename is None:
        # Python must not complain about the rest of our output when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):  # who read it (`| head`) has enough
        return ExitCode.DONE
    problem = disk_problem(error, error.filename or "standard output", doing="use")
    app.tell_error(problem)
    return problem.exit_code


def main() -> None:
    """Be the `filesync` program."""
    collect_seldom()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
