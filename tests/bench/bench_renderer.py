# SPDX-License-Identifier: Apache-2.0
"""The Prometheus exporter's renderer alone, beside the same page written with snprintf()."""
from figures import Figure, Skip, output_of


def renderer(context):
    program = context.tools / "bench_renderer"
    if not program.exists():
        raise Skip("bench_renderer is not built (needs libmicrohttpd)")
    for devices in (7, 70, 640):  # about 1k, 10k and 100k series
        series, _, ours, plain = output_of([str(program), str(devices)]).split()
        label = f"renderer, {int(series) / 1000:.0f}k series"
        yield Figure(label, float(ours), "ns/series", baseline=float(plain), at_most=20, against="value",
                     note="baseline: snprintf")


def benches():
    return [("renderer", renderer)]
