# SPDX-License-Identifier: Apache-2.0
"""test_syslog.py - every event reaches every receiver, in order, whatever happens to receivers and connections.

rsyslog receives over UDP, TCP and TLS, and says what it understood. Peers of our own do what rsyslog would not: cut
connections at any byte, stall, dawdle.
"""
import fcntl
import os
import re
import socket
import struct
import subprocess
import sys
import time
import unittest

from support import PATIENCE, SANITIZERS, Busbard, cut, program, say, wait_for
from syslog_case import QUICK, Case
from syslog_peers import CERTIFICATES, Certificates, Peer, Rsyslog, number

class WithRsyslog(Case):
    def test_rsyslog_understands_every_field(self):
        with Rsyslog() as rsyslog:
            servers = [f"udp://localhost:{rsyslog.udp_port}", f"tcp://127.0.0.1:{rsyslog.tcp_port}"]
            exporter = {**QUICK, "servers": servers, "facility": "local3", "enterprise": 64512, "hostname": "h.example"}
            with Busbard(self.config({"log": exporter}, self.ups())) as busbard:
                wait_for(lambda: any(event["subject"] == "on-battery" for event in self.events(busbard)), 20,
                         "the mains failure")
                last = self.newest(busbard)
                for kind in ("udp", "tcp"):
                    wait_for(lambda: sum(row["input"] == kind for row in rsyslog.lines()) >= last, 10,
                             lambda: f"{last} messages over {kind}; there are {rsyslog.numbers()}")
                events = {event["number"]: event for event in self.events(busbard)}
            rows = rsyslog.lines()
            for row in rows:
                event = events.get(int(row["busbar"]["event"]))
                if not event:  # emitted while we looked
                    continue
                self.assertEqual((row["version"], row["host"], row["app"], row["id"]),
                                 ("1", "h.example", "busbar", event["event"]))
                self.assertEqual(row["proc"], str(busbard.pid))
                self.assertEqual(int(row["pri"]) >> 3, 19, "local3")
                self.assertEqual(row["busbar"].get("device", ""), event["device"] or "")
                self.assertEqual(row["busbar"]["severity"], event["severity"])
                self.assertEqual(row["sd"]["origin"]["software"], "busbar")
                self.assertEqual(row["sd"]["timequality"]["tzknown"], "1")
                self.assertIn(event["text"], row["msg"])
                self.assertIn("busbar@64512", row["sd"])
                self.assertRegex(row["time"], r"T\d\d:\d\d:\d\d\.\d{3}(Z|\+00:00)$")
            on_battery = next(row for row in rows if row["busbar"].get("alarm") == "on-battery")
            self.assertEqual(on_battery["busbar"]["state"], "raised")
            self.assertEqual(int(on_battery["pri"]) & 7, 2, "critical")
            for kind in ("udp", "tcp"):
                of_kind = [row for row in rows if row["input"] == kind]
                self.assertEqual([int(row["sd"]["meta"]["sequenceid"]) for row in of_kind],
                                 list(range(1, len(of_kind) + 1)), kind)
                self.assert_sequence([int(row["busbar"]["event"]) for row in of_kind], last, kind)
            say(f"rsyslog understood {len(rows)} messages")

    def test_lines_end_with_a_line_feed_where_that_is_asked_for(self):
        def treat(peer, connection, _):
            peer.take_all(connection)
        with Peer(treat) as peer, Rsyslog() as rsyslog:
            servers = [f"tcp://127.0.0.1:{peer.port}", f"tcp://127.0.0.1:{rsyslog.tcp_port}"]
            with Busbard(self.config({"syslog": {**QUICK, "servers": servers, "framing": "lf"}})) as busbard:
                last = self.make_events(busbard, 3)
                wait_for(lambda: len(rsyslog.lines()) >= last and bytes(peer.streams[0]).count(b"\n") >= last, 10,
                         "lines")
            lines = bytes(peer.streams[0]).splitlines()
            self.assertTrue(all(line.startswith(b"<29>1 ") for line in lines), lines)
            self.assert_sequence([number(line) for line in lines], last)
            self.assert_sequence(rsyslog.numbers(), last)

    def down_for_a_while(self, certificates, scheme):
        with Rsyslog(certificates) as rsyslog:
            exporter = {**QUICK, "server": f"{scheme}://localhost:{rsyslog.tcp_port}"}
            if certificates:
                exporter["ca-file"] = certificates / "ca.pem"
            with Busbard(self.config({"syslog": exporter})) as busbard:
                for how in (rsyslog.stop, rsyslog.kill):
                    last = self.make_events(busbard, 3)
                    wait_for(lambda: last in rsyslog.numbers(), 10, lambda: f"event {last} in {rsyslog.numbers()}")
                    how()
                    last = self.make_events(busbard, 20)
                    rsyslog.start()
                    wait_for(lambda: last in rsyslog.numbers(), 15,
                             lambda: f"event {last} in {rsyslog.numbers()}; {busbard.log()}")
                busbard.wait_log(r"takes messages again after")
                self.assert_sequence(rsyslog.numbers(), last)
            # rsyslog has closed the connection at our end, so it has read everything: nothing comes again.
            before = rsyslog.numbers()
            with Busbard(self.config({"syslog": exporter})) as busbard:
                last = self.make_events(busbard, 1)
                wait_for(lambda: last in rsyslog.numbers(), 10, lambda: f"event {last} in {rsyslog.numbers()}")
                numbers = rsyslog.numbers()
                self.assert_sequence(numbers, last)
                self.assertGreater(min(numbers[len(before):]), max(before))
            say(f"{scheme}: {last} events, {len(numbers) - last} of them twice")

    def test_tcp_receiver_down_for_a_while_gets_everything_in_order(self):
        self.down_for_a_while(None, "tcp")

    def test_tls_receiver_down_for_a_while_gets_everything_in_order(self):
        certificates = Certificates()
        self.addCleanup(certificates.cleanup)
        self.down_for_a_while(certificates, "tls")


