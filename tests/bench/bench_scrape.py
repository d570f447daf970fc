# SPDX-License-Identifier: Apache-2.0
"""Whole scrapes over HTTP: busbard with simulated devices that change every value once a second, beside nginx serving
a file of the same bytes, beside libmicrohttpd with snprintf() for every series.

One client, one keep-alive connection, no compression. Rounds of the three servers alternate, so that what else happens
on the machine happens to all of them. That the page is no copy of an earlier one is checked first.
"""
import os
import shutil
import urllib.request

from figures import Figure, Skip, median, output_of
from support import Busbard, Process, free_port, program, wait_for

# (series wanted, devices, scrapes a round, at most x nginx)
SIZES = ((1000, 1, 200, 2.5), (10000, 10, 100, 2.5), (100000, 100, 25, 3.0))
ROUNDS = 5

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; default_type text/plain; open_file_cache max=10;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


def get(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return answer.read()


def series_in(page):
    return sum(1 for line in page.split(b"\n") if line and not line.startswith(b"#"))


def busbard_config(devices, points):
    device = {"plugin": "simulator", "interval": "1s", "watch": "0s", "points": points}
    return {"journal": {"log-points": []}, "devices": {f"ups-{i:04}": device for i in range(devices)},
            "exporters": {"prometheus": {"listen": "127.0.0.1:0"}}}


def start_busbard(devices, points):
    """A Busbard whose devices have all answered, and its port."""
    daemon = Busbard(busbard_config(devices, points))
    port = int(daemon.wait_log(r"listening on http://127\.0\.0\.1:(\d+)/metrics").group(1))
    wait_for(lambda: get(port).count(b"busbar_device_info{") == devices, 30, "all devices to have answered")
    return daemon, port


def series_of_a_device():
    """(without further points, of the agent itself): how many series the simulator's UPS has."""
    daemon, port = start_busbard(2, 0)
    with daemon:
        two = series_in(get(port))
    daemon, port = start_busbard(1, 0)
    with daemon:
        one = series_in(get(port))
    return two - one, 2 * one - two


def all_changed(before, after):
    """Has each of the further points another value? What else a UPS says is in great part the same from poll to poll:
    alarms that are not active, members of enumerations."""
    pairs = [(old, new) for old, new in zip(before.split(b"\n"), after.split(b"\n"))
             if old.startswith(b"busbar_vendor_value{")]
    return bool(pairs) and all(old != new for old, new in pairs)


def start_nginx(context, page):
    folder = context.scratch / "nginx"
    files = folder / "files"
    files.mkdir(parents=True, exist_ok=True)
    (files / "metrics").write_bytes(page)
    for path in (context.scratch, folder, files):
        os.chmod(path, 0o755)  # nginx's worker is another user
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    nginx = Process([program("nginx"), "-c", str(folder / "nginx.conf")], name="nginx")
    wait_for(lambda: answers(port), 10, "nginx to answer")
    return nginx, port


def answers(port):
    try:
        return get(port)
    except OSError:
        return None


def start_snprintf(context, page):
    path = context.scratch / "page"
    path.write_bytes(page)
    server = Process([str(context.tools / "bench_http_snprintf"), str(path)], name="snprintf")
    return server, int(server.wait_log(r"^(\d+)$").group(1))


def load(context, port, count):
    """Median of @count scrapes, us."""
    return float(output_of([str(context.tools / "bench_http_load"), str(port), "/metrics", str(count)]).split()[0])


def scrape(context):
    if not (context.tools / "bench_http_snprintf").exists():
        raise Skip("bench_http_snprintf is not built (needs libmicrohttpd)")
    if not shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        raise Skip("nginx is not installed (./dev deps installs it)")
    each, agent = series_of_a_device()
    for wanted, devices, count, limit in SIZES:
        # Further points that change with every poll fill up what a UPS lacks to a thousand series.
        points = (wanted - agent) // devices - each
        daemon, port = start_busbard(devices, points)
        with daemon:
            page = get(port)
            wait_for(lambda: all_changed(page, get(port)), 10, "every further point to change")
            nginx, nginx_port = start_nginx(context, page)
            plain, plain_port = start_snprintf(context, page)
            with nginx, plain:
                times = {"busbard": [], "nginx": [], "snprintf": []}
                for _ in range(ROUNDS):
                    times["busbard"].append(load(context, port, count))
                    times["nginx"].append(load(context, nginx_port, count))
                    times["snprintf"].append(load(context, plain_port, max(5, count // 5)))
        ours, static, usual = (median(times[who]) / 1000 for who in times)
        label = f"scrape, {series_in(page) / 1000:.0f}k series, {len(page) / 1e6:.2f} MB"
        yield Figure(label, ours, "ms", baseline=static, at_most=limit, note="baseline: nginx, static file")
        yield Figure(label, ours, "ms", baseline=usual, at_least=5, invert=True,
                     note="baseline: libmicrohttpd and snprintf")


def benches():
    return [("scrape", scrape)]
