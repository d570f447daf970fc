# SPDX-License-Identifier: Apache-2.0
"""The pages of the Prometheus exporter, judged by those who read them: promtool, the Prometheus server, and the
OpenMetrics parser of Prometheus' client library."""
import csv
import gzip
import json
import re
import subprocess
import tempfile
import unittest
import urllib.parse
import urllib.request

from modbus_peers import Ups
from support import PATIENCE, SOURCE, Busbard, Process, free_port, program, say, wait_for

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SERIES = re.compile(r'^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$')


def get(port, path="/metrics", headers=None, method="GET", host="127.0.0.1"):
    """(headers, body) of an answer with status 200."""
    request = urllib.request.Request(f"http://{host}:{port}{path}", headers=headers or {}, method=method)
    with urllib.request.urlopen(request, timeout=30 * PATIENCE) as answer:
        return answer.headers, answer.read()


def series(page):
    """{(name, labels text): value} of a page; a series that is there twice fails."""
    found = {}
    for line in page.decode().splitlines():
        if line.startswith("#"):
            continue
        match = SERIES.match(line)
        assert match, f"not a series: {line}"
        key = match[1], match[2] or ""
        assert key not in found, f"twice: {line}"
        found[key] = match[3]
    return found


def config(**devices):
    return {"devices": devices, "exporters": {"prometheus": {"listen": "127.0.0.1:0"}}}


def port_of(daemon):
    return int(daemon.wait_log(r"listening on http://\S+:(\d+)/metrics").group(1))


def simulator(**options):
    return {"plugin": "simulator", "interval": "1s", **options}


