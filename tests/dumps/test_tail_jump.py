# SPDX-License-Identifier: LGPL-2.1-or-later
"""A function whose last act is to jump through a pointer that is NULL: it is not on the stack any more, and yet told, with the cell that holds the
pointer (the module prints where that is). Symbols and BTF of the kernel are all there is."""

import re
import unittest

import waits


class TailJump(waits.Test):
    def test_verdict(self):
        for dump, truth in self.each("null-operation"):
            console = (dump.folder / "console.log").read_text(errors="replace")
            cell = re.search(r"office \S+ operations \S+ cell ([0-9a-f]{16})", console)[1]
            verdict = self.report(dump)["verdict"]
            self.assertEqual((verdict["kind"], verdict["confidence"]), ("null-call", "certain"))
            self.assertEqual((verdict["function"], verdict["module"]), (truth["caller"], truth["module"]))
            self.assertRegex(verdict["what"], rf"^{truth['caller']}\S*, called by send\S* \[{truth['module']}\], jumped to NULL, in {truth['comm']} ")
            self.assertIn(f"The function pointer was read from {cell}, branch+0x8 (data of module {truth['module']}), which still holds it",
                          verdict["why"])

    def test_its_evidence_shows_it(self):
        for dump, truth in self.each("null-operation"):
            (jump,) = [e for e in self.report(dump)["verdict"]["evidence"] if e["claim"] == "its last act is that jump"]
            code = self.ask(dump, jump["command"])
            self.assertIn("jmp", str(code))
            self.assertIn(truth["caller"], str(code))


if __name__ == "__main__":
    unittest.main()
