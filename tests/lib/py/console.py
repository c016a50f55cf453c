# SPDX-License-Identifier: Apache-2.0
"""The web console in a browser, for people in a hurry: logging in, going to a page, reading tables, filling forms.

    c = Console(browser, ocp_server, language="zh")
    c.log_in()
    c.go("/host")
    c.wait_text("主机")
    c.press("新建")
    c.fill("名称", "north")

Whatever a page complains about fails the test that calls close(); what a test provoked it names in expect_complaint().
"""
import json
import os
import pathlib
import re
import shutil
import subprocess

from .session import Session

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
AXE = CHECKOUT / "console" / "node_modules" / "axe-core" / "axe.min.js"
IMAGES = CHECKOUT / "docs" / "images"
LANGUAGES = ("en", "zh")

# What the helpers look things up by: what a person, or a screen reader, would call them.
LIBRARY = """(() => {
  const shown = (e) => e.checkVisibility?.({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0;
  const name = (e) => (e.getAttribute('aria-label') ?? e.getAttribute('title') ?? e.innerText ?? '').trim();
  const top = () => [...document.querySelectorAll('.ant-modal-wrap, .ant-drawer')].filter(shown).at(-1) ?? document;
  const field = (label) => {
    const found = [...top().querySelectorAll('label')].filter((l) => shown(l) && l.innerText.replace(/\\s*(\\(.*\\)|（.*）)$/, '').trim() === label)[0];
    const id = found?.htmlFor;
    return (id && document.getElementById(id)) || found?.querySelector('input')
      || [...top().querySelectorAll('input, textarea')].find((e) => e.getAttribute('aria-label') === label);
  };
  const button = (label) => [...top().querySelectorAll('button, a, [role=tab], [role=menuitem], [role=switch]'),
      ...document.querySelectorAll('.ant-dropdown [role=menuitem], .ant-popover button, .ant-notification a, .ant-message a')]
    .filter((e) => shown(e) && name(e) === label && !e.disabled).at(-1);
  const rows = () => [...document.querySelectorAll('tbody tr.ant-table-row')].filter(shown)
    .map((r) => [...r.querySelectorAll('td')].map((c) => c.innerText.trim()));
  const inRow = (text, label) => [...document.querySelectorAll('tbody tr.ant-table-row')]
    .find((r) => [...r.querySelectorAll('td')].some((c) => c.innerText.trim() === text))
    ?.querySelectorAll('button, a') && [...[...document.querySelectorAll('tbody tr.ant-table-row')]
    .find((r) => [...r.querySelectorAll('td')].some((c) => c.innerText.trim() === text)).querySelectorAll('button, a, [role=switch]')]
    .find((e) => name(e) === label);
  const middle = (e) => { const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; };
  const hit = (e) => { const at = document.elementFromPoint(...middle(e)); return e.contains(at) || at?.contains(e) ? at : null; };
  const aim = (e) => {
    const at = hit(e), came = {};
    for (const kind of ['mousedown', 'click'])
      addEventListener(kind, (v) => { came[kind] = e.contains(v.target) || v.target === at; }, { capture: true, once: true });
    window.missed = () => !came.click && !(came.mousedown && !e.isConnected);
    return middle(e);
  };
  /* a list that was scrolled draws its rows anew, in the next frame or the one after it; a page that is not seen draws nothing */
  const frame = () => new Promise((done) => { requestAnimationFrame(() => done(true)); setTimeout(() => done(true), 100); });
  const drawn = async () => await frame() && await frame();
  /* where the console keeps what it has read */
  const client = () => {
    const root = document.getElementById('root') ?? {}, left = [root[Object.keys(root).find((k) => k.startsWith('__reactContainer$'))]?.stateNode.current];
    for (let fiber; (fiber = left.pop());) {
      if (fiber.memoizedProps?.client?.getQueryCache) return fiber.memoizedProps.client;
      left.push(...[fiber.sibling, fiber.child].filter(Boolean));
    }
    return null;
  };
  const leads = async (path) => {
    const former = document.querySelector('h1'), end = Date.now() + 5000;
    history.pushState(null, '', path);
    dispatchEvent(new PopStateEvent('popstate', { state: null }));
    while (former?.isConnected || !document.querySelector('h1, #main [role=alert]')) {
      if (Date.now() > end) return false;
      await new Promise((next) => setTimeout(next, 5));
    }
    return true;
  };
  const travel = async (path) => {
    const cache = document.querySelector('nav') && document.querySelector('h1') && client();
    const clean = ![...document.querySelectorAll('.ant-modal-wrap, .ant-drawer-open, .ant-message-notice, .ant-notification-notice')].some(shown);
    if (!cache || !clean || ['/login', '/first-password', '/error'].some((p) => path.startsWith(p)) || location.pathname.startsWith('/error')) return false;
    if (!await leads('/error/404')) return false;
    cache.removeQueries({ type: 'inactive' });
    return leads(path);
  };
  window.t = { shown, name, top, field, button, rows, inRow, hit, aim, drawn, travel };
})()"""


