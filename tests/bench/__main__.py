"""Prints each figure beside what it is to be at most; figures are no tests."""

from tests.bench import detached, engine, history, startup


def main() -> None:
    """Measure everything and print a table."""
    cost = engine.measure()
    process = detached.measure()
    allowed = 1.3 * process["bare"] + 10
    rows = [
        ("engine, 3 stages x 10 no-op actions, ms per action", cost["narrow"], 1.0),
        ("engine, 500 side by side, times the cost of 10", cost["ratio"], 1.3),
        ("import pipelinekit, ms over starting Python", startup.import_milliseconds(), 150.0),
        ("pipelinekit status, s", startup.status_seconds(), 0.5),
        (f"detached no-op, ms (bare: {process['bare']:.2f})", process["detached"], allowed),
    ]
    long = f"{history.QUICK:,} in history, ms"
    rows += [
        (f"{name}, {long}", p99, history.AIM) for name, _, p99 in history.measure(history.QUICK)
    ]
    print(f"{'figure':55} {'measured':>9} {'at most':>9}")
    for name, measured, most in rows:
        print(f"{name:55} {measured:9.3f} {most:9.3f}{'' if measured <= most else '  missed'}")


if __name__ == "__main__":
    main()