class Pages(unittest.TestCase):
    """One agent with a device that has every point there is, and a usual one."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Busbard(config(all=simulator(profile="everything"), ups=simulator(profile="three-phase")))
        cls.port = port_of(cls.daemon)
        wait_for(lambda: get(cls.port)[1].count(b"busbar_device_info{") == 2, 10, "both devices to answer")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__(None, None, None)

    def page(self, **headers):
        return get(self.port, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def test_promtool_has_no_complaint(self):
        checked = subprocess.run([program("promtool"), "check", "metrics"], input=self.page()[1], capture_output=True,
                                 check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_the_openmetrics_page_is_what_its_parser_accepts(self):
        try:
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
        except ImportError:
            self.skipTest("python3-prometheus-client is not installed (./dev deps installs it)")
        headers, body = self.page(Accept=OPENMETRICS)
        self.assertEqual(headers["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8")
        self.assertTrue(body.endswith(b"\n# EOF\n"))
        families = list(text_string_to_metric_families(body.decode()))
        self.assertEqual(sum(len(family.samples) for family in families), len(series(body)))
        kinds = {family.name: family.type for family in families}
        self.assertEqual(kinds["busbar_device_polls"], "counter")
        self.assertEqual(kinds["ups_output_joules"], "counter")
        self.assertEqual(kinds["ups_battery_charge_ratio"], "gauge")

    def test_both_formats_have_the_same_series(self):
        text, openmetrics = self.page()[1], self.page(Accept=OPENMETRICS)[1]
        self.assertEqual(series(text).keys(), series(openmetrics).keys())

    def test_every_metric_of_the_dictionary_is_there(self):
        names = {name for name, _ in series(self.page()[1])}
        with open(SOURCE / "config" / "points.csv", newline="", encoding="utf-8") as table:
            rows = [row for row in csv.DictReader(table) if row["metric"]]
        # A sensor has one of several families, which one follows from its unit.
        missing = {row["point"]: row["metric"] for row in rows
                   if not names & {name.strip() for name in row["metric"].split("|")}}
        self.assertEqual(missing, {})
        say(f"Prometheus: {len(rows)} points of the dictionary are exported, in {len(names)} families")

    def test_the_documentation_lists_every_family_with_its_type_and_labels(self):
        rows = re.findall(r"^\| (\w+) \| (gauge|counter) \|([a-z, ]*)\|", (SOURCE / "docs" / "metrics.md").read_text(),
                          re.MULTILINE)
        documented = {name: (kind, set(labels.replace(",", " ").split())) for name, kind, labels in rows}
        self.assertEqual(len(rows), len(documented))
        page = self.page()[1]
        kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", page.decode(), re.MULTILINE))
        written = {}
        for name, labels in series(page):
            written.setdefault(name, (kinds[name], set()))[1].update(re.findall(r'(\w+)="', labels))
        # The simulator has no link; the other families must be there, and as they are documented.
        for name in ("busbar_link_polls_total", "busbar_link_poll_errors_total"):
            self.assertEqual(documented.pop(name), ("counter", {"link"}))
        self.assertEqual(written, documented)

    def test_every_alarm_a_device_can_raise_has_a_series(self):
        alarms = re.findall(rb'busbar_alarm_active\{device="ups",alarm="([a-z0-9-]+)"\}', self.page()[1])
        points = {name for name in self.daemon.points("ups") if name.startswith("alarm.") and name != "alarm.count"}
        self.assertEqual({f"alarm.{name.decode()}" for name in alarms}, points)

    def test_an_alarm_that_somebody_has_seen_says_so(self):
        with tempfile.NamedTemporaryFile("w") as scenario:
            scenario.write("at 0s alarm fan-failure on\n")
            scenario.flush()
            with Busbard(config(ups=simulator(scenario=scenario.name))) as daemon:
                port = port_of(daemon)
                key = 'device="ups",alarm="fan-failure"'
                wait_for(lambda: series(get(port)[1]).get(("busbar_alarm_active", key)) == "1", what="the alarm")
                self.assertEqual(series(get(port)[1])["busbar_alarm_acknowledged", key], "0")
                self.assertEqual(daemon.ctl("ack", "ups", "fan-failure").returncode, 0)
                self.assertEqual(series(get(port)[1])["busbar_alarm_acknowledged", key], "1")

    def test_every_kind_of_event_has_a_counter_that_counts(self):
        def counts():
            return {labels: int(value) for (name, labels), value in series(self.page()[1]).items()
                    if name == "busbar_events_total"}
        before = counts()
        self.assertIn('kind="alarm-raised"', before)
        self.assertNotIn('kind="unknown"', before)
        self.daemon.reload()
        loaded = 'kind="config-loaded"'
        wait_for(lambda: counts()[loaded] == before[loaded] + 1, what="the reload to be counted")
        newest = series(self.page()[1])["busbar_journal_newest_event", ""]
        self.assertEqual(int(newest), self.daemon.json("events")[-1]["number"])

    def test_values_are_those_of_busbarctl_in_base_units(self):
        points = self.daemon.points("ups")
        values = series(self.page()[1])
        nominal = values["ups_power_nominal_voltamperes", 'device="ups"']
        self.assertEqual(float(nominal), points["ups.power.nominal"]["value"])
        charge = float(values["ups_battery_charge_ratio", 'device="ups"'])
        self.assertAlmostEqual(charge, points["battery.charge"]["value"] / 100, delta=0.02)
        source = points["output.source"]["value"]
        self.assertEqual(values["ups_output_source", f'device="ups",source="{source}"'], "1")
        self.assertEqual(sum(value == "1" for (name, labels), value in values.items()
                             if name == "ups_output_source" and 'device="ups"' in labels), 1)

    def test_a_family_is_written_in_one_piece(self):
        names = [line.split("{")[0].split(" ")[0] for line in self.page()[1].decode().splitlines()
                 if not line.startswith("#")]
        pieces = [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]
        self.assertEqual(len(pieces), len(set(pieces)))

    def test_a_page_shows_the_values_of_its_moment(self):
        before = self.page()[1]
        wait_for(lambda: any(before_value != series(self.page()[1]).get(key)
                             for key, before_value in series(before).items() if key[0] == "ups_output_volts"),
                 10, "another output voltage")

    def test_gzip_is_for_who_asks(self):
        headers, body = self.page(Accept_Encoding="gzip")
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(series(gzip.decompress(body)).keys(), series(self.page()[1]).keys())
        headers, body = self.page(Accept_Encoding="gzip;q=0, identity")
        self.assertIsNone(headers["Content-Encoding"])
        self.assertIn("Accept-Encoding", headers["Vary"])

    def test_head_is_a_get_without_its_body(self):
        headers, body = get(self.port, method="HEAD")
        self.assertEqual(body, b"")
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")

    def test_the_landing_page_leads_to_the_metrics(self):
        headers, body = get(self.port, path="/")
        self.assertTrue(headers["Content-Type"].startswith("text/html"))
        self.assertIn(b'href="/metrics"', body)


class Servers(unittest.TestCase):
    def test_a_prometheus_scrapes_and_answers_a_query(self):
        port = free_port()
        with Busbard(config(ups=simulator())) as daemon, tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/prometheus.yml", "w", encoding="ascii") as file:
                json.dump({"global": {"scrape_interval": "3s", "scrape_timeout": "3s"},
                           "scrape_configs": [{"job_name": "busbar", "static_configs": [
                               {"targets": [f"127.0.0.1:{port_of(daemon)}"]}]}]}, file)
            with Process([program("prometheus"), f"--config.file={folder}/prometheus.yml",
                          f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}",
                          "--log.level=warn"]) as server:
                def query(expression):
                    try:
                        body = get(port, "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))[1]
                    except OSError:
                        return None
                    return json.loads(body)["data"]["result"]
                result = wait_for(lambda: query("ups_battery_charge_ratio"), 30,
                                  lambda: f"Prometheus to have the battery's charge; it said:\n{server.log()}")
                self.assertEqual(result[0]["metric"]["device"], "ups")
                self.assertTrue(0 <= float(result[0]["value"][1]) <= 1)
                self.assertEqual(wait_for(lambda: query("up"), what="whether it is up")[0]["value"][1], "1")
                joined = wait_for(lambda: query("busbar_device_up * on(device) group_left(model) busbar_device_info"),
                                  what="the join")
                self.assertTrue(joined[0]["metric"]["model"])
                self.assertNotIn("error", server.log().lower())

    def test_a_silent_device_is_down_and_its_measurements_vanish(self):
        with Ups() as ups, Busbard(config(silent=ups.device(), other=simulator())) as daemon:
            port = port_of(daemon)

            def page():
                return series(get(port)[1])
            for name in ("silent", "other"):
                wait_for(lambda name=name: page().get(("busbar_device_up", f'device="{name}"')) == "1", what=name)
            self.assertIn(("ups_battery_charge_ratio", 'device="silent"'), page())
            ups.silent = True
            wait_for(lambda: page()["busbar_device_up", 'device="silent"'] == "0", what="the device to be lost")
            lost = 'device="silent",alarm="communications-lost"'
            wait_for(lambda: page()["busbar_alarm_active", lost] == "1", what="the alarm communications-lost")
            values = page()
            shown = {name for name, labels in values if 'device="silent"' in labels}
            self.assertEqual({name for name in shown if name.endswith(("_volts", "_charge_ratio", "_source"))}, set())
            self.assertIn("busbar_device_info", shown)
            self.assertGreater(float(values["busbar_device_reading_age_seconds", 'device="silent"']), 1)
            self.assertGreater(int(values["busbar_device_poll_errors_total", 'device="silent"']), 0)
            self.assertIn(("ups_battery_charge_ratio", 'device="other"'), values)

    def test_devices_that_come_and_go_come_and_go_on_the_page(self):
        exporters = {"prometheus": {"listen": f"127.0.0.1:{free_port()}"}}
        with Busbard({**config(a=simulator()), "exporters": exporters}) as daemon:
            port = port_of(daemon)
            exporters = {"prometheus": {"listen": f"127.0.0.1:{port}"}}

            def answered(*names):
                info = {labels.split('"')[1] for name, labels in series(get(port)[1]) if name == "busbar_device_info"}
                return info == set(names)
            wait_for(lambda: answered("a"), 10, "the first device")
            daemon.reload({**config(a=simulator(), b=simulator()), "exporters": exporters})
            wait_for(lambda: answered("a", "b"), 10, "the second device")
            daemon.reload({**config(b=simulator()), "exporters": exporters})
            wait_for(lambda: answered("b"), 10, "the first device to be gone")

    def test_another_address_than_loopback_is_warned_about_once(self):
        with Busbard({"exporters": {"prometheus": {"listen": "0.0.0.0:0"}}}) as daemon:
            port_of(daemon)
            self.assertEqual(len(re.findall(r"warning", daemon.log())), 1, daemon.log())
            self.assertIn("whoever reaches this machine", daemon.log())

    def test_ipv6_is_listened_on(self):
        with Busbard({"exporters": {"prometheus": {"listen": "[::1]:0"}}}) as daemon:
            self.assertIn(b"busbar_build_info", get(port_of(daemon), host="[::1]")[1])
            self.assertNotIn("warning", daemon.log())

    def test_a_port_in_use_is_said_and_tried_again_until_it_is_free(self):
        with Busbard({"exporters": {"prometheus": {"listen": "127.0.0.1:0"}}}) as first:
            self.assertEqual(first.json("status")["agent"]["exporters"], ["prometheus"])
            second = Busbard({"exporters": {"prometheus": {"listen": f"127.0.0.1:{port_of(first)}"}}}, wait=False)
            try:
                second.wait_log(rf"prometheus: cannot listen on 127\.0\.0\.1:{port_of(first)}: Address already in use")
                second.wait_ready()
                self.assertEqual(second.json("status")["agent"]["exporters"], [], "those that run")
                first.stop()
                wait_for(lambda: second.json("status")["agent"]["exporters"] == ["prometheus"], 60,
                         lambda: f"the exporter to start; busbard said {second.log()}")
            finally:
                second.stop()
                second.folder.cleanup()

    def test_a_name_is_no_address_to_listen_on(self):
        daemon = Busbard({"exporters": {"prometheus": {"listen": "ups.example.org:9628"}}}, wait=False)
        daemon.wait()
        self.assertNotEqual(daemon.returncode, 0)
        self.assertRegex(daemon.log(), r"busbar\.yaml:\d+:\d+: .*listen: needs a numeric address")
        daemon.folder.cleanup()


if __name__ == "__main__":
    unittest.main()
