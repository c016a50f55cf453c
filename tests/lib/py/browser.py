# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, spoken to through a pair of pipes (DevTools protocol), and its pages.

    with Browser() as browser:
        page = browser.page(1280, 800)
        page.open("http://127.0.0.1:8080/api/v2/docs")
        page.wait("document.querySelector('#list a')")
        page.key("Enter")

What a page complains about (uncaught exceptions, console errors, blocked content) is in page.complaints.
"""
import base64
import functools
import json
import os
import pathlib
import select
import shutil
import subprocess
import time

from .process import TIMEOUT, Child, new_dir

KEYS = {"Enter": (13, "\r"), "Escape": (27, ""), "Tab": (9, ""), "ArrowDown": (40, ""), "ArrowUp": (38, ""), "ArrowLeft": (37, ""), "ArrowRight": (39, ""),
        "Delete": (46, "")}


@functools.lru_cache(maxsize=None)
def no_netlink():
    """A library that keeps changes of this machine's networks from the browser (no_netlink.c)."""
    made = new_dir("no-netlink") / "no_netlink.so"
    subprocess.run(["cc", "-std=c11", "-O1", "-shared", "-fPIC", "-o", made, pathlib.Path(__file__).with_name("no_netlink.c")], check=True,
                   timeout=TIMEOUT)
    return made