class Console:
    def __init__(self, browser, server, language="en", width=1280, height=800):
        self.server, self.language = server, language
        self.url = f"http://{server.host}:{server.port}"
        self.page = browser.page(width, height)
        self.expected = []
        if language == "zh":                       # one language with all that moves, one as people see it who want no motion
            self.page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
        self.page.call("Page.addScriptToEvaluateOnNewDocument",
                       source=f"{{ if (!localStorage.getItem('ocp.language')) localStorage.setItem('ocp.language', '{language}'); }}\n{LIBRARY}")

    # ---- going places

    def log_in(self, user="admin", password=None):
        """Without the form of the login page."""
        if password is None:
            self.server.api()
            password = self.server.password
        session = Session(self.server.host, self.server.port)
        session.log_in(user, password).ok()
        for name, value in session.cookies.items():
            self.page.call("Network.setCookie", name=name, value=value, url=self.url, httpOnly=name != "XSRF-TOKEN", sameSite="Lax")
        return self

    def load(self, path):
        """As if the address was typed: the program of the console is loaded anew."""
        self.page.open(self.url + path)
        self.page.wait("document.querySelector('h1')")
        self.settle()
        return self

    def meet(self, path):
        """As a link leads there, with nothing kept of what was read before; whatever then happens. Where there is no page yet, or something
        lies over it, its address is opened."""
        try:
            there = self.page.eval(f"window.t?.travel?.({json.dumps(path)})")
        except RuntimeError:                        # another page came in between
            there = False
        if not there:
            self.page.open(self.url + path)

    def go(self, path):
        self.meet(path)
        self.page.wait("document.querySelector('h1')")
        self.settle()
        return self

    def settle(self):
        """Until nothing loads."""
        self.page.wait("!document.querySelector('.ant-spin-spinning, .ant-btn-loading')"
                       " && document.getAnimations().every((a) => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity)")

    def path(self):
        return self.page.eval("location.pathname + location.search")

    def wait_path(self, path):
        self.page.wait(f"location.pathname + location.search === {json.dumps(path)}")

    # ---- reading

    def wait_text(self, text, selector="body"):
        self.page.wait(f"document.querySelector({json.dumps(selector)})?.innerText.includes({json.dumps(text)})")

    def title(self):
        return self.page.text("h1")

    def rows(self):
        self.settle()
        return self.page.eval("t.rows()")

    def wait_row(self, *cells):
        """Until some row of the table holds all of these cells."""
        return self.page.wait(f"t.rows().find((r) => {json.dumps(cells)}.every((c) => r.includes(c)))")

    def wait_no_row(self, cell):
        self.page.wait(f"!t.rows().some((r) => r.includes({json.dumps(cell)}))")

    def wait_alert(self, text, selector="[role=alert]"):
        """Until a message says this; those of a moment ago may still stand beside it."""
        self.page.wait(f"[...document.querySelectorAll({json.dumps(selector)})].some((e) => t.shown(e) && e.innerText.includes({json.dumps(text)}))")

    def alert(self, selector="[role=alert]"):
        return self.page.wait(f"[...document.querySelectorAll({json.dumps(selector)})].filter(t.shown).map((e) => e.innerText).filter((s) => s).at(-1)")

    # ---- acting

    def _click(self, expression, patience=None):
        """With the mouse. What moves or is drawn anew at that moment is clicked again, until the click has come to it. TimeoutError when
        it is not there, or something lies over it, for `patience` seconds."""
        for _ in range(50):
            self.page.wait(f"(window.target = {expression} ?? null) != null && (target.scrollIntoView({{block: 'center'}}), t.drawn())", patience)
            self.settle()
            x, y = self.page.wait(f"(window.target = {expression} ?? null) != null && (target.scrollIntoView({{block: 'center'}}), t.hit(target)) != null"
                                  " && t.aim(target)", patience)
            for kind in ("mousePressed", "mouseReleased"):
                self.page.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
            try:
                if not self.page.eval("window.missed?.()"):
                    return self.page.wait("!(window.target?.closest('.ant-dropdown') && t.shown(target))")       # a menu goes with its choice
            except RuntimeError:                    # it led to another page
                return
        raise AssertionError(f"no click comes to {expression}")

    def press(self, name):
        """The button, link or tab of this name, in the topmost dialog."""
        self._click(f"t.button({json.dumps(name)})")
        return self

    def press_in_row(self, cell, name):
        self._click(f"t.inRow({json.dumps(cell)}, {json.dumps(name)})")
        return self

    def tick(self, cell):
        """The box of the row that has this cell."""
        self._click(f"[...document.querySelectorAll('tbody tr.ant-table-row')].find((r) => [...r.querySelectorAll('td')]"
                    f".some((c) => c.innerText.trim() === {json.dumps(cell)}))?.querySelector('.ant-checkbox-input, .ant-checkbox')")
        return self

    def fill(self, label, text):
        self.page.wait(f"t.field({json.dumps(label)})")
        self.page.eval(f"(() => {{ const e = t.field({json.dumps(label)}); e.focus(); e.select?.(); }})()")
        if text:
            self.page.type(text)
        else:
            self.page.key("Delete")
        return self

    def choose(self, label, *options):
        """Of a select: opens it, clicks the options, and sees it closed again."""
        select = f"t.field({json.dumps(label)})?.closest('.ant-select')"
        self.page.wait(f"{select} != null")
        for option in options:
            entry = f"[...document.querySelectorAll('.ant-select-item-option')].find((e) => t.shown(e) && e.innerText.trim() === {json.dumps(option)})"
            self._choose_one(select, entry)
        self._until("![...document.querySelectorAll('.ant-select-dropdown')].some(t.shown)", self._close_selects)
        return self

    def _choose_one(self, select, entry):
        """What is drawn anew around a select closes it at any moment. The list moves while it scrolls, so the click goes to the entry itself,
        not to where it was a moment ago: there may be another one."""
        take = f"(window.target = {entry} ?? null) != null && (target.click(), true)"
        for _ in range(20):
            if not self.page.eval(f"{select}.classList.contains('ant-select-open')"):
                self._click(select)
            try:
                return self.page.wait(take, 2)
            except TimeoutError:
                pass
        self.page.wait(take)

    def _close_selects(self):
        """As a press of the mouse elsewhere does; Escape would close the drawer too."""
        self.page.eval("document.activeElement.blur(), (t.top().querySelector?.('.ant-drawer-title, .ant-modal-title, h1') ?? document.body)"
                       ".dispatchEvent(new MouseEvent('mousedown', { bubbles: true })), true")

    def _until(self, expression, act):
        """Acts until the expression is true: what is drawn anew in between may undo it."""
        for _ in range(20):
            if self.page.eval(expression):
                return
            act()
            try:
                return self.page.wait(expression, 1)
            except TimeoutError:
                pass
        self.page.wait(expression)

    def toggle(self, label):
        """A switch of a form."""
        self._click(f"t.field({json.dumps(label)})")
        return self

    def type_word(self, word):
        """Confirms what asks for a word."""
        self.page.wait("document.querySelector('#confirm-word')")
        self.page.eval("document.querySelector('#confirm-word').focus()")
        self.page.type(word)
        self.page.key("Enter")

    def try_again(self):
        """Of an error on a page; one that looks again by itself may have been faster."""
        self.page.eval(f"t.button({json.dumps('重试' if self.language == 'zh' else 'Try again')})?.click(), true")
        self.page.wait("!document.querySelector('[role=alert]') && document.querySelector('h1')?.innerText")
        self.settle()

    # ---- failures on purpose

    def fail(self, path, status=500, message="The disk of this test is full.", trace="feedfacecafebeef"):
        """Requests for this path of the API, "*" being anything, fail so; heal() ends it."""
        self.expect_complaint(f"status of {status}")
        self.page.answer(f"*{path}*", status, {"successful": False, "status": status, "traceId": trace, "error": {"code": 90005, "message": message}})

    def heal(self):
        self.page.answer(None, 0, None)

    def expect_complaint(self, pattern):
        """Of the browser, about what the test provokes."""
        self.expected.append(pattern)

    def resize(self, width, height):
        self.page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    # ---- judging

    def faults(self):
        """Serious and critical ones that axe finds on the page as it is."""
        if not self.page.eval("typeof axe === 'object'"):
            self.page.call("Runtime.evaluate", expression=AXE.read_text())
        self.settle()
        found = self.page.eval("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations"
                               ".filter((v) => ['serious', 'critical'].includes(v.impact))"
                               ".map((v) => `${v.id}: ${v.nodes.map((n) => n.html.slice(0, 160) + ' ' + n.any.map((a) => a.message).join()).slice(0, 3).join(' | ')}`))")
        return found

    def overflow(self):
        """Whether the page is wider than its window."""
        return self.page.eval("document.documentElement.scrollWidth > innerWidth")

    def picture(self, name):
        """A screenshot under docs/images, when OCP_SCREENSHOTS=1 asks for them."""
        if os.environ.get("OCP_SCREENSHOTS") != "1":
            return
        IMAGES.mkdir(exist_ok=True)
        path = IMAGES / f"{name}.png"
        self.page.screenshot(path)
        if shutil.which("pngquant"):
            subprocess.run(["pngquant", "--force", "--strip", "--speed", "1", "--output", path, "64", path], check=True)

    def close(self):
        """The end of a test: nothing may have been complained about that was not expected."""
        left = [c for c in self.page.complaints if not any(re.search(p, c) for p in self.expected)]
        self.page.complaints.clear()
        self.expected.clear()
        self.heal()
        assert left == [], left

    def leave(self):
        self.page.close()
