"""The flow as a process, or as several: ``python -m streaming.flow``.

    --processes N                 N processes on this machine, of one cluster
    -i I -a HOST:PORT;HOST:PORT   process I of a cluster across machines

Each shard is read, merged and written by exactly one process. To change their number, stop all and
start again with another: the snapshots are shared out anew.
"""

from core.loading import loading

with loading():
    import argparse
    import gc
    import sys
    from collections.abc import Sequence
    from datetime import timedelta
    from pathlib import Path

    import structlog
    from bytewax.recovery import RecoveryConfig
    from bytewax.run import cli_main

    from core.clock import SystemClock
    from core.errors import TelemetraError
    from core.settings import Settings
    from core.words import warm_up
    from streaming.bus.connections import open_reader
    from streaming.flow.clusters import Member, follow_parent, run_cluster
    from streaming.flow.committers import Committer
    from streaming.flow.dataflow import build_dataflow
    from streaming.flow.lookaheads import Lookahead
    from streaming.flow.news import NewsRoom
    from streaming.flow.preparations import prepare
    from streaming.flow.steps import Asked
    from streaming.flow.stores import RECOVERY_PARTITIONS, open_recovery_store
    from streaming.flow.traces import FlowTraces
    from streaming.flow.tuning_watches import TuningWatch
    from streaming.processes import begin, serve_metrics
    from streaming.traces.tracers import open_tracer

log = structlog.get_logger()


def run(settings: Settings, member: Member) -> None:
    """Run one process of the flow until it is told to stop."""
    clock = SystemClock()
    reader = open_reader(settings, "flow")
    # In a cluster most batches go to another process, which prepares them itself.
    lookahead = Lookahead(reader, None if member.addresses else prepare)
    news = NewsRoom(settings.require_redis_url(), clock, process=member.number)
    traces = FlowTraces(open_tracer(settings, "flow"))
    committer = Committer(settings.require_database_url(), news, clock, traces)
    tunings = TuningWatch(settings.require_database_url())
    asked = Asked(lambda: tunings.current, lambda: news.audiences.streams)
    port = settings.flow_metrics_port
    serve_metrics(settings, port + member.number if port else 0)
    # On a new machine the machine code for texts is made now, and not while events wait.
    warm_up()
    # What is there now stays: to look through it for garbage halts everything for a tenth of a
    # second.
    gc.freeze()
    news.start()
    committer.start()
    tunings.start()
    try:
        cli_main(
            build_dataflow(settings, lookahead, committer, clock, traces, asked),
            process_id=member.number if member.addresses else None,
            addresses=list(member.addresses) or None,
            epoch_interval=timedelta(seconds=settings.flow_snapshot_seconds),
            recovery_config=RecoveryConfig(str(locate_recovery_store(settings))),
        )
    finally:
        tunings.stop()
        committer.stop()
        news.stop()
        traces.stop()
        lookahead.stop()
        reader.close()


def locate_recovery_store(settings: Settings) -> Path:
    """Return the folder of the snapshots."""
    return settings.data_dir / "flow"


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m streaming.flow", description="Run the flow.")
    parser.add_argument(
        "--processes", type=int, metavar="N", help="processes on this machine (FLOW_PROCESSES)"
    )
    parser.add_argument(
        "-i", "--process-id", type=int, metavar="I", help="number of this process in its cluster"
    )
    parser.add_argument(
        "-a", "--addresses", metavar="A;B", help="host:port of every process of the cluster"
    )
    told = parser.parse_args(arguments)
    if (wrong := _find_wrong(told)) is not None:
        parser.error(wrong)
    return told


def _find_wrong(told: argparse.Namespace) -> str | None:
    """Return what does not fit together."""
    alone = told.process_id is None
    if told.processes is not None and not 1 <= told.processes <= RECOVERY_PARTITIONS:
        return f"--processes is from 1 to {RECOVERY_PARTITIONS}"
    if alone != (told.addresses is None):
        return "-i and -a belong together"
    if not alone and told.processes is not None:
        return "--processes is for one machine, -i and -a are for several"
    if not alone and not 0 <= told.process_id < len(told.addresses.split(";")):
        return "-i counts the addresses of -a from 0"
    return None


def main() -> None:
    """Read the settings and run."""
    told = read_arguments()
    try:
        settings = begin("flow")
        open_recovery_store(locate_recovery_store(settings))
        if told.process_id is not None:
            follow_parent()
            run(settings, Member(told.process_id, tuple(told.addresses.split(";"))))
        elif (processes := told.processes or settings.flow_processes) > 1:
            sys.exit(run_cluster(processes))
        else:
            run(settings, Member(0, ()))
    except TelemetraError as error:
        sys.exit(error.detail)
    except KeyboardInterrupt:
        log.info("flow_stopped")


if __name__ == "__main__":
    main()