class Browser:
    """One process; every page has cookies and storage of its own."""

    def __init__(self):
        program = shutil.which("chromium")
        if program is None:
            raise RuntimeError("there is no chromium: packaging/install-deps test installs it")
        self.directory = new_dir("browser")
        to_child, self._out = os.pipe()
        self._in, from_child = os.pipe()
        flags = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
                 "--disable-ipc-flooding-protection",       # which drops what a script does faster than people: 200 changes of the address in 10 s
                 "--hide-scrollbars", "--lang=en-US", f"--user-data-dir={self.directory}/profile"]
        env = {**os.environ, "HOME": str(self.directory), "LANG": "C.UTF-8", "LD_PRELOAD": str(no_netlink())}
        self.process = Child(["bash", "-c", f'exec "$@" 3<&{to_child} 4>&{from_child}', "bash", program, *flags], self.directory / "log",
                             name="chromium", env=env, pass_fds=(to_child, from_child))
        os.close(to_child)
        os.close(from_child)
        self._received = b""
        self._number = 0
        self._pages = {}

    def send(self, method, session=None, **params):
        """Sends a command without waiting for what comes of it; returns its number."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return self._number

    def call(self, method, session=None, **params):
        """Result of one command."""
        number = self.send(method, session, **params)
        end = time.monotonic() + TIMEOUT
        while True:
            got = self._next(end, method)
            if got.get("id") == number:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']['message']}")
                return got["result"]

    def _next(self, end, what):
        while b"\0" not in self._received:
            if not select.select([self._in], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError(f"the browser does not answer to {what}")
            chunk = os.read(self._in, 1 << 16)
            if not chunk:
                self.process.check_alive()
                raise RuntimeError("the browser closed its pipe")
            self._received += chunk
        raw, _, self._received = self._received.partition(b"\0")
        message = json.loads(raw)
        page = self._pages.get(message.get("sessionId"))
        if page is not None and "method" in message:
            page.on_event(message["method"], message["params"])
        return message

    def page(self, width=1280, height=800):
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context, width=width, height=height)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, context)
        page.prepare(width, height)
        return page

    def forget(self, page):
        """Its tab is closed, its cookies and storage are gone."""
        del self._pages[page.session]
        self.call("Target.disposeBrowserContext", browserContextId=page.context)

    def close(self):
        self.process.kill()
        os.close(self._in)
        os.close(self._out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Page:
    """One tab. Expressions are JavaScript; what they give comes back as Python values."""

    def __init__(self, browser, session, context):
        self.browser, self.session, self.context = browser, session, context
        self.complaints = []
        self._answer = None                         # of requests that are paused; None: as if nobody had paused them
        self._left = None                           # how many get it; None: all

    def close(self):
        self.browser.forget(self)

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def prepare(self, width, height):
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def on_event(self, method, params):
        if method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Fetch.requestPaused":
            self._on_paused(params["requestId"])
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.complaints.append(str(params["args"]))

    def _on_paused(self, request):
        if self._left == 0:
            self.browser.send("Fetch.continueRequest", self.session, requestId=request)
            return
        if self._left is not None:
            self._left -= 1
        if self._answer is None:
            self.browser.send("Fetch.failRequest", self.session, requestId=request, errorReason="ConnectionReset")
        else:
            self.browser.send("Fetch.fulfillRequest", self.session, requestId=request, responseCode=self._answer[0],
                              responseHeaders=[{"name": "content-type", "value": "application/json"}, *self._answer[2]], body=self._answer[1])

    def answer(self, pattern, status, body, times=None, headers=()):
        """Requests for URLs like `pattern` ("*" is anything), the next `times` of them or all, get this answer and never reach the
        server; None: they do again."""
        if pattern is None:
            self.call("Fetch.disable")
            return
        self._left = times
        self._answer = (status, base64.b64encode(json.dumps(body).encode()).decode(), [{"name": n, "value": v} for n, v in headers])
        self.call("Fetch.enable", patterns=[{"urlPattern": pattern}])

    def lose(self, pattern, what, times=None):
        """The next `times` requests for such URLs (or all) end with a lost connection: the "request", before the server sees it, or the
        "answer", when the server has done its part."""
        self._left, self._answer = times, None
        self.call("Fetch.enable", patterns=[{"urlPattern": pattern, "requestStage": "Request" if what == "request" else "Response"}])

    def open(self, url):
        """Goes there and waits until the document is loaded."""
        self.call("Page.navigate", url=url)
        self.wait(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def eval(self, expression):
        got = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(f"{expression}: {got['exceptionDetails'].get('exception', {}).get('description')}")
        return got["result"].get("value")

    def wait(self, expression, timeout=None):
        """Returns the expression's value once it is true (True for an element); TimeoutError with the page's text when it never is."""
        shown, expression = expression, f"(async () => {{ const v = await ({expression}); return v instanceof Node ? true : v; }})()"
        end = time.monotonic() + (TIMEOUT if timeout is None else timeout)
        while True:
            try:
                got = self.eval(expression)
            except RuntimeError:                    # the page is being replaced
                got = None
            if got:
                return got
            if time.monotonic() > end:
                raise TimeoutError(f"{shown} stays {got!r} on a page that says:\n{self.text()[:2000]}\n{self.complaints}")
            time.sleep(0.02)

    def text(self, selector="body"):
        return self.eval(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def value(self, selector):
        return self.eval(f"document.querySelector({json.dumps(selector)}).value")

    def click(self, selector):
        """A real click in the middle of the element."""
        box = self.eval(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
                        " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def type(self, text):
        """Types into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def fill(self, selector, text):
        self.eval(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.focus(); e.select(); }})()")
        if text:
            self.type(text)
        else:
            self.call("Input.dispatchKeyEvent", type="keyDown", key="Delete", windowsVirtualKeyCode=46)
            self.call("Input.dispatchKeyEvent", type="keyUp", key="Delete", windowsVirtualKeyCode=46)

    def key(self, name, ctrl=False):
        code, text = KEYS.get(name, (ord(name.upper()[0]), name))
        common = {"key": name, "windowsVirtualKeyCode": code, "modifiers": 2 if ctrl else 0}
        common["code"] = name if len(name) > 1 else "Slash" if name == "/" else f"Key{name.upper()}"
        self.call("Input.dispatchKeyEvent", type="keyDown" if text and not ctrl else "rawKeyDown", text=text if not ctrl else "", **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def attach(self, expression, path):
        """Chooses a file in the file input that the expression gives."""
        found = self.call("Runtime.evaluate", expression=expression)["result"]
        self.call("DOM.setFileInputFiles", objectId=found["objectId"], files=[str(path)])

    def downloads_to(self, directory):
        """What this page's context downloads from now on goes there, without asking."""
        self.browser.call("Browser.setDownloadBehavior", behavior="allow", browserContextId=self.context, downloadPath=str(directory))

    def screenshot(self, path):
        png = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(png))
