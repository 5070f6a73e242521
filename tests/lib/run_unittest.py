#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs one file of unittest tests and prints what became of each test, one JSON object a line:
{"test": "name", "result": "passed|failed|skipped", "text": "why"}. For tests/run."""

import importlib.util
import json
import pathlib
import sys
import unittest

sys.dont_write_bytecode = True


class Result(unittest.TestResult):
    """A test passes when nothing in it failed; skipped subtests are told with the test's name."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.spoiled = set()

    def say(self, test, result, text=""):
        print(json.dumps({"test": test.id(), "result": result, "text": text}), file=self.out,
              flush=True)

    def bad(self, test, err):
        self.spoiled.add(getattr(test, "test_case", test).id())
        self.say(test, "failed", self._exc_info_to_string(err, getattr(test, "test_case", test)))

    def addSuccess(self, test):
        if test.id() not in self.spoiled:
            self.say(test, "passed")

    def addFailure(self, test, err):
        self.bad(test, err)

    def addError(self, test, err):
        self.bad(test, err)

    def addSubTest(self, test, subtest, err):
        if err:
            self.bad(subtest, err)

    def addSkip(self, test, reason):
        if not hasattr(test, "test_case"):
            self.spoiled.add(test.id())
        self.say(test, "skipped", reason)


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    out = sys.stdout
    sys.stdout = sys.stderr  # what tests print must not mix with the results
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    unittest.defaultTestLoader.loadTestsFromModule(module).run(Result(out))


if __name__ == "__main__":
    main()
