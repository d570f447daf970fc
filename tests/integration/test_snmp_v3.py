#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""SNMP version 3 against the real snmpd: every pair of protocols, wrong credentials, restarts, cloned engine ids."""
import pathlib
import resource
import socket
import tempfile
import time
import unittest

from snmp_peers import LOCATION, SYSTEM, UPTIME, Client
from snmpd import Snmpd
from support import PATIENCE, Busbard, free_port, say, wait_for

AUTHS = ["MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
PRIVACIES = ["DES", "AES", "AES-192", "AES-256"]
PAIRS = [(auth, privacy) for auth in AUTHS for privacy in [None, *PRIVACIES]]
AUTH_PASS, PRIV_PASS = "signature-words", "secrecy-words"
TIMEOUT = 500 * PATIENCE  # ms, for what may not be answered
PATIENT = 10000 * PATIENCE  # ms, for what is answered: no machine is as slow


def user_name(auth, privacy):
    return f"{auth}-{privacy or 'none'}".lower()


def users():
    lines = ["createUser open", "rouser open noauth"]
    for auth, privacy in PAIRS:
        name = user_name(auth, privacy)
        lines.append(f'createUser {name} {auth} "{AUTH_PASS}"' + (f' {privacy} "{PRIV_PASS}"' if privacy else ""))
        lines.append(f"rouser {name} {'priv' if privacy else 'auth'}")
    return lines


def options(port, auth, privacy, authpass=AUTH_PASS, privpass=PRIV_PASS, user=None, **more):
    found = {"port": port, "version": 3, "user": user or user_name(auth, privacy), "level": 2 if privacy else 1,
             "auth": auth, "authpass": authpass, "timeout": TIMEOUT}
    if privacy:
        found.update(privacy=privacy, privpass=privpass)
    found.update(more)
    return found


class Protocols(unittest.TestCase):
    """One snmpd that knows a user for each pair."""

    @classmethod
    def setUpClass(cls):
        cls.snmpd = Snmpd(users())

    @classmethod
    def tearDownClass(cls):
        cls.snmpd.__exit__()

    def test_every_pair_of_protocols_is_understood(self):
        with Client() as client:
            for auth, privacy in PAIRS:
                name = user_name(auth, privacy)
                opened = client.open(name, **options(self.snmpd.port, auth, privacy, timeout=PATIENT))
                self.assertEqual(opened, "0", name)
                client.ask(name, LOCATION)
                client.ask(name, "4", SYSTEM, how="bulk")
            for pair in PAIRS:
                name = user_name(*pair)
                answer = client.answer(name)
                self.assertEqual((answer.result, answer.values), ("0", {LOCATION: "'here'4"}), name)
                answer = client.answer(name)
                self.assertEqual((answer.result, len(answer.values)), ("0", 4), name)
                self.assertEqual(client.state(name), (1, 0), name)
        say(f"SNMPv3: {len(PAIRS)} pairs of authentication and privacy understood by snmpd")

    def test_a_user_without_authentication_is_answered(self):
        with Client() as client:
            client.open("a", port=self.snmpd.port, version=3, user="open", level=0)
            self.assertEqual(client.get("a", LOCATION).values, {LOCATION: "'here'4"})

    def test_a_wrong_authentication_passphrase_is_refused_at_once(self):
        with Client() as client:
            for auth, privacy in PAIRS:
                name = user_name(auth, privacy)
                client.open(name, **options(self.snmpd.port, auth, privacy, authpass="something-else", timeout=PATIENT))
                client.ask(name, UPTIME)
            for pair in PAIRS:
                answer = client.answer(user_name(*pair), timeout=60)
                self.assertEqual(answer.result, "EACCES", pair)
                self.assertLess(answer.ms, PATIENT, "before the first try times out")
            self.assertEqual(client.log().count("the authentication passphrase or protocol is wrong"), len(PAIRS))

    def test_a_wrong_privacy_passphrase_is_told_from_a_dead_agent(self):
        pairs = [pair for pair in PAIRS if pair[1]]
        with Client() as client:
            for auth, privacy in pairs:
                name = user_name(auth, privacy)
                client.open(name, **options(self.snmpd.port, auth, privacy, privpass="something-else"))
                client.ask(name, UPTIME)
            for pair in pairs:
                self.assertEqual(client.answer(user_name(*pair), timeout=30).result, "EACCES", pair)
            self.assertEqual(client.log().count("the privacy passphrase or protocol is wrong"), len(pairs))

    def test_a_wrong_privacy_passphrase_is_found_without_a_second_try_at_the_second_request(self):
        with Client() as client:
            client.open("a", **options(self.snmpd.port, "SHA", "AES", privpass="something-else", retries=0))
            self.assertEqual(client.get("a", UPTIME).result, "ETIMEDOUT")
            self.assertEqual(client.get("a", UPTIME).result, "EACCES")

    def test_a_wrong_protocol_is_refused(self):
        with Client() as client:
            client.open("auth", **options(self.snmpd.port, "SHA-256", None, user="sha-none"))
            client.open("privacy", **options(self.snmpd.port, "SHA", "AES", user="sha-des"))
            self.assertEqual(client.get("auth", UPTIME).result, "EACCES")
            self.assertEqual(client.get("privacy", UPTIME, timeout=30).result, "EACCES")

    def test_an_unknown_user_and_a_level_too_low_are_refused(self):
        with Client() as client:
            client.open("who", **options(self.snmpd.port, "SHA", "AES", user="nobody-here"))
            client.open("low", **options(self.snmpd.port, "SHA", None, user="sha-aes"))
            self.assertEqual(client.get("who", UPTIME).result, "EACCES")
            self.assertEqual(client.get("low", UPTIME).result, "EACCES")
            self.assertIn("it does not know that user", client.log())
            self.assertNotIn("signature-words", client.log())

    def test_nonsense_options_are_refused_when_opening(self):
        with Client() as client:
            self.assertEqual(client.open("a", **options(1, "SHA", "AES", authpass="short")), "EINVAL")
            self.assertEqual(client.open("b", **options(1, "SHA", "AES", privpass="short")), "EINVAL")
            self.assertEqual(client.open("c", **options(1, "SHA-1024", "AES")), "EINVAL")
            self.assertEqual(client.open("d", **options(1, "SHA", "ROT13")), "EINVAL")
            self.assertEqual(client.open("e", host="localhost", port=1), "EINVAL", "names are not looked up here")

    def test_credentials_that_are_put_right_at_the_agent_are_taken_up_and_said(self):
        with Snmpd(Engines.USERS) as snmpd, Client() as client:
            client.open("a", **options(snmpd.port, "SHA-256", "AES", user="monitor", authpass="later-words"))
            self.assertEqual(client.get("a", UPTIME).result, "EACCES")
            snmpd.lines = [line.replace(AUTH_PASS, "later-words") for line in snmpd.lines]
            snmpd.restart(wipe=True)
            self.assertEqual(client.get("a", UPTIME).result, "0")
            self.assertIn("accepts our SNMPv3 user again", client.log())

    def test_descriptors_above_1023_work(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 2000:
            self.skipTest(f"no more than {hard} descriptors are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
        try:
            with Client() as client:
                for i in range(1100):
                    self.assertEqual(client.open(f"a{i}", port=self.snmpd.port), "0")
                for i in range(1000, 1100):
                    client.ask(f"a{i}", LOCATION)
                for i in range(1000, 1100):
                    self.assertEqual(client.answer(f"a{i}").values, {LOCATION: "'here'4"})
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_ipv6_works(self):
        try:
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
                probe.bind(("::1", 0))
                port = probe.getsockname()[1]
        except OSError as error:
            self.skipTest(f"no IPv6 here: {error}")
        with Snmpd(["rocommunity6 public", *Engines.USERS], address=f"udp6:[::1]:{port}"), Client() as client:
            client.open("a", host="::1", port=port)
            client.open("b", host="::1", **Engines.options(port))
            self.assertEqual(client.get("a", LOCATION).values, {LOCATION: "'here'4"})
            self.assertEqual(client.get("b", LOCATION).values, {LOCATION: "'here'4"})

    def test_nothing_is_read_or_written_on_disk(self):
        with tempfile.TemporaryDirectory() as folder:
            conf = pathlib.Path(folder) / "conf"
            conf.mkdir()
            (conf / "snmp.conf").write_text(f"defVersion 1\nlogOption f {folder}/log\npersistentDir {folder}/p\n")
            (conf / "busbar.conf").write_text(f"logOption f {folder}/log\n")
            with Client(env={"SNMPCONFPATH": str(conf), "SNMP_PERSISTENT_DIR": f"{folder}/persistent",
                             "HOME": folder}) as client:
                client.open("a", **options(self.snmpd.port, "SHA", "AES"))
                self.assertEqual(client.get("a", UPTIME).result, "0")
            self.assertEqual(sorted(path.name for path in pathlib.Path(folder).rglob("*")),
                             ["busbar.conf", "conf", "snmp.conf"])


class Engines(unittest.TestCase):
    """Peers that restart, are replaced, or were cloned."""

    USERS = [f'createUser monitor SHA-256 "{AUTH_PASS}" AES "{PRIV_PASS}"', "rouser monitor priv"]

    @staticmethod
    def options(port, **more):
        return options(port, "SHA-256", "AES", user="monitor", **more)

    def test_a_restart_is_seen_and_costs_no_request(self):
        with Snmpd(self.USERS) as snmpd, Client() as client:
            client.open("a", **self.options(snmpd.port))
            self.assertEqual(client.get("a", UPTIME).result, "0")
            self.assertEqual(client.state("a")[0], 1)
            snmpd.restart()
            self.assertEqual(client.get("a", UPTIME).result, "0")
            self.assertEqual(client.state("a"), (2, 0))

    def test_a_replaced_card_is_discovered_anew(self):
        with Snmpd(self.USERS, engine="0x8000000001020304") as snmpd, Client() as client:
            client.open("a", **self.options(snmpd.port))
            for engine in ("0x8000000001020305", "0x80000000010203"):
                self.assertEqual(client.get("a", UPTIME).result, "0")
                snmpd.restart(wipe=True, engine=engine)
                for _ in range(4):  # all of them are asked again
                    client.ask("a", UPTIME)
                for _ in range(4):
                    self.assertEqual(client.answer("a").result, "0")

    def test_a_clock_that_went_back_is_believed_after_a_timeout(self):
        with Snmpd(self.USERS, engine="0x8000000001020304") as snmpd, Client() as client:
            for _ in range(3):
                snmpd.restart()
            client.open("a", **self.options(snmpd.port, retries=0))
            self.assertEqual(client.get("a", UPTIME).result, "0")
            self.assertEqual(client.state("a")[0], 4)
            snmpd.restart(wipe=True)
            client.get("a", UPTIME)  # whether this one is answered is the agent's choice
            self.assertEqual(client.get("a", UPTIME).result, "0")
            self.assertEqual(client.state("a")[0], 1)

    def test_a_dead_agent_times_out_and_is_taken_up_again(self):
        with Snmpd(self.USERS) as snmpd, Client() as client:
            client.open("a", **self.options(snmpd.port, retries=1))
            snmpd.stop()
            answer = client.get("a", UPTIME)
            self.assertEqual(answer.result, "ETIMEDOUT")
            self.assertGreaterEqual(answer.ms, 2 * TIMEOUT)
            self.assertLess(answer.ms, 2 * TIMEOUT + 5000, "and no longer, but for what the machine has to do besides")
            snmpd.start()
            self.assertEqual(client.get("a", UPTIME).result, "0")

    def test_cloned_engine_ids_do_not_disturb_each_other_and_are_said_once(self):
        other = [f'createUser monitor SHA-256 "other-{AUTH_PASS}" AES "{PRIV_PASS}"', "rouser monitor priv"]
        engine = "0x80000000aabbccdd"
        with Snmpd(self.USERS, engine) as first, Snmpd(self.USERS, engine) as second, \
                Snmpd(other, engine) as third, Client() as client:
            for _ in range(2):
                second.restart()  # its boots are 3 now, the first's are 1
            client.open("first", **self.options(first.port, timeout=PATIENT))
            client.open("second", **self.options(second.port, timeout=PATIENT))
            client.open("third", **self.options(third.port, timeout=PATIENT, authpass="other-" + AUTH_PASS))
            for _ in range(10):
                for name in ("first", "second", "third"):
                    client.ask(name, UPTIME)
                for name in ("first", "second", "third"):
                    answer = client.answer(name)
                    self.assertEqual(answer.result, "0", name)
                    self.assertLess(answer.ms, PATIENT, "answered to the first try")
            self.assertEqual([client.state(name)[0] for name in ("first", "second", "third")], [1, 3, 1])
            self.assertEqual(client.log().count("engine id 80000000aabbccdd is already used by 127.0.0.1:"), 2)

    def test_closing_while_requests_are_in_flight_or_waiting_calls_nobody(self):
        with Snmpd(self.USERS) as snmpd, Client() as client:
            client.open("wait", **self.options(free_port("udp")))
            client.open("talk", **self.options(snmpd.port))
            self.assertEqual(client.get("talk", UPTIME).result, "0")
            snmpd.stop()
            for name in ("wait", "talk"):
                for _ in range(3):
                    client.ask(name, UPTIME)
                client.close(name)
            self.assertTrue(client.quiet("wait") and client.quiet("talk"))


class Daemon(unittest.TestCase):
    """busbard with ups-snmp, and an snmpd that plays a UPS."""

    UPS = [*Engines.USERS, 'override 1.3.6.1.2.1.33.1.1.1.0 octet_str "Example"',
           "override 1.3.6.1.2.1.33.1.2.1.0 integer 2", "override 1.3.6.1.2.1.33.1.2.4.0 integer 97",
           "override 1.3.6.1.2.1.33.1.4.1.0 integer 3"]

    @staticmethod
    def config(port, secrets):
        return {"devices": {"ups-a": {
            "plugin": "ups-snmp", "address": f"snmp://127.0.0.1:{port}", "version": "3", "user": "monitor",
            "auth": "SHA-256", "privacy": "AES", "auth-file": str(secrets), "interval": "1s", "timeout": "2s"}}}

    @staticmethod
    def write_secrets(folder, *lines):
        path = pathlib.Path(folder) / "ups-a.auth"
        path.touch(0o600)
        path.write_text("\n".join(lines) + "\n")
        return path

    def test_a_ups_is_polled_with_authentication_and_privacy_and_again_after_a_restart(self):
        with tempfile.TemporaryDirectory() as folder, Snmpd(self.UPS) as snmpd:
            with Busbard(self.config(snmpd.port, self.write_secrets(folder, AUTH_PASS, PRIV_PASS))) as busbard:
                def charge(since):
                    row = busbard.points("ups-a").get("battery.charge", {})
                    if row.get("quality") == "good" and row["age"] < time.monotonic() - since:
                        return row["value"]
                    return None

                self.assertEqual(wait_for(lambda: charge(0), what="the charge"), 97)
                snmpd.restart()
                restarted = time.monotonic()
                self.assertEqual(wait_for(lambda: charge(restarted), 20, "the charge after a restart"), 97)

    def test_a_wrong_passphrase_is_one_line_in_the_log_and_not_in_it_itself(self):
        with tempfile.TemporaryDirectory() as folder, Snmpd(self.UPS) as snmpd:
            with Busbard(self.config(snmpd.port, self.write_secrets(folder, "not-the-words", PRIV_PASS))) as busbard:
                busbard.wait_log(r"ups-a: .*refuses SNMPv3 user 'monitor': the authentication passphrase")
                self.assertNotIn("not-the-words", busbard.log())
                self.assertNotIn(PRIV_PASS, busbard.log())


if __name__ == "__main__":
    unittest.main()
