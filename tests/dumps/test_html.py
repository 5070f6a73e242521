# SPDX-License-Identifier: LGPL-2.1-or-later
"""HTML pages: well-formed, of one file, and shown by a real browser without an error, without a
request and without being wider than the screen of a phone."""

import functools
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import json_schema
import lab

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-quic", "--enable-logging=stderr", "--v=0"]
BROWSER_SECONDS = 120
SIZE_MAX = 1 << 20
PHONE, DESK = 360, 1280

# Measures the page after everything is open, and leaves the answer in the title, which --dump-dom
# prints. Its own policy would not let this run, so the copy that is measured has none.
PROBE = """<script>
window.addEventListener("load", function () {
  document.querySelectorAll("details").forEach(function (d) { d.open = true; });
  var wide = [];
  document.querySelectorAll("body *").forEach(function (e) {
    if (e.closest(".scroll, pre, svg")) return;
    if (e.getBoundingClientRect().right > document.documentElement.clientWidth + 1) wide.push(e.className || e.tagName);
  });
  var root = document.documentElement;
  document.title = "measured " + root.scrollWidth + " of " + root.clientWidth + " " + wide.slice(0, 5).join(",");
});
</script></head>"""


def find_browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        raise unittest.SkipTest("there is no Chromium here (tests/packages)")
    return found


def browse(page, *words):
    """What the browser prints; each run with a profile of its own."""
    with tempfile.TemporaryDirectory() as profile:
        command = [find_browser(), *FLAGS, f"--user-data-dir={profile}", *words, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, errors="replace",
                              timeout=BROWSER_SECONDS)


