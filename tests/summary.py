# SPDX-License-Identifier: Apache-2.0
"""Adds up what ctest ran: the last lines of `./dev test`.

ctest counts programs; people want to know about cases. Criterion ends with "Synthesis: Tested: 5 | Passing: …" and
unittest with "Ran 5 tests" and "OK (skipped=1)"; a program that says neither counts as one case. Results come from
the JUnit files that ctest writes, one a build tree: NAME=FILE …
"""
import argparse
import re
import sys
import xml.etree.ElementTree

CRITERION = re.compile(r"Synthesis: Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")
UNITTEST = re.compile(r"^Ran (\d+) tests? in .*\n\n(?:OK|FAILED|NO TESTS RAN)(?: \((.*)\))?$", re.MULTILINE)
SKIPPED = re.compile(r"\bskipped ['\"](.*)['\"]$", re.MULTILINE)
SAID = re.compile(r"(?:^|\.\.\. )## (.*)$", re.MULTILINE)  # support.say(), perhaps on the line of unittest's "… "
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def count(output, good):
    """(passed, failed, skipped) of one program."""
    passed, failed, skipped = int(good), 0, 0
    if found := CRITERION.search(output):
        passed, failed = int(found[2]), int(found[3]) + int(found[4])
    elif found := UNITTEST.search(output):
        details = dict(re.findall(r"([a-z ]+)=(\d+)", found[2] or ""))
        failed = sum(int(details.get(key, 0)) for key in ("failures", "errors", "unexpected successes"))
        skipped = int(details.get("skipped", 0))
        passed = max(0, int(found[1]) - failed - skipped)
    if not good and not failed:
        failed = 1  # it crashed, hung, or failed outside its cases
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=0, help="other steps that passed")
    parser.add_argument("--failures", type=int, default=0, help="other steps that failed")
    parser.add_argument("results", nargs="*", metavar="NAME=FILE")
    arguments = parser.parse_args()

    total = [arguments.steps, arguments.failures, 0]
    lines, bad, reasons = [], [], {}
    for result in arguments.results:
        name, file = result.split("=", 1)
        try:
            cases = xml.etree.ElementTree.parse(file).getroot().findall("testcase")
        except (OSError, xml.etree.ElementTree.ParseError) as error:
            print(f"{name}: no results: {error}")
            total[1] += 1
            continue
        counts = [0, 0, 0]
        for case in cases:
            output = COLOUR.sub("", case.findtext("system-out") or "")
            numbers = count(output, case.get("status") == "run")
            counts = [a + b for a, b in zip(counts, numbers)]
            if numbers[1]:
                bad.append(f"FAILED: {name}: {case.get('name')}")
            lines += [f"{name}: {case.get('name')}: {text}" for text in SAID.findall(output)]
            for reason in SKIPPED.findall(output):
                reasons.setdefault(reason, []).append(f"{name}: {case.get('name')}")
        total = [a + b for a, b in zip(total, counts)]
        print(f"{name}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped")

    for line in lines:
        print(line)
    for reason, where in sorted(reasons.items()):
        print(f"skipped {len(where)} ({', '.join(sorted(set(where)))}): {reason}")
    for line in bad:
        print(line)
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    sys.exit(1 if total[1] or not total[0] else 0)


if __name__ == "__main__":
    main()