REFUSALS = {
    "expired": "its certificate is refused: certificate has expired",
    "not-yet": "its certificate is refused: certificate is not yet valid",
    "wrong-name": "its certificate is refused: not made out for 'localhost'",
    "wrong-ca": "its certificate is refused: unable to get local issuer certificate",
    "self-signed": "its certificate is refused: self-signed certificate",
}


class Trust(Case):
    @classmethod
    def setUpClass(cls):
        cls.certificates = Certificates()
        cls.addClassCleanup(cls.certificates.cleanup)

    def receivers(self):
        receivers = {}
        for kind in CERTIFICATES:
            receivers[kind] = Rsyslog(self.certificates, kind, wait=False)
            self.addCleanup(receivers[kind].__exit__)
        for receiver in receivers.values():
            receiver.wait_ready()
        return receivers

    def test_only_a_certificate_without_fault_gets_messages(self):
        receivers = self.receivers()
        servers = [f"tls://localhost:{receiver.tcp_port}" for receiver in receivers.values()]
        exporter = {**QUICK, "servers": servers, "ca-file": self.certificates / "ca.pem"}
        with Busbard(self.config({"syslog": exporter})) as busbard:
            last = self.make_events(busbard, 3)
            wait_for(lambda: last in receivers["good"].numbers(), 10, "messages at the good one")
            for kind, refusal in REFUSALS.items():
                name = f"tls://localhost:{receivers[kind].tcp_port}"
                busbard.wait_log(re.escape(f"syslog: {name}: no agreement: {refusal}") + "$")
            for kind in REFUSALS:
                self.assertEqual(receivers[kind].lines(), [], kind)
            self.assertNotIn("tls-not-verified", busbard.ctl("status").stdout)

    def test_trust_without_proof_shows(self):
        receivers = self.receivers()
        servers = [f"tls://localhost:{receiver.tcp_port}" for receiver in receivers.values()]
        exporter = {**QUICK, "servers": servers, "insecure": True}
        with Busbard(self.config({"syslog": exporter})) as busbard:
            last = self.make_events(busbard, 1)
            for kind, receiver in receivers.items():
                wait_for(lambda: last in receiver.numbers(), 10, f"messages at {kind}")
            self.assertIn("tls-not-verified", busbard.ctl("status").stdout)
            self.assertIn("tls-not-verified", busbard.json("status")["agent"]["active_alarms"])
            del exporter["insecure"]
            exporter["ca-file"] = self.certificates / "ca.pem"
            busbard.reload(self.config({"syslog": exporter}))
            self.assertNotIn("tls-not-verified", busbard.ctl("status").stdout)

    def test_another_name_may_be_asked_for(self):
        with Rsyslog(self.certificates, "wrong-name") as rsyslog:
            exporter = {**QUICK, "server": f"tls://127.0.0.1:{rsyslog.tcp_port}", "verify-name": "another.example",
                        "ca-file": self.certificates / "ca.pem"}
            with Busbard(self.config({"syslog": exporter})):
                wait_for(rsyslog.lines, 10, "messages")

    def test_a_number_is_looked_for_among_the_certificates_addresses(self):
        with Rsyslog(self.certificates, "good") as good, Rsyslog(self.certificates, "wrong-name") as wrong:
            exporter = {**QUICK, "ca-file": self.certificates / "ca.pem",
                        "servers": [f"tls://127.0.0.1:{good.tcp_port}", f"tls://127.0.0.1:{wrong.tcp_port}"]}
            with Busbard(self.config({"syslog": exporter})) as busbard:
                wait_for(good.lines, 10, "messages")
                busbard.wait_log(re.escape("its certificate is refused: not made out for '127.0.0.1'") + "$")
                self.assertEqual(wrong.lines(), [])

    def test_files_that_cannot_be_used_are_refused_with_their_place(self):
        (self.folder / "empty").write_text("")
        (self.folder / "empty").chmod(0o600)
        good = {"certificate-file": self.certificates / "good.pem", "key-file": self.certificates / "good.key"}
        tls = {"server": "tls://localhost"}
        cases = [
            ({**tls, "ca-file": str(self.folder / "empty")}, "ca-file: no certificates in .*empty: .*"),
            ({**tls, "key-file": good["key-file"]}, "key-file: is of no use without 'certificate-file'"),
            ({**tls, **good, "key-file": self.certificates / "ca.key"}, "key-file: no key for that certificate"),
            ({**tls, **good, "certificate-file": str(self.folder / "empty")}, "certificate-file: no certificate in"),
            ({"server": "udp://localhost", "insecure": True}, "insecure: is of no use: no server begins with tls://"),
            ({"server": "udp://localhost", "framing": "lf"}, "framing: is of no use: no server begins with tcp://"),
            ({}, "needs 'server' or 'servers'"),
            ({"server": "localhost:514"}, "server: 'localhost:514' needs a scheme, such as tls://192.0.2.1"),
            ({"servers": ["udp://a", "http://b"]}, "servers: the scheme 'http' is not one of: tls tcp udp journald"),
            ({"servers": ["udp://a", "udp://A:514"]}, "servers: 'udp://A:514' is there twice"),
            ({"server": "udp://a/b"}, "server: nothing may follow the port in 'udp://a/b'"),
            ({"server": "journald://host"}, "server: 'journald://host' must be journald: or journald:///PATH"),
            ({"server": "udp://a", "hostname": "two words"}, "hostname: 'two words' cannot be a name"),
        ]
        with Busbard(self.config({})) as busbard:
            for exporter, said in cases:
                done = busbard.reload(self.config({"syslog": {"plugin": "syslog", **exporter}}), check=False)
                self.assertNotEqual(done.returncode, 0, said)
                self.assertRegex(done.stdout + done.stderr, r"busbar\.yaml:\d+:\d+: .*" + said)