def said_of_page(run):
    """The browser's other lines are of itself and its surroundings."""
    return [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def measure(text, width):
    """scrollWidth and clientWidth of a page at a screen of this width, all of it open."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    # Headless windows have a least width; a frame of the wanted one is as good.
    page = text.replace("</head>", PROBE, 1)
    with tempfile.TemporaryDirectory() as folder:
        inner, outer = pathlib.Path(folder, "page.html"), pathlib.Path(folder, "frame.html")
        inner.write_text(page)
        # A frame of another file may not be looked into: it is given as text.
        quoted = page.replace("&", "&amp;").replace('"', "&quot;")
        outer.write_text(f'<!DOCTYPE html><html><body><iframe width="{width}" height="800" style="border:0" '
                         f'srcdoc="{quoted}"></iframe><script>window.addEventListener("load", function () {{'
                         'document.title = document.querySelector("iframe").contentDocument.title; });'
                         '</script></body></html>')
        run = browse(outer, "--window-size=1400,900", "--virtual-time-budget=4000", "--dump-dom")
    found = re.search(r"<title>measured (\d+) of (\d+) ?(.*?)</title>", run.stdout)
    if not found:
        raise AssertionError("the browser did not measure the page: " + run.stderr[-500:])
    return int(found[1]), int(found[2]), found[3]


@functools.cache
def page_of(vmcore, command):
    words = ("-c", command) if command else ()
    run = lab.inquest("--html", *words, vmcore)
    return run.stdout


class Page:
    def check_page(self, text):
        xml.etree.ElementTree.fromstring(text)
        self.assertLess(len(text.encode()), SIZE_MAX)
        self.assertIn("default-src 'none'", text)
        # Nothing is loaded: no addresses but those of links that people may follow.
        for attribute, value in re.findall(r'\b(src|href|action|data|srcset|poster)="([^"]*)"', text):
            self.assertEqual(attribute, "href", value)
            self.assertRegex(value, r"^(#s\d+$|https?://)")
        self.assertNotRegex(text, r"url\(|@import|<link|<iframe|<object|<base")
        self.assertEqual(text.count("<script"), 1)
        self.assertNotRegex(text, r"<[a-z][^<>]*\son[a-z]+=")


class Texts(unittest.TestCase, Page):
    """Reports from a text: the same forms, and the verdict within ten lines as well."""

    def test_forms(self):
        texts = sorted((lab.ROOT / "tests" / "texts").rglob("*.txt"))
        self.assertTrue(texts)
        for path in texts:
            with self.subTest(text=path.name):
                self.check_page(lab.inquest("oops", path, "--html").stdout)
                report = json.loads(lab.inquest("oops", path, "--json").stdout)
                self.assertEqual(json_schema.faults("report", report), [])
                labels = [line.split()[0] for line in lab.inquest("oops", path).stdout.splitlines()[:10] if line.strip()]
                self.assertEqual(labels[:2], ["text", "host"])
                self.assertLessEqual({"WHAT", "WHO", "SURE"}, set(labels))


class Html(unittest.TestCase, Page):
    def setUp(self):
        self.dumps = [d for d in lab.dumps() if "class" in d.truth]
        if not self.dumps:
            self.skipTest("the lab has no dumps")

    def some(self, *names):
        """One dump of each scenario: a browser takes seconds."""
        found = {}
        for dump in self.dumps:
            if dump.meta["name"] in names and dump.meta.get("truncate", 100) == 100:
                found.setdefault(dump.meta["name"], dump)
        return list(found.values()) or self.dumps[:1]

    def test_every_report_is_a_sound_page(self):
        for dump in self.dumps:
            with self.subTest(dump=str(dump)):
                text = page_of(dump.vmcore, None)
                self.check_page(text)
                report = lab.query(dump, "report")
                shown = re.sub(r"<[^>]*>", "", text.replace("&#39;", "'").replace("&quot;", '"')
                               .replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
                self.assertIn(report["verdict"]["title"], shown)
                for evidence in report["verdict"]["evidence"]:
                    self.assertIn(evidence["command"] or "", shown)

    def test_other_commands_are_pages_too(self):
        dump = self.dumps[0]
        for command in ("ps", "bt -a", "log", "mod", "sys", "dis -l panic", "struct task_struct", "help", "kmem -i",
                        "ps; sys", "nonsense", "rd init_task 8"):
            with self.subTest(command=command):
                self.check_page(page_of(dump.vmcore, command))

    def test_no_errors_in_a_browser(self):
        """The page's policy lets its own style and script run, and nothing asks for anything else."""
        for dump in self.some("null-ioctl", "list-corruption", "sysrq"):
            with self.subTest(dump=str(dump)), tempfile.TemporaryDirectory() as folder:
                page = pathlib.Path(folder, "report.html")
                page.write_text(page_of(dump.vmcore, None))
                log = pathlib.Path(folder, "net.json")
                run = browse(page, f"--log-net-log={log}", "--virtual-time-budget=2000", "--dump-dom")
                # The script has run: it marks the root.
                self.assertIn('class="js"', run.stdout)
                self.assertEqual(said_of_page(run), [])
                asked = {url for url in re.findall(r'"url":"([^"]+)"', log.read_text(errors="replace"))
                         if not url.startswith(("file:", "data:", "chrome:", "chrome-extension:", "about:"))}
                # The browser's own; those of the page would be its links.
                links = set(re.findall(r'href="(https?://[^"]+)"', page.read_text()))
                self.assertEqual(asked & links, set())

    def test_the_policy_stops_a_script(self):
        """Should a string ever get through as markup, it does not run."""
        text = page_of(self.dumps[0].vmcore, "sys")
        bad = text.replace("</main>", '<script>document.title="owned"</script><img src="x" '
                           'onerror="document.title=\'owned\'"/></main>', 1)
        with tempfile.TemporaryDirectory() as folder:
            page = pathlib.Path(folder, "bad.html")
            page.write_text(bad)
            run = browse(page, "--virtual-time-budget=2000", "--dump-dom")
        self.assertIn("<title>sys</title>", run.stdout)
        self.assertTrue([line for line in said_of_page(run) if "Content Security Policy" in line], run.stderr[-500:])

    def test_no_page_is_wider_than_the_screen(self):
        for dump in self.some("null-ioctl", "kfence", "recursion", "rcu-stall", "oom", "reverse-map"):
            for width in (PHONE, DESK):
                with self.subTest(dump=str(dump), width=width):
                    scroll, client, wide = measure(page_of(dump.vmcore, None), width)
                    # The rest is the scroll bar's.
                    self.assertIn(width - client, range(20))
                    self.assertLessEqual(scroll, client, wide)
                    self.assertEqual(wide, "")

    def test_tables_of_commands_fit_too(self):
        for command in ("ps", "bt -a"):
            with self.subTest(command=command):
                scroll, client, wide = measure(page_of(self.dumps[0].vmcore, command), PHONE)
                self.assertLessEqual(scroll, client, wide)

    def test_paper(self):
        """Printing works, and what is closed on the screen is open on paper."""
        dump = self.some("null-ioctl")[0]
        with tempfile.TemporaryDirectory() as folder:
            page, paper = pathlib.Path(folder, "report.html"), pathlib.Path(folder, "report.pdf")
            page.write_text(page_of(dump.vmcore, None))
            browse(page, f"--print-to-pdf={paper}", "--no-pdf-header-footer")
            self.assertTrue(paper.read_bytes().startswith(b"%PDF"))


class Output(unittest.TestCase):
    """-o FILE: the form by the name, the file whole or not there."""

    def setUp(self):
        dumps = [d for d in lab.dumps() if "class" in d.truth]
        if not dumps:
            self.skipTest("the lab has no dumps")
        self.dump = dumps[0]
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def names(self):
        return sorted(path.name for path in self.folder.iterdir())

    def test_suffixes(self):
        for name, begins in (("a.html", "<!DOCTYPE html>"), ("a.htm", "<!DOCTYPE html>"), ("a.json", "{"),
                             ("a.txt", "dump ")):
            run = lab.inquest(self.dump.vmcore, "-o", self.folder / name)
            self.assertIn(run.returncode, (0, 1), run.stderr)
            self.assertEqual(run.stdout, "")
            self.assertTrue((self.folder / name).read_text().startswith(begins), name)
        self.assertEqual(self.names(), ["a.htm", "a.html", "a.json", "a.txt"])
        self.assertEqual((self.folder / "a.html").read_text(), page_of(self.dump.vmcore, None))

    def test_refused(self):
        for words in (["-o", self.folder / "a.pdf"], ["-o", self.folder / "html"], ["-o", self.folder / ".html/x"],
                      ["--json", "-o", self.folder / "a.html"], ["--json", "--html"],
                      ["-o", self.folder / "a.html", "-o", self.folder / "b.html"]):
            run = lab.inquest(self.dump.vmcore, *words)
            self.assertEqual(run.returncode, 2, words)
            self.assertTrue(run.stderr.startswith("inquest: "), run.stderr)
        self.assertEqual(self.names(), [])

    def test_a_dump_that_cannot_be_opened_leaves_the_old_file(self):
        old = self.folder / "a.html"
        old.write_text("old")
        run = lab.inquest(self.folder / "no-such-dump", "-o", old)
        self.assertEqual(run.returncode, 2)
        self.assertEqual(old.read_text(), "old")
        self.assertEqual(self.names(), ["a.html"])

    def test_a_full_disk_leaves_no_half_file(self):
        run = lab.inquest(self.dump.vmcore, "-o", self.folder / "no-such-folder" / "a.html")
        self.assertEqual(run.returncode, 2)
        self.assertIn("cannot write", run.stderr)
        limited = subprocess.run(["sh", "-c", 'ulimit -f 8; trap "" XFSZ; exec "$0" "$@"', lab.INQUEST,
                                  self.dump.vmcore, "-o", self.folder / "a.html"], capture_output=True, text=True)
        self.assertEqual(limited.returncode, 2, limited.stderr)
        self.assertIn("cannot write", limited.stderr)
        self.assertEqual(self.names(), [])

    def test_commands(self):
        run = lab.inquest(self.dump.vmcore, "-c", "ps", "-o", self.folder / "ps.html")
        self.assertIn(run.returncode, (0, 1))
        self.assertIn("<title>ps</title>", (self.folder / "ps.html").read_text())


if __name__ == "__main__":
    unittest.main()
