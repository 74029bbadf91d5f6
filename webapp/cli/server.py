"""`run`: the production server, with the scheduler inside."""

from __future__ import annotations

from dataclasses import replace

import click

from webapp.cli import examination, runtime

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", default=8400, show_default=True, type=click.IntRange(1, 65535), help="Port to listen at.")
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64), help="Request threads a worker.")
@click.option("--no-scheduler", is_flag=True, help="Leave regular work to another process or to «tick».")
def run(host: str, port: int, threads: int, *, no_scheduler: bool) -> None:
    """Serve the console until told to stop. Refuses to start while «doctor» finds a fault."""
    settings = runtime.settings()
    settings = replace(settings, threads=threads, scheduler=settings.scheduler and not no_scheduler)
    if settings.insecure_local and host not in LOOPBACK:
        raise click.ClickException(f"In insecure local mode only this machine is served, not {host}.")
    runtime.require_free(host, port)
    failed = [check for check in examination.examine(settings) if check.status == examination.FAIL]
    for check in failed:
        click.echo(f"{check.name}: {check.message}", err=True)
    if failed:
        raise click.ClickException("The server was not started. Mend what is named above; «doctor» shows every check.")
    runtime.engine().dispose()  # the workers are forks and open connections of their own

    from webapp.cli import serving  # a quarter of a second that no other command has to wait

    serving.serve(settings, host, port)


commands: list[click.Command] = [run]