class HardTimes(Case):
    def test_a_connection_cut_at_every_byte_of_a_message_loses_nothing(self):
        """Each of several peers cuts its connections after 0, 8, 16 … (1, 9, 17 …) bytes, until every place in the
        first message and the head of the second was one. Then it takes everything."""
        peers_count, places = 8, 320
        step = max(1, places // cut(places, 80 if SANITIZERS else places, "cuts"))

        def cutter(offset):
            def treat(peer, connection, index):
                place = offset + index * peers_count * step
                while place < places and len(peer.streams[-1]) < place:
                    if not peer.take(connection, place - len(peer.streams[-1])):
                        break
                if place >= places:
                    peer.take_all(connection)
                elif index % 2:
                    peer.reset(connection)
            return treat

        peers = [Peer(cutter(offset)) for offset in range(peers_count)]
        for peer in peers:
            self.addCleanup(peer.__exit__)
        exporter = {**QUICK, "retry": "100ms", "servers": [f"tcp://127.0.0.1:{peer.port}" for peer in peers]}
        with Busbard(self.config({"syslog": exporter})) as busbard:
            last = self.make_events(busbard, 5)
            for peer in peers:
                wait_for(lambda: last in peer.seen(), 60, lambda: f"event {last} in {peer.numbers()}")
            last = self.make_events(busbard, 2)
            for peer in peers:
                wait_for(lambda: last in peer.seen(), 20, lambda: f"event {last} in {peer.numbers()}")
        cuts = 0
        for peer in peers:
            self.assert_sequence([one for numbers in peer.numbers() for one in numbers], last)
            for numbers in peer.numbers():
                self.assertEqual(numbers, sorted(set(numbers)), "no repeats and no disorder within a connection")
            cuts += len(peer.streams) - 1
        self.assertGreaterEqual(cuts, places // step - peers_count)
        say(f"{cuts} connections cut at {places // step} places: nothing lost, nothing out of order")

    def test_a_receiver_that_died_with_messages_unread_gets_them_again(self):
        """Its kernel has acknowledged them; its program never saw them."""
        def treat(peer, connection, index):
            if index == 0:
                peer.go.wait(20)  # reads nothing
                peer.reset(connection)
            else:
                peer.take_all(connection)
        with Peer(treat) as peer:
            exporter = {**QUICK, "settle": "10s", "server": f"tcp://127.0.0.1:{peer.port}"}
            with Busbard(self.config({"syslog": exporter})) as busbard:
                last = self.make_events(busbard, 10)
                wait_for(lambda: peer.streams, 10, "the connection")
                time.sleep(1.5)  # nothing to wait for: meanwhile they must not come to count as delivered
                peer.go.set()
                wait_for(lambda: last in peer.seen(), 10, lambda: f"event {last} in {peer.numbers()}")
                self.assert_sequence([one for numbers in peer.numbers() for one in numbers], last)

    def test_a_slow_reader_gets_everything_once_and_keeps_its_connection(self):
        """A small buffer, a pause longer than every deadline of ours, then small sips: slow, but alive."""
        def treat(peer, connection, _index):
            peer.go.wait(60)
            while peer.take(connection, 4096):
                time.sleep(0.002)
        with Peer(treat, receive_buffer=4096) as peer:
            exporter = {**QUICK, "timeout": "1s", "server": f"tcp://127.0.0.1:{peer.port}"}
            with Busbard(self.config({"syslog": exporter}, self.busy(4))) as busbard:
                wait_for(lambda: self.newest(busbard) > 1000, 30, "a thousand events")
                time.sleep(2)  # nothing to wait for: it is what must not happen meanwhile that counts
                peer.go.set()
                busbard.reload(self.config({"syslog": exporter}))
                last = self.newest(busbard)
                wait_for(lambda: last in peer.seen(), 60, lambda: f"event {last}; {max(peer.seen(), default=0)}")
                self.assertEqual(len(peer.streams), 1, "one connection for all of it")
                numbers = peer.numbers()[0]
                self.assertEqual(numbers, list(range(numbers[0], numbers[-1] + 1)))
                say(f"{len(numbers)} events for a reader that pauses")

    def test_a_stalled_receiver_holds_up_nobody(self):
        """One takes no connection any further than its kernel does, one never agrees on TLS, one has a full window;
        the good one gets its messages as if it were alone."""
        certificates = Certificates()
        self.addCleanup(certificates.cleanup)

        def never(_peer, connection, _index):
            time.sleep(30)

        stalled = [Peer(never, receive_buffer=2048), Peer(never)]
        for peer in stalled:
            self.addCleanup(peer.__exit__)
        with Rsyslog() as rsyslog:
            servers = [f"tcp://127.0.0.1:{stalled[0].port}", f"tls://127.0.0.1:{stalled[1].port}",
                       "tcp://192.0.2.1", "tcp://no-such-host.invalid", f"tcp://127.0.0.1:{rsyslog.tcp_port}"]
            exporter = {**QUICK, "servers": servers, "ca-file": certificates / "ca.pem"}
            with Busbard(self.config({"syslog": exporter})) as busbard:
                wait_for(rsyslog.lines, 10, "the first message")
                slowest = 0
                for _ in range(20):
                    begin = time.monotonic()
                    last = self.make_events(busbard, 1)
                    wait_for(lambda: last in rsyslog.numbers(), 5, f"event {last}")
                    slowest = max(slowest, time.monotonic() - begin)
                busbard.wait_log(f"tls://127.0.0.1:{stalled[1].port}: no agreement: Connection timed out")
                self.assert_sequence(rsyslog.numbers(), last)
                say(f"beside stalled receivers the slowest of 20 events took {slowest * 1000:.0f} ms, "
                    "two programs included")

    def test_a_network_that_vanishes_is_noticed(self):
        """As when the mains failure takes the switch along. In a network of its own, whose only interface goes down."""
        own = [program("unshare"), "--user", "--map-root-user", "--net"]
        if subprocess.run([*own, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no network of its own to be had here (unshare --user --net)")
        done = subprocess.run([*own, sys.executable, __file__, "InANetworkOfItsOwn"], capture_output=True, text=True,
                              env={**os.environ, "BUSBAR_OWN_NETWORK": "1"}, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_journal_socket_gets_fields(self):
        path = self.folder / "journal.socket"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
            journald.bind(str(path))
            journald.settimeout(30 * PATIENCE)
            with Busbard(self.config({"syslog": {"server": f"journald://{path}"}})) as busbard:
                fields = dict(line.split("=", 1) for line in journald.recv(65536).decode().splitlines())
                self.assertEqual(fields["BUSBAR_KIND"], "agent-started")
                self.assertEqual((fields["SYSLOG_IDENTIFIER"], fields["PRIORITY"], fields["SYSLOG_FACILITY"]),
                                 ("busbar", "5", "3"))
                self.assertEqual(fields["SYSLOG_PID"], str(busbard.pid))
                journald.close()
                self.make_events(busbard, 1)
                busbard.wait_log(r"journal\.socket: a message was not taken: Connection refused")

    def test_udp_says_once_that_nobody_listens(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
        with Busbard(self.config({"syslog": {"server": f"udp://127.0.0.1:{port}"}})) as busbard:
            self.make_events(busbard, 5)
            busbard.wait_log(rf"udp://127\.0\.0\.1:{port}: nobody listens: Connection refused")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as somebody:
                somebody.bind(("127.0.0.1", port))
                somebody.settimeout(30 * PATIENCE)
                self.make_events(busbard, 4)
                numbers = [number(somebody.recv(4096)) for _ in range(4)]
                self.assertEqual(numbers, list(range(numbers[0], numbers[0] + 4)), "refused ones were sent again")
                busbard.wait_log("takes messages again after")
            self.assertEqual(busbard.log().count("nobody listens"), 1)


@unittest.skipUnless(os.environ.get("BUSBAR_OWN_NETWORK"), "runs in a network of its own, from another test")
class InANetworkOfItsOwn(Case):
    @staticmethod
    def network(up):
        """Loopback up or down (netdevice(7))."""
        flags = 0x49 if up else 0x8
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", flags))  # SIOCSIFFLAGS

    def test_vanishing(self):
        self.network(True)
        with Peer(lambda peer, connection, _: peer.take_all(connection)) as peer:
            exporter = {**QUICK, "timeout": "1s", "server": f"tcp://127.0.0.1:{peer.port}"}
            with Busbard(self.config({"syslog": exporter})) as busbard:
                last = self.make_events(busbard, 3)
                wait_for(lambda: last in peer.seen(), 10, lambda: f"event {last} in {peer.numbers()}")
                self.network(False)
                last = self.make_events(busbard, 3)
                busbard.wait_log("connection lost: Connection timed out", 20)
                busbard.wait_log("no connection .*: Connection timed out")
                # Peer serves one connection after the other, and the first has not noticed; a real server would.
                peer.drop()
                self.network(True)
                wait_for(lambda: last in peer.seen(), 10, lambda: f"event {last} in {peer.numbers()}")
                self.assert_sequence([one for numbers in peer.numbers() for one in numbers], last)


if __name__ == "__main__":
    unittest.main()
